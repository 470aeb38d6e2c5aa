// SPDX-License-Identifier: Apache-2.0
// From a convolution as data to the call of the fastest kernel whose preconditions it fulfils.
#pragma once

#include "ir/operator.hpp"
#include "nn/conv2d.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::convolution {

// One convolution (also transposed), depthwise convolution or fully connected layer. Its inputs 0, 1 and 2 are the
// activations, the weights and the biases.
struct Problem {
  nn::Conv2d shape{};  // the geometry; lower() fills the quantisation members
  Activation activation = Activation::none;
  bool transposed = false;
  const Tensor* weights = nullptr;  // [out][height][width][in / groups]
  bool channels_last = false;       // or [height][width][out]
  const Tensor* bias = nullptr;
  const TensorType* input = nullptr;
  const TensorType* output = nullptr;
  bool float_product =
      false;  // input scale times weight scale is rounded to float, as the reference's dense layers do
  bool asymmetric = false;  // real activations with quantised weights: the activations get a zero point
  int pixel_dims = 0;       // leading output dimensions that number the pixels; 0: the output may overlap no input
};

// Real activations with quantised weights.
[[nodiscard]] inline bool hybrid(const Problem& problem) {
  return problem.input->dtype == DType::f32 && problem.weights->type.dtype != DType::f32;
}

[[nodiscard]] Call lower(const Problem& problem, const Core& core = {});

// The kernel that handles everything: the reference of the others.
[[nodiscard]] Call lower_plain(const Problem& problem);

}  // namespace mote::convolution
