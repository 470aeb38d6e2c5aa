// SPDX-License-Identifier: Apache-2.0
#include "quantize/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace mote {

namespace {

struct Integers {
  double low = 0, high = 0;
};

Integers integers_of(DType dtype) { return dtype == DType::i16 ? Integers{-32768, 32767} : Integers{-128, 127}; }

// The edge below which `skipped` of the values lie, to the precision of a bin.
Range percentile_range(const Histogram& histogram, double percentile) {
  const double total =
      static_cast<double>(std::accumulate(histogram.counts.begin(), histogram.counts.end(), uint64_t{0}));
  const double skipped = total * (100 - percentile) / 200;
  const size_t bins = histogram.counts.size();
  size_t low = 0, high = bins;
  double below = 0, above = 0;
  while (low < bins && below + static_cast<double>(histogram.counts[low]) <= skipped)
    below += static_cast<double>(histogram.counts[low++]);
  while (high > low && above + static_cast<double>(histogram.counts[high - 1]) <= skipped)
    above += static_cast<double>(histogram.counts[--high]);
  if (high <= low) return {histogram.low, histogram.high};
  return {histogram.low + static_cast<double>(low) * histogram.bin_width(),
          histogram.low + static_cast<double>(high) * histogram.bin_width()};
}

double squared_error(const Histogram& histogram, const Range& range, DType dtype) {
  const Quantization quant = quantization_of(range, dtype);
  const Range ends = covered(quant, dtype);
  const auto scale = static_cast<double>(quant.scale[0]);
  double sum = 0;
  for (size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    if (histogram.counts[bin] == 0) continue;
    const double value = histogram.center(bin);
    const double error = std::clamp(std::nearbyint(value / scale) * scale, ends.low, ends.high) - value;
    sum += static_cast<double>(histogram.counts[bin]) * error * error;
  }
  return sum;
}

// Each end in turn takes the best of `steps` places towards 0, the other one fixed, twice.
Range mse_range(const Histogram& histogram, DType dtype) {
  constexpr int steps = 100;
  Range best{histogram.low, histogram.high};
  double least = squared_error(histogram, best, dtype);
  for (int round = 0; round < 2; ++round) {
    for (double Range::*const end : {&Range::high, &Range::low}) {
      const double whole = end == &Range::high ? histogram.high : histogram.low;
      for (int step = 1; step < steps && whole != 0; ++step) {
        Range tried = best;
        tried.*end = whole * step / steps;
        const double error = squared_error(histogram, tried, dtype);
        if (error < least) least = error, best = tried;
      }
    }
  }
  return best;
}

// The relative entropy of the values clipped to the range and of their quantised distribution, as TensorRT's
// calibration defines it: each level spreads its count over the bins of it that hold something.
double relative_entropy(const Histogram& histogram, const Range& range, DType dtype) {
  const Quantization quant = quantization_of(range, dtype);
  const Range ends = covered(quant, dtype);
  const auto scale = static_cast<double>(quant.scale[0]);
  const size_t bins = histogram.counts.size();
  std::vector<double> clipped(bins, 0);
  std::vector<int64_t> level(bins, 0);
  size_t first = bins, last = 0;
  for (size_t bin = 0; bin < bins; ++bin) {
    const double value = histogram.center(bin);
    if (value < ends.low - scale / 2 || value > ends.high + scale / 2) continue;
    first = std::min(first, bin), last = bin;
    level[bin] = static_cast<int64_t>(std::nearbyint(std::clamp(value, ends.low, ends.high) / scale));
  }
  if (first >= last) return INFINITY;
  double total = 0;
  for (size_t bin = 0; bin < bins; ++bin) {
    const auto count = static_cast<double>(histogram.counts[bin]);
    clipped[std::clamp(bin, first, last)] += count;
    total += count;
  }
  double entropy = 0;
  for (size_t begin = first, end = first; begin <= last; begin = end) {
    double count = 0, occupied = 0;
    for (end = begin; end <= last && level[end] == level[begin]; ++end) {
      count += static_cast<double>(histogram.counts[end]);  // what was clipped is no part of it
      occupied += clipped[end] > 0 ? 1 : 0;
    }
    for (size_t bin = begin; bin < end; ++bin) {
      if (clipped[bin] == 0) continue;
      const double spread = std::max(count / occupied, 1e-3);
      entropy += clipped[bin] / total * std::log(clipped[bin] / spread);
    }
  }
  return entropy;
}

// Zeros, of which a ReLU gives many, are integers whatever the range is: their bin counts as its neighbour.
Histogram without_zeros(Histogram histogram) {
  if (histogram.low > 0 || histogram.high <= 0 || histogram.counts.size() < 2) return histogram;
  const auto zero = static_cast<size_t>(-histogram.low / histogram.bin_width());
  if (zero < histogram.counts.size())
    histogram.counts[zero] = histogram.counts[zero + 1 < histogram.counts.size() ? zero + 1 : zero - 1];
  return histogram;
}

// Fewer, wider bins.
Histogram merged(const Histogram& histogram, size_t bins) {
  const size_t each = (histogram.counts.size() + bins - 1) / bins;
  if (each < 2 || histogram.counts.size() % each != 0) return histogram;
  Histogram result{histogram.low, histogram.high, std::vector<uint64_t>(histogram.counts.size() / each)};
  for (size_t bin = 0; bin < histogram.counts.size(); ++bin) result.counts[bin / each] += histogram.counts[bin];
  return result;
}

// Two bins an integer: more would punish values that occur often (a background) for not being spread.
constexpr size_t entropy_bins = 512;

// Both ends move towards 0 together.
Range entropy_range(const Histogram& all, DType dtype) {
  constexpr int steps = 128;
  const Histogram histogram = without_zeros(merged(all, entropy_bins));
  Range best{histogram.low, histogram.high};
  double least = INFINITY;
  for (int step = steps / 8; step <= steps; ++step) {
    const Range tried{histogram.low * step / steps, histogram.high * step / steps};
    const double entropy = relative_entropy(histogram, tried, dtype);
    if (entropy < least) least = entropy, best = tried;
  }
  return best;
}

}  // namespace

void Histogram::add(double value) {
  const double place = high > low ? (value - low) / bin_width() : 0;
  const auto last = static_cast<double>(counts.size() - 1);
  ++counts[static_cast<size_t>(std::clamp(place, 0.0, last))];
}

RangeMethod parse_range_method(std::string_view text) {
  if (text == "minmax") return RangeMethod::minmax;
  if (text == "percentile") return RangeMethod::percentile;
  if (text == "mse") return RangeMethod::mse;
  if (text == "entropy") return RangeMethod::entropy;
  fail("--range '{}' is none of minmax, percentile, mse, entropy", text);
}

Range choose_range(const Histogram& histogram, const RangeOptions& options, DType dtype) {
  Range range{histogram.low, histogram.high};
  switch (options.method) {
    case RangeMethod::minmax: break;
    case RangeMethod::percentile: range = percentile_range(histogram, options.percentile); break;
    case RangeMethod::mse: range = mse_range(histogram, dtype); break;
    case RangeMethod::entropy: range = entropy_range(histogram, dtype); break;
  }
  return {std::min(range.low, 0.0), std::max(range.high, 0.0)};
}

Quantization quantization_of(const Range& range, DType dtype, bool power_of_two) {
  const Integers integers = integers_of(dtype);
  const double low = std::min(range.low, 0.0), high = std::max(range.high, 0.0);
  double scale =
      dtype == DType::i16 ? std::max(-low, high) / integers.high : (high - low) / (integers.high - integers.low);
  if (scale == 0) scale = 1.0 / 256;  // nothing but zeros: any scale will do
  scale = std::max(scale, 1e-10);
  if (power_of_two) scale = std::exp2(std::ceil(std::log2(scale)));
  const auto stored = static_cast<float>(scale);
  if (dtype == DType::i16) return {{stored}, {0}, -1};
  const double zero = std::nearbyint(integers.low - low / scale);
  return {{stored}, {static_cast<int32_t>(std::clamp(zero, integers.low, integers.high))}, -1};
}

Range covered(const Quantization& quant, DType dtype) {
  const Integers integers = integers_of(dtype);
  const auto scale = static_cast<double>(quant.scale.at(0));
  const int32_t zero = quant.zero.at(0);
  return {scale * (integers.low - zero), scale * (integers.high - zero)};
}

}  // namespace mote
