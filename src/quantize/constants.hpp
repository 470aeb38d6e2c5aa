// SPDX-License-Identifier: Apache-2.0
// Constants as integers: weights, biases, and operands of element-wise operators.
#pragma once

#include "ir/graph.hpp"
#include "quantize/moments.hpp"
#include "quantize/options.hpp"

namespace mote {

// One layer with weights, in real numbers.
struct RealLayer {
  const Tensor& weights;
  const Tensor* bias = nullptr;  // absent: nullptr
  WeightedInputs sum;
  float input_scale = 1, output_scale = 1;  // of the activations
  std::vector<double>
      input_means;  // by index of what one output sums over: its input's mean; empty: no correction
  const LayerMoments* moments =
      nullptr;  // there: weights are rounded by them, and the bias takes up the mean error
};

struct WeightOptions {
  WeightKind kind = WeightKind::bytes;
  bool per_tensor = false;
  bool power_of_two = false;
  DType activations = DType::i8;
};

// The weights of one layer and its bias as the layer's sum needs them.
struct LayerConstants {
  Tensor weights;              // i8, zero point 0
  std::optional<Tensor> bias;  // i32 (i64 beside i16 activations), scale = input scale * weight scale
};

// The scale of a channel is weight_scale()'s, or more where its bias would not fit otherwise; one for all channels
// is as little larger as it takes that the layer's multiplier is the same whether an interpreter rounds the
// product of the scales to single precision or not. With input_means the bias takes up the mean of what rounding
// the weights changes (Nagel et al., Data-free quantization through weight equalization and bias correction,
// 2019).
[[nodiscard]] LayerConstants quantize_layer(const RealLayer& layer, const WeightOptions& options);

// Any other real constant with a given quantisation of i8 or i16.
[[nodiscard]] Tensor quantize_constant(const Tensor& tensor, DType dtype, const Quantization& quant);

// The index along `axis` of each element.
[[nodiscard]] std::vector<size_t> indices_along(const Shape& shape, int axis);

}  // namespace mote
