// SPDX-License-Identifier: Apache-2.0
// From the values that a tensor took to the range that its integers shall cover, and from a range to a scale and a
// zero point. Knows no graph.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/types.hpp"

namespace mote {

struct Range {
  double low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

// How many values fell into each of equally wide bins from low to high.
struct Histogram {
  double low = 0, high = 0;
  std::vector<uint64_t> counts;

  void add(double value);
  [[nodiscard]] double bin_width() const { return (high - low) / static_cast<double>(counts.size()); }
  [[nodiscard]] double center(size_t bin) const { return low + (static_cast<double>(bin) + 0.5) * bin_width(); }
};

enum class RangeMethod {
  minmax,      // all values
  percentile,  // all but a share of them at either end
  mse,         // the range whose integers are nearest to the values, by the mean of squares
  entropy,     // the range whose integers' distribution is nearest to the values', by relative entropy
};

[[nodiscard]] RangeMethod parse_range_method(std::string_view text);

struct RangeOptions {
  RangeMethod method = RangeMethod::minmax;
  double percentile = 99.99;  // of the values lie in the range; half of the rest is left out at either end
};

// A range within the histogram's; 0 lies in it. `dtype`: i8 or i16, whose integers shall cover it.
[[nodiscard]] Range choose_range(const Histogram& histogram, const RangeOptions& options, DType dtype);

// Scale and zero point so that the integers of `dtype` cover the range and 0 is one of them, as TensorFlow Lite's
// converter chooses them; i16 is symmetric. `power_of_two`: the next larger power of two as scale.
[[nodiscard]] Quantization quantization_of(const Range& range, DType dtype, bool power_of_two = false);

// The integers of `dtype`: the real values of the lowest and the highest.
[[nodiscard]] Range covered(const Quantization& quant, DType dtype);

}  // namespace mote
