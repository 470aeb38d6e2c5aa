// SPDX-License-Identifier: Apache-2.0
// Ranges of activations against values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/ranges.hpp"

namespace mote {
namespace {

Histogram histogram_of(const std::vector<double>& values, size_t bins) {
  Histogram histogram{0, 0, std::vector<uint64_t>(bins)};
  for (const double value : values) {
    histogram.low = std::min(histogram.low, value);
    histogram.high = std::max(histogram.high, value);
  }
  for (const double value : values) histogram.add(value);
  return histogram;
}

TEST(Histogram, CountsIntoEqualBinsAndKeepsTheEnds) {
  const Histogram histogram = histogram_of({-1, -0.9, 0, 0.1, 3}, 4);
  EXPECT_EQ(histogram.counts, (std::vector<uint64_t>{2, 2, 0, 1}));
  EXPECT_EQ(histogram.center(0), -0.5);
}

TEST(Quantization, CoversTheRangeWithZeroAmongTheIntegers) {
  // 255 steps over 25.5: scale 0.1; 0 is 50 steps above the low end.
  Quantization quant = quantization_of({-5, 20.5}, DType::i8);
  EXPECT_EQ(quant.scale, std::vector<float>{0.1F});
  EXPECT_EQ(quant.zero, std::vector<int32_t>{-78});
  // A range beside 0 grows to it.
  quant = quantization_of({2, 2.55}, DType::i8);
  EXPECT_EQ(quant.scale, std::vector<float>{0.01F});
  EXPECT_EQ(quant.zero, std::vector<int32_t>{-128});
  quant = quantization_of({-2.55, -1}, DType::i8);
  EXPECT_EQ(quant.zero, std::vector<int32_t>{127});
  quant = quantization_of({-1, 3.2767}, DType::i16);
  EXPECT_EQ(quant.scale, std::vector<float>{0.0001F});
  EXPECT_EQ(quant.zero, std::vector<int32_t>{0});
  EXPECT_GT(quantization_of({0, 0}, DType::i8).scale[0], 0.0F);
}

TEST(Quantization, OfAPowerOfTwoIsTheNextLargerOne) {
  const Quantization quant = quantization_of({-5, 20.5}, DType::i8, true);
  EXPECT_EQ(quant.scale, std::vector<float>{0.125F});
  const Range ends = covered(quant, DType::i8);
  EXPECT_LE(ends.low, -5);
  EXPECT_GE(ends.high, 20.5);
}

TEST(Range, OfAllValues) {
  EXPECT_EQ(choose_range(histogram_of({-1, 2, 7}, 16), {}, DType::i8), (Range{-1, 7}));
  EXPECT_EQ(choose_range(histogram_of({1, 2, 8}, 16), {}, DType::i8), (Range{0, 8}));
}

TEST(Range, OfAPercentileLeavesOutHalfOfTheRestAtEitherEnd) {
  // 1000 values 0.5, 1.5, ..., 99.5 ten times each, in bins of 1 from 0 to 100 (one more value makes the end).
  Histogram histogram{0, 100, std::vector<uint64_t>(100, 10)};
  // 98 %: ten values at either end go, which is one bin.
  EXPECT_EQ(choose_range(histogram, {RangeMethod::percentile, 98}, DType::i8), (Range{0, 99}));
  histogram.low = -100;  // the same bins from -100 to 100, two wide
  EXPECT_EQ(choose_range(histogram, {RangeMethod::percentile, 98}, DType::i8), (Range{-98, 98}));
  // 99 %: five values are less than a bin, nothing goes.
  EXPECT_EQ(choose_range(histogram, {RangeMethod::percentile, 99}, DType::i8), (Range{-100, 100}));
  EXPECT_EQ(choose_range(histogram, {RangeMethod::percentile, 100}, DType::i8), (Range{-100, 100}));
}

double mean_square(const std::vector<double>& values, const Range& range) {
  const Quantization quant = quantization_of(range, DType::i8);
  const Range ends = covered(quant, DType::i8);
  double sum = 0;
  for (const double value : values) {
    const auto scale = static_cast<double>(quant.scale[0]);
    const double error = std::clamp(std::round(value / scale) * scale, ends.low, ends.high) - value;
    sum += error * error;
  }
  return sum;
}

std::vector<double> with_outlier(size_t count, double outlier) {
  std::mt19937 random(7);
  std::vector<double> values{outlier};
  for (size_t i = 1; i < count; ++i) values.push_back(std::generate_canonical<double, 30>(random));
  return values;
}

TEST(Range, OfLeastSquaresGivesUpALoneOutlier) {
  // 9999 values in [0, 1) and one at 4: clipping it costs (4 - h)^2, covering it (4 / 255)^2 / 12 for each value,
  // 0.2 in all, so no clipping pays; at 10^6 values covering costs 20 against 9: the range ends near 1.
  const std::vector<double> few = with_outlier(10000, 4);
  const Range kept = choose_range(histogram_of(few, 4096), {RangeMethod::mse}, DType::i8);
  EXPECT_GT(kept.high, 3.8);
  const std::vector<double> many = with_outlier(1000000, 4);
  const Range cut = choose_range(histogram_of(many, 4096), {RangeMethod::mse}, DType::i8);
  // d/dh of (4 - h)^2 + 10^6 h^2 / (12 * 255^2) is 0 at h = 4 / 2.28 = 1.75.
  EXPECT_NEAR(cut.high, 1.75, 0.15);
  EXPECT_LT(mean_square(many, cut), 0.8 * mean_square(many, {0, 4}));
}

TEST(Range, OfEntropyKeepsAUniformDistributionAndCutsALongTail) {
  std::vector<double> uniform;
  for (int i = 0; i < 40960; ++i) uniform.push_back((i + 0.5) / 40960);
  EXPECT_GT(choose_range(histogram_of(uniform, 4096), {RangeMethod::entropy}, DType::i8).high, 0.98);
  std::mt19937 random(5);
  std::exponential_distribution<double> distribution(8.0);
  std::vector<double> tail{10};
  for (int i = 0; i < 200000; ++i) tail.push_back(std::min(10.0, distribution(random)));
  const Range range = choose_range(histogram_of(tail, 4096), {RangeMethod::entropy}, DType::i8);
  EXPECT_LT(range.high, 4);
  EXPECT_GT(range.high, 0.3);  // three quarters of the values lie below 0.17
}

TEST(Range, MethodsHaveNames) {
  EXPECT_EQ(parse_range_method("mse"), RangeMethod::mse);
  try {
    (void)parse_range_method("max");
    ADD_FAILURE();
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(), "--range 'max' is none of minmax, percentile, mse, entropy");
  }
}

}  // namespace
}  // namespace mote
