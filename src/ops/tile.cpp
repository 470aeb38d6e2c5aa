// SPDX-License-Identifier: Apache-2.0
// Repetition of a tensor, of its dimensions or of one value: everything the compiler knows about it.
#include "ops/axes.hpp"
#include "ops/broadcast.hpp"
#include "ops/checks.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

OperatorPtr make_tile(const Shape& from, const Shape& multiples) {
  IndexMap map(from);
  for (size_t d = 0; d < from.size(); ++d) map.append({{0, multiples[d], Digit::nowhere, 0}, {0, from[d], d, 1}});
  return make_move("tile", to_text(multiples), std::move(map));
}

OperatorPtr make_broadcast(const Shape& from, const Shape& to) {
  require(from.size() <= to.size() && broadcast_shape(from, to) == to, "cannot broadcast {} to {}", to_text(from),
          to_text(to));
  IndexMap map(from);
  const size_t missing = to.size() - from.size();
  for (size_t d = 0; d < to.size(); ++d) {
    if (d < missing || from[d - missing] != to[d]) {
      map.append({{0, to[d], Digit::nowhere, 0}});
    } else {
      map.take_all(d - missing);
    }
  }
  return make_move("broadcast", to_text(to), std::move(map));
}

Made tile_from_tflite(const tflite::OpView& view) {
  const Shape& from = file_shape(view);
  const Shape multiples = view.integers(1, "multiples");
  require(multiples.size() == from.size(), "has {} multiples for an input of rank {}", multiples.size(),
          from.size());
  for (const int64_t multiple : multiples) require(multiple >= 0, "repeats a dimension {} times", multiple);
  return {make_tile(from, multiples), {0}};
}

Made broadcast_from_tflite(const tflite::OpView& view) {
  return {make_broadcast(file_shape(view), view.integers(1, "shape")), {0}};
}

Made fill_from_tflite(const tflite::OpView& view) {
  require(elements(file_shape(view, 1)) == 1, "fills with a value of shape {}, which must be one element",
          to_text(file_shape(view, 1)));
  IndexMap map(file_shape(view, 1));
  for (const int64_t extent : view.integers(0, "shape")) map.append({{0, extent, Digit::nowhere, 0}});
  const std::string text = to_text(map.to);
  return {make_move("fill", text, std::move(map)), {1}};
}

Sample sample(std::mt19937& random) {
  const TensorType in = random_movable(random, random_shape(random, 1, 4, 4));
  Shape out = in.shape;
  if (chance(random, 50)) {
    Shape multiples;
    for (int64_t& extent : out) {
      multiples.push_back(random_integer(random, 1, 3));
      extent *= multiples.back();
    }
    return move_sample(make_tile(in.shape, multiples), in, out);
  }
  for (int64_t& extent : out) extent = extent == 1 ? random_integer(random, 1, 4) : extent;
  if (chance(random, 50)) out.insert(out.begin(), random_integer(random, 1, 3));
  return move_sample(make_broadcast(in.shape, out), in, out);
}

}  // namespace

extern const OpDef tile{
    .name = "tile",
    .tflite = {{"TILE", tile_from_tflite}, {"BROADCAST_TO", broadcast_from_tflite}, {"FILL", fill_from_tflite}},
    .sample = sample};

}  // namespace mote::op
