// SPDX-License-Identifier: Apache-2.0
// Windows that slide over the spatial dimensions of a value: what convolutions and pools of ONNX share.
#pragma once

#include <vector>

#include "import/onnx_translator.hpp"
#include "ops/convolution.hpp"

namespace mote::onnx {

struct Dimension {
  Window window;
  Padding padding;
  int64_t outputs = 0;
};

// One row: the height's window covers exactly it.
inline const Dimension single_row{{1, 1, 1}, {0, 0}, 1};

// The windows over the spatial dimensions of `shape` (N, C, one or two more), from the node's attributes.
[[nodiscard]] std::vector<Dimension> dimensions_of(const Translator& t, const Shape& shape,
                                                   const std::vector<int64_t>& kernel);

[[nodiscard]] SlidingWindow sliding_window(const std::vector<Dimension>& dimensions);

// The input as N, height, width, C; a sequence is one row high.
[[nodiscard]] TensorId image(Translator& t, const Value& value);

// Of what windows give: N, `channels`, one element a window.
[[nodiscard]] Layout image_layout(const Shape& input, const std::vector<Dimension>& dimensions, int64_t channels);

}  // namespace mote::onnx
