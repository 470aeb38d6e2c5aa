// SPDX-License-Identifier: Apache-2.0
// From a convolution as data to the call of the fastest kernel whose preconditions it fulfils.
#pragma once

#include "ir/operator.hpp"
#include "nn/conv2d.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::convolution {

// One convolution, depthwise convolution or fully connected layer.
struct Problem {
  nn::Conv2d shape{};  // the geometry; lower() fills the quantisation members
  Activation activation = Activation::none;
  Bytes weights;  // ordered [out][height][width][in / groups]
  const Tensor* bias = nullptr;
  const TensorType* input = nullptr;
  const TensorType* weight_type = nullptr;
  const TensorType* output = nullptr;
  bool float_product =
      false;           // input scale times weight scale is rounded to float, as the reference's dense layers do
  int pixel_dims = 0;  // leading output dimensions that number the pixels; 0: the output may overlap no input
};

[[nodiscard]] Call lower(const Problem& problem);

// The kernel that handles everything: the reference of the others.
[[nodiscard]] Call lower_plain(const Problem& problem);

}  // namespace mote::convolution
