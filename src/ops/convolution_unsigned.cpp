// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_unsigned.hpp"

#include <algorithm>
#include <numeric>

#include "nn/conv2d_unsigned.hpp"
#include "nn/fully_connected_unsigned.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"

namespace mote::convolution {

namespace {

// Whether nn::RequantizeShort fits channel `c`, whatever bytes the input holds.
bool sums_are_short(const Folded& folded, size_t c) {
  const size_t taps = folded.weights.size() / folded.shift.size();
  int64_t least = folded.scales[2 * c], most = least;
  for (size_t k = c * taps; k < (c + 1) * taps; ++k) {
    const int64_t weight = folded.weights[k];
    least += std::min(-128 * weight, 127 * weight);
    most += std::max(-128 * weight, 127 * weight);
  }
  return least > -(1 << 20) && most < 1 << 20 && folded.shift[c] <= 15;
}

}  // namespace

// Weights 128 more, as unsigned bytes, and biases that know. Sums wrap at 32 bits, hence so may the biases.
Constant unsigned_constants(Folded folded) {
  const size_t channels = folded.shift.size(), taps = folded.weights.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    if (sums_are_short(folded, c)) folded.shift[c] |= nn::short_sums;
    const auto first = folded.weights.begin() + static_cast<ptrdiff_t>(c * taps);
    const int64_t sum = std::accumulate(first, first + static_cast<ptrdiff_t>(taps), int64_t{0});
    folded.scales[2 * c] = static_cast<int32_t>(static_cast<uint32_t>(folded.scales[2 * c] - 128 * sum));
  }
  for (int8_t& weight : folded.weights) weight = static_cast<int8_t>(weight ^ -128);
  return packed_constants(folded, to_bytes(pack_by_four(folded.weights, channels)), 8);
}

namespace {

Call dense(const Problem& problem, const nn::Conv2d& s, const Folded& folded) {
  const nn::FullyConnected params{s.batches * s.out_height * s.out_width, s.in_channels, outputs_of(s)};
  Call call =
      make_call(nn::fully_connected_unsigned_s8, "fully_connected_unsigned_s8", "nn/fully_connected_unsigned.hpp",
                "FullyConnected", params, {input(0), constant(0), output(0)});
  call.constants = {unsigned_constants(folded)};
  call.order = pixel_order(problem, 1, false);
  call.estimate.own_saves = 0;
  return call;
}

Call blocks(const Problem& problem, const nn::Conv2d& s, const Folded& folded) {
  Call call = make_call(nn::conv2d_unsigned_s8, "conv2d_unsigned_s8", "nn/conv2d_unsigned.hpp", "PackedConv2d",
                        packed_shape(in_one_row(s)), {input(0), constant(0), output(0), scratch()});
  call.constants = {unsigned_constants(folded)};
  const auto taps = static_cast<int64_t>(folded.weights.size() / folded.shift.size());
  call.scratch_bytes = 4 * align_up(taps, 2);
  call.order = pixel_order(problem, 4, true);
  call.estimate = estimate_4x4(s, 2.75);
  return call;
}

}  // namespace

std::optional<Call> lower_unsigned(const Problem& problem, const nn::Conv2d& s, const Folded& folded) {
  if (s.out_channels > UINT16_MAX || s.group_channels != s.in_channels) return std::nullopt;
  if (few_rows(s)) return dense(problem, s, folded);
  return fits_fields(in_one_row(s)) ? std::optional(blocks(problem, s, folded)) : std::nullopt;
}

}  // namespace mote::convolution
