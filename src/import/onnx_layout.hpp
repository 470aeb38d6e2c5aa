// SPDX-License-Identifier: Apache-2.0
// How a tensor of an ONNX graph lies in memory: NCHW becomes NHWC by bookkeeping, not by moving data.
//
// ONNX numbers dimensions as its operators want them (NCHW); Mote stores them in another order. Transposing,
// reshaping and flattening change only the layout; data moves where an operator needs an order that the tensor
// does not have.
#pragma once

#include <optional>
#include <vector>

#include "ir/types.hpp"

namespace mote::onnx {

struct Layout {
  std::vector<std::vector<int64_t>> dims;  // of each ONNX dimension its factors, outermost first; none: extent 1
  std::vector<size_t>
      order;  // numbers of the factors (counted through `dims`) as they are stored, outermost first

  bool operator==(const Layout&) const = default;
};

using Permutation = std::vector<size_t>;

[[nodiscard]] Permutation identity(size_t rank);
[[nodiscard]] Permutation channels_last(size_t rank);                        // N, spatial dimensions, C
[[nodiscard]] Shape permuted(const Shape& shape, const Permutation& order);  // result[i] = shape[order[i]]

// A tensor of ONNX shape `shape` whose dimensions are stored in `order`.
[[nodiscard]] Layout layout_of(const Shape& shape, const Permutation& order);

[[nodiscard]] Shape shape_of(const Layout& layout);                // in ONNX's order
[[nodiscard]] std::vector<int64_t> factors(const Layout& layout);  // in ONNX's order, without ones
[[nodiscard]] Shape stored_factors(const Layout& layout);          // as they are stored

// The same memory under another ONNX shape: dimension i of the result is dimension order[i].
[[nodiscard]] Layout transposed(const Layout& layout, const Permutation& order);

// The same memory under another ONNX shape; absent when a new dimension would mix parts of two old ones.
[[nodiscard]] std::optional<Layout> reshaped(const Layout& layout, const Shape& shape);

// In which order the ONNX dimensions are stored, when each is in one piece. Where dimensions of extent 1 leave a
// choice, it is the order that makes the tensor's shape `stored`, or else NCHW or NHWC, if it is one of these.
[[nodiscard]] std::optional<Permutation> stored_order(const Layout& layout, const Shape& stored);

}  // namespace mote::onnx
