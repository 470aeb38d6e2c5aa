// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_sum.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mote::op {

namespace {

constexpr int32_t least = -128, most = 127, values = 256;

// What the offset of a * multiplier_a + b * multiplier_b may be for the results to be those of `expected`, which
// holds them for all a, and for each all b.
struct OffsetRange {
  int64_t low = INT64_MIN, high = INT64_MAX;  // both included
};

OffsetRange offsets_of(const nn::LinearSum& sum, const std::vector<int32_t>& expected) {
  OffsetRange range;
  const int64_t unit = int64_t{1} << sum.shift;
  for (int32_t a = least; a <= most; ++a) {
    const int32_t* const row = expected.data() + (a - least) * values;
    for (int32_t b = least; b <= most; ++b) {
      const int64_t products = int64_t{a} * sum.multiplier_a + int64_t{b} * sum.multiplier_b;
      const int32_t result = row[b - least];
      if (result > sum.low) range.low = std::max(range.low, result * unit - products);
      if (result < sum.high) range.high = std::min(range.high, (result + 1) * unit - 1 - products);
    }
  }
  return range;
}

// Whether no step exceeds 32 bits, whatever the bytes.
bool fits(const nn::LinearSum& sum) {
  const int64_t products = 128 * (std::abs(int64_t{sum.multiplier_a}) + std::abs(int64_t{sum.multiplier_b}));
  return products + std::abs(int64_t{sum.offset}) <= INT32_MAX;
}

}  // namespace

std::optional<nn::LinearSum> linear_sum(const LinearFunction& shape,
                                        const std::function<int32_t(int32_t, int32_t)>& function) {
  std::vector<int32_t> expected;
  expected.reserve(values * values);
  for (int32_t a = least; a <= most; ++a) {
    for (int32_t b = least; b <= most; ++b) expected.push_back(function(a, b));
  }
  // The more bits the multipliers have, the nearer they are; fewer leave the offset more room.
  const double reach = 128 * (std::abs(shape.real_a) + std::abs(shape.real_b)) + std::abs(shape.real_offset) + 1;
  const int bits = std::min(30, static_cast<int>(std::floor(std::log2(0x1p31 / reach))));
  for (int shift = bits; shift >= 8 && shift > bits - 3; --shift) {
    nn::LinearSum sum{static_cast<int32_t>(std::lround(std::ldexp(shape.real_a, shift))),
                      static_cast<int32_t>(std::lround(std::ldexp(shape.real_b, shift))),
                      0,
                      shift,
                      shape.low,
                      shape.high};
    const OffsetRange range = offsets_of(sum, expected);
    const int64_t low = std::max<int64_t>(range.low, INT32_MIN), high = std::min<int64_t>(range.high, INT32_MAX);
    if (low > high) continue;
    sum.offset = static_cast<int32_t>(low + (high - low) / 2);
    if (fits(sum)) return sum;
  }
  return std::nullopt;
}

}  // namespace mote::op
