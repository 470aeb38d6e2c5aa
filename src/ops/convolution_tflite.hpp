// SPDX-License-Identifier: Apache-2.0
// The sliding window of CONV_2D and DEPTHWISE_CONV_2D from a .tflite file's options.
#pragma once

#include "formats/tflite_view.hpp"
#include "ops/convolution.hpp"

namespace mote::convolution {

// Options: schema::Conv2DOptions or schema::DepthwiseConv2DOptions; both weights layouts hold height and width at
// 1, 2.
template <class Options>
[[nodiscard]] SlidingWindow window_from_tflite(const tflite::OpView& view) {
  const Options& options = view.required_options<Options>();
  require(view.inputs.size() >= 2 && view.inputs[0] != nullptr && view.inputs[1] != nullptr,
          "needs an input and weights");
  const Shape& input = view.inputs[0]->type.shape;
  const Shape& weights = view.inputs[1]->type.shape;
  require(input.size() == 4 && weights.size() == 4, "needs input and weights of rank 4, they are {} and {}",
          to_text(input), to_text(weights));
  SlidingWindow window;
  window.vertical = {weights[1], options.stride_h(), options.dilation_h_factor()};
  window.horizontal = {weights[2], options.stride_w(), options.dilation_w_factor()};
  for (const Window& one : {window.vertical, window.horizontal}) {
    require(one.stride > 0 && one.dilation > 0, "stride {} and dilation {} must be positive", one.stride,
            one.dilation);
  }
  const PaddingScheme scheme = padding_from_tflite(static_cast<int>(options.padding()));
  window.pad_vertical = window_padding(scheme, input[1], window.vertical);
  window.pad_horizontal = window_padding(scheme, input[2], window.horizontal);
  window.activation = activation_from_tflite(static_cast<int>(options.fused_activation_function()));
  return window;
}

// Input, weights and, where there is one, the bias.
[[nodiscard]] inline std::vector<size_t> kept_inputs(const tflite::OpView& view) {
  return view.inputs.size() > 2 ? std::vector<size_t>{0, 1, 2} : std::vector<size_t>{0, 1};
}

}  // namespace mote::convolution
