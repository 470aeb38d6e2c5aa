// SPDX-License-Identifier: Apache-2.0
// Cutting a tensor into its parts along one axis: one node a part. Everything the compiler knows about it.
#include <numeric>

#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

OperatorPtr part(const Shape& from, size_t axis, int64_t begin, int64_t extent) {
  IndexMap map(from);
  for (size_t d = 0; d < from.size(); ++d) {
    if (d == axis) {
      map.take(d, begin, extent, 1);
    } else {
      map.take_all(d);
    }
  }
  return make_move("part", fmt::format("axis={} {}+{}", axis, begin, extent), std::move(map));
}

// Index `index` of the axis, which the output does not have.
OperatorPtr layer(const Shape& from, size_t axis, int64_t index) {
  IndexMap map(from);
  map.origin[axis] = index;
  for (size_t d = 0; d < from.size(); ++d) {
    if (d != axis) map.take_all(d);
  }
  return make_move("unpack", fmt::format("axis={} {}", axis, index), std::move(map));
}

Made made(std::vector<OperatorPtr> parts, size_t input) {
  Made result{parts.at(0), {input}};
  result.others.assign(parts.begin() + 1, parts.end());
  return result;
}

Made parts_of(const Shape& from, size_t axis, const std::vector<int64_t>& extents, size_t input) {
  const int64_t total = std::accumulate(extents.begin(), extents.end(), int64_t{0});
  require(total == from[axis], "cuts {} elements of axis {} into parts of {} together", from[axis], axis, total);
  std::vector<OperatorPtr> parts;
  int64_t begin = 0;
  for (const int64_t extent : extents) {
    parts.push_back(part(from, axis, begin, extent));
    begin += extent;
  }
  return made(std::move(parts), input);
}

Made split_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::SplitOptions>();
  const Shape& from = file_shape(view, 1);
  const size_t axis = dimension(one_integer(view, 0, "axis"), from.size());
  const int64_t parts = options.num_splits();
  require(parts > 0 && parts <= from[axis] && from[axis] % parts == 0,
          "cuts {} elements of axis {} into {} equal parts, which is not possible", from[axis], axis, parts);
  return parts_of(from, axis, std::vector<int64_t>(static_cast<size_t>(parts), from[axis] / parts), 1);
}

Made split_v_from_tflite(const tflite::OpView& view) {
  const Shape& from = file_shape(view);
  const size_t axis = dimension(one_integer(view, 2, "axis"), from.size());
  std::vector<int64_t> extents = view.integers(1, "sizes");
  require(!extents.empty(), "has no sizes; the file is incomplete, convert the model again");
  const auto open = std::find(extents.begin(), extents.end(), -1);
  if (open != extents.end()) {
    *open = 0;
    *open = from[axis] - std::accumulate(extents.begin(), extents.end(), int64_t{0});
  }
  for (const int64_t extent : extents) require(extent >= 0, "has a part of {} elements", extent);
  return parts_of(from, axis, extents, 0);
}

Made unpack_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::UnpackOptions>();
  const Shape& from = file_shape(view);
  const size_t axis = dimension(options.axis(), from.size());
  require(options.num() == from[axis] && from[axis] > 0, "unpacks {} layers of axis {}, which has {}",
          options.num(), axis, from[axis]);
  std::vector<OperatorPtr> layers;
  for (int64_t i = 0; i < from[axis]; ++i) layers.push_back(layer(from, axis, i));
  return made(std::move(layers), 0);
}

Sample sample(std::mt19937& random) {
  const TensorType in = random_movable(random, random_shape(random, 1, 5, 5));
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(in.shape) - 1));
  const int64_t begin = random_integer(random, 0, in.shape[axis] - 1);
  Shape out = in.shape;
  if (chance(random, 50)) {
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
    return move_sample(layer(in.shape, axis, begin), in, out);
  }
  out[axis] = random_integer(random, 1, in.shape[axis] - begin);
  return move_sample(part(in.shape, axis, begin, out[axis]), in, out);
}

}  // namespace

extern const OpDef split{
    .name = "split",
    .tflite = {{"SPLIT", split_from_tflite}, {"SPLIT_V", split_v_from_tflite}, {"UNPACK", unpack_from_tflite}},
    .sample = sample};

}  // namespace mote::op
