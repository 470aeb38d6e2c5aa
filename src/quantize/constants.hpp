// SPDX-License-Identifier: Apache-2.0
// Constants as integers: weights, biases, and operands of element-wise operators.
#pragma once

#include "ir/graph.hpp"
#include "ir/integer_form.hpp"

namespace mote {

struct WeightOptions {
  bool per_tensor = false;
  DType activations = DType::i8;
};

// The weights of one layer and its bias as the layer's sum needs them.
struct LayerConstants {
  Tensor weights;              // i8 from -127 to 127, zero point 0
  std::optional<Tensor> bias;  // i32 (i64 beside i16 activations), scale = input scale * weight scale
};

// `input_scale`, `output_scale`: of the layer's activations. The scale of a channel is its largest weight over
// 127, or more where its bias would not fit otherwise; one for all channels is as little larger as it takes that
// the layer's multiplier is the same whether an interpreter rounds the product of the scales to single precision
// or not.
[[nodiscard]] LayerConstants quantize_layer(const Tensor& weights, const Tensor* bias, const WeightedInputs& sum,
                                            float input_scale, float output_scale, const WeightOptions& options);

// Any other real constant with a given quantisation of i8 or i16.
[[nodiscard]] Tensor quantize_constant(const Tensor& tensor, DType dtype, const Quantization& quant);

// The output channel of each element of weights.
[[nodiscard]] std::vector<size_t> channels_of(const Shape& weights, int out_axis);

}  // namespace mote
