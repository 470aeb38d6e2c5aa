// SPDX-License-Identifier: Apache-2.0
// What the calls of all convolution kernels are made of.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/packed.hpp"
#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

inline Order pixel_order(const Problem& problem, int64_t block, bool reads_first) {
  return problem.pixel_dims == 0 ? Order{} : Order{problem.pixel_dims, block, reads_first};
}

template <class T>
Constant constant_of(std::string name, DType dtype, const std::vector<T>& values) {
  return {std::move(name), dtype, to_bytes(values), true};
}

// For up to 65535 output channels.
inline nn::Outputs outputs_of(const nn::Conv2d& s) {
  return {narrow<uint16_t>(s.out_channels), narrow<int8_t>(s.out_zero), narrow<int8_t>(s.low),
          narrow<int8_t>(s.high)};
}

// A window of one element over the whole input: the pixels are rows of a dense layer.
inline bool pointwise(const nn::Conv2d& s) {
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 && s.stride_width == 1 &&
         s.pad_top == 0 && s.pad_left == 0 && s.in_height == s.out_height && s.in_width == s.out_width;
}

// Rows of a dense layer that would leave blocks of four pixels half empty.
inline bool few_rows(const nn::Conv2d& s) {
  return pointwise(s) && int64_t{s.batches} * s.out_height * s.out_width < 4;
}

inline bool fits_depthwise_3x3(const nn::Conv2d& s) {
  return s.group_channels == 1 && s.group_outputs == 1 && s.kernel_height == 3 && s.kernel_width == 3 &&
         s.dilation_height == 1 && s.dilation_width == 1 && s.stride_width <= 2;
}

}  // namespace mote::convolution
