// SPDX-License-Identifier: Apache-2.0
// Channels to blocks of pixels and back: everything the compiler knows about it.
#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

OperatorPtr make_depth_to_space(const Shape& from, int64_t block) {
  require(from.size() == 4 && block > 0 && from[3] % (block * block) == 0,
          "makes blocks of {0}x{0} pixels from {1}; it takes a rank of 4 (NHWC) and channels divisible by {2}",
          block, to_text(from), block * block);
  const int64_t channels = from[3] / (block * block);
  IndexMap map(from);
  map.take_all(0);
  map.append({{0, from[1], 1, 1}, {0, block, 3, block * channels}});
  map.append({{0, from[2], 2, 1}, {0, block, 3, channels}});
  map.append({{0, channels, 3, 1}});
  return make_move("depth_to_space", fmt::format("block={}", block), std::move(map));
}

OperatorPtr make_space_to_depth(const Shape& from, int64_t block) {
  require(from.size() == 4 && block > 0 && from[1] % block == 0 && from[2] % block == 0,
          "folds blocks of {0}x{0} pixels of {1}; it takes a rank of 4 (NHWC) and a size divisible by {0}", block,
          to_text(from));
  IndexMap map(from);
  map.take_all(0);
  map.append({{0, from[1] / block, 1, block}});
  map.append({{0, from[2] / block, 2, block}});
  map.append({{0, block, 1, 1}, {0, block, 2, 1}, {0, from[3], 3, 1}});
  return make_move("space_to_depth", fmt::format("block={}", block), std::move(map));
}

Made depth_to_space_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::DepthToSpaceOptions>();
  return {make_depth_to_space(file_shape(view), options.block_size()), {0}};
}

Made space_to_depth_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::SpaceToDepthOptions>();
  return {make_space_to_depth(file_shape(view), options.block_size()), {0}};
}

Sample sample(std::mt19937& random) {
  const Shape few = random_shape(random, 4, 4, 3);
  const int64_t block = random_integer(random, 1, 3);
  const Shape deep{few[0], few[1], few[2], few[3] * block * block};
  const Shape wide{few[0], few[1] * block, few[2] * block, few[3]};
  if (chance(random, 50)) return move_sample(make_depth_to_space(deep, block), random_movable(random, deep), wide);
  return move_sample(make_space_to_depth(wide, block), random_movable(random, wide), deep);
}

}  // namespace

extern const OpDef depth_to_space{
    .name = "depth_to_space",
    .tflite = {{"DEPTH_TO_SPACE", depth_to_space_from_tflite}, {"SPACE_TO_DEPTH", space_to_depth_from_tflite}},
    .sample = sample};

}  // namespace mote::op
