// SPDX-License-Identifier: Apache-2.0
// Permuted and reversed dimensions: everything the compiler knows about them.
#include <fmt/ranges.h>

#include <numeric>

#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

OperatorPtr make_transpose(const Shape& from, const std::vector<size_t>& order) {
  IndexMap map(from);
  for (const size_t d : order) map.take_all(d);
  return make_move("transpose", fmt::format("order={}", fmt::join(order, ",")), std::move(map));
}

OperatorPtr make_reverse(const Shape& from, const std::vector<bool>& reversed) {
  IndexMap map(from);
  std::vector<size_t> axes;
  for (size_t d = 0; d < from.size(); ++d) {
    if (reversed[d]) {
      map.take(d, from[d] - 1, from[d], -1);
      axes.push_back(d);
    } else {
      map.take_all(d);
    }
  }
  return make_move("reverse", fmt::format("axes={}", fmt::join(axes, ",")), std::move(map));
}

Made transpose_from_tflite(const tflite::OpView& view) {
  const Shape& from = file_shape(view);
  std::vector<bool> seen(from.size(), false);
  std::vector<size_t> order;
  for (const int64_t axis : view.integers(1, "permutation")) {
    order.push_back(dimension(axis, from.size()));
    require(!seen[order.back()], "names dimension {} twice in its permutation", order.back());
    seen[order.back()] = true;
  }
  require(order.size() == from.size(), "permutes {} dimensions of an input of rank {}", order.size(), from.size());
  return {make_transpose(from, order), {0}};
}

Made reverse_from_tflite(const tflite::OpView& view) {
  const Shape& from = file_shape(view);
  std::vector<bool> reversed(from.size(), false);
  for (const int64_t axis : view.integers(1, "axes")) reversed[dimension(axis, from.size())] = true;
  return {make_reverse(from, reversed), {0}};
}

Sample sample(std::mt19937& random) {
  const TensorType in = random_movable(random, random_shape(random, 1, 6, 4));
  if (chance(random, 30)) {
    std::vector<bool> reversed;
    for (size_t d = 0; d < in.shape.size(); ++d) reversed.push_back(chance(random, 40));
    return move_sample(make_reverse(in.shape, reversed), in, in.shape);
  }
  std::vector<size_t> order(in.shape.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  Shape out;
  for (const size_t d : order) out.push_back(in.shape[d]);
  return move_sample(make_transpose(in.shape, order), in, out);
}

}  // namespace

extern const OpDef transpose{.name = "transpose",
                             .tflite = {{"TRANSPOSE", transpose_from_tflite}, {"REVERSE_V2", reverse_from_tflite}},
                             .sample = sample};

}  // namespace mote::op
