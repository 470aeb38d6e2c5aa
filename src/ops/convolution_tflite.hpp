// SPDX-License-Identifier: Apache-2.0
// The sliding window of CONV_2D and DEPTHWISE_CONV_2D from a .tflite file's options, and back.
#pragma once

#include "formats/tflite_view.hpp"
#include "ops/convolution.hpp"
#include "ops/window_tflite.hpp"

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

// The node's inputs in the file, without a bias that is absent.
[[nodiscard]] inline std::vector<int> written_inputs(const tflite::NodeWriter& file) {
  std::vector<int> inputs = file.inputs();
  while (!inputs.empty() && inputs.back() == -1) inputs.pop_back();
  return inputs;
}

// The version that knows these types: per-channel weights, i16 activations, and INT4 weights.
[[nodiscard]] inline int version(DType input, DType weights) {
  if (weights == DType::i4) return 7;
  return input == DType::i16 ? 4 : input == DType::i8 ? 3 : 1;
}

// The convolution behind explicit padding where no scheme gives its windows. OptionsT: as above, to be packed.
template <class OptionsT>
void write_window(tflite::NodeWriter& file, tflite::schema::BuiltinOperator code, const SlidingWindow& window,
                  const TensorType& in, DType weights, const TensorType& out, OptionsT options) {
  const WindowUse use{window.vertical,       window.horizontal, window.pad_vertical,
                      window.pad_horizontal, in.shape,          out.shape};
  const std::optional<tflite::schema::Padding> scheme = padding_scheme(use);
  std::vector<int> inputs = written_inputs(file);
  if (!scheme) {
    const int padded = file.between("padded", {in.dtype, padded_shape(use), in.quant});
    file.add(tflite::schema::BuiltinOperator::PAD, tflite::usual_version(in.dtype),
             {inputs[0], padding_constant(file, use)}, {padded}, tflite::schema::PadOptionsT{});
    inputs[0] = padded;
  }
  options.padding = scheme.value_or(tflite::schema::Padding::VALID);
  options.stride_h = narrow<int32_t>(window.vertical.stride);
  options.stride_w = narrow<int32_t>(window.horizontal.stride);
  options.dilation_h_factor = narrow<int32_t>(window.vertical.dilation);
  options.dilation_w_factor = narrow<int32_t>(window.horizontal.dilation);
  options.fused_activation_function = to_tflite(window.activation);
  file.add(code, version(in.dtype, weights), inputs, file.outputs(), options);
}

}  // namespace mote::convolution
