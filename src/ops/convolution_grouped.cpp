// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_grouped.hpp"

#include <vector>

#include "nn/conv2d_grouped_4x4.hpp"
#include "nn/conv2d_grouped_paired.hpp"
#include "nn/conv2d_grouped_unsigned.hpp"
#include "nn/conv2d_grouped_vector.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"
#include "ops/convolution_paired.hpp"
#include "ops/convolution_unsigned.hpp"
#include "ops/convolution_vector.hpp"

namespace mote::convolution {

namespace {

// What a window's tap costs to gather is shared by the products of its group with it: so many are worth it.
constexpr int64_t least_products = 4;

// One group's numbers; `channels` of its outputs, from `first` on.
Folded part_of(const Folded& folded, size_t first, size_t channels) {
  const size_t taps = folded.weights.size() / folded.shift.size();
  const auto cut = [](const auto& values, size_t from, size_t count) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from);
    return std::decay_t<decltype(values)>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  Folded part{cut(folded.weights, first * taps, channels * taps), cut(folded.scales, 2 * first, 2 * channels),
              cut(folded.shift, first, channels)};
  part.scales.resize((channels + 3) / 4 * 8);
  return part;
}

using Constants = std::vector<Constant>;

std::optional<Constants> block_constants(const Folded& group, int32_t out_zero, const Core& core) {
  if (core.mve)
    return Constants{constant_of("weights", DType::i8, vector_weights(group)),
                     constant_of("scales", DType::i32, vector_scales(group))};
  if (core.dsp) {
    const std::optional<PairedConstants> paired = paired_constants(group, out_zero);
    if (!paired) return std::nullopt;
    return Constants{constant_of("weights", DType::i16, paired->weights),
                     constant_of("scales", DType::i32, paired->scales)};
  }
  return Constants{core.unsigned_bytes ? unsigned_constants(group) : by_four_constants(group)};
}

// Those of all groups behind each other.
std::optional<Constants> constants_of(const nn::Conv2d& s, const Folded& folded, const Core& core) {
  Constants all;
  const auto channels = static_cast<size_t>(s.group_outputs);
  for (size_t first = 0; first < folded.shift.size(); first += channels) {
    std::optional<Constants> group = block_constants(part_of(folded, first, channels), s.out_zero, core);
    if (!group) return std::nullopt;
    if (first == 0) {
      all = *std::move(group);
      continue;
    }
    for (size_t i = 0; i < all.size(); ++i) {
      const Constant& more = (*group)[i];
      all[i].data.insert(all[i].data.end(), more.data.begin(), more.data.end());
      all[i].scales_bytes += more.scales_bytes;
    }
  }
  return all;
}

Call call_of(const nn::Conv2d& s, const Core& core) {
  const auto make = [&](auto kernel, const char* function, const char* header, std::vector<Argument> arguments) {
    return make_call(kernel, function, header, "Conv2d", s, std::move(arguments));
  };
  const std::vector<Argument> two{input(0), constant(0), constant(1), output(0), scratch()};
  const std::vector<Argument> one{input(0), constant(0), output(0), scratch()};
  if (core.mve)
    return make(nn::conv2d_grouped_vector_s8, "conv2d_grouped_vector_s8", "nn/conv2d_grouped_vector.hpp", two);
  if (core.dsp)
    return make(nn::conv2d_grouped_paired_s8, "conv2d_grouped_paired_s8", "nn/conv2d_grouped_paired.hpp", two);
  if (core.unsigned_bytes)
    return make(nn::conv2d_grouped_unsigned_s8, "conv2d_grouped_unsigned_s8", "nn/conv2d_grouped_unsigned.hpp",
                one);
  return make(nn::conv2d_grouped_4x4_s8, "conv2d_grouped_4x4_s8", "nn/conv2d_grouped_4x4.hpp", one);
}

}  // namespace

std::optional<Call> lower_grouped(const Problem& problem, const Quantised& q, const Folded& folded,
                                  const Core& core) {
  const nn::Conv2d& s = q.shape;
  if (s.group_channels == s.in_channels || s.group_outputs > UINT16_MAX) return std::nullopt;
  if (int64_t{s.group_channels} * s.group_outputs < least_products) return std::nullopt;
  std::optional<Constants> constants = constants_of(s, folded, core);
  if (!constants) return std::nullopt;
  Call call = call_of(s, core);
  call.constants = *std::move(constants);
  const int64_t taps = int64_t{s.kernel_height} * s.kernel_width * s.group_channels;
  if (core.mve) {
    call.scratch_bytes = 2 * taps;
  } else if (core.dsp) {
    call.scratch_bytes = (taps + 1) / 2 * 8 + (s.group_channels % 4 == 0 ? 0 : taps);
  } else {
    call.scratch_bytes = 4 * align_up(taps, 2) + 4 * int64_t{s.group_outputs};
  }
  call.order = pixel_order(problem, core.dsp ? 2 : 4, false);
  call.estimate.own_saves = 0.1 * static_cast<double>(macs(s));
  return call;
}

}  // namespace mote::convolution
