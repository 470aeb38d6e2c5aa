// SPDX-License-Identifier: Apache-2.0
// Weights that are rounded by samples: what a channel's sums lose, and what whole networks do.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "ir/packed_i4.hpp"
#include "ops/convolution.hpp"
#include "quantize/observe.hpp"
#include "quantize/quantize.hpp"
#include "quantize/rounding.hpp"
#include "quantize/values.hpp"
#include "quantize/weight_scale.hpp"
#include "support/float_net.hpp"

namespace mote {
namespace {

using Fused = tflite::schema::ActivationFunctionType;
using test::FloatNet;

// Inputs whose neighbours resemble each other, as images' do, and are not 0 on average.
Values smooth_rows(size_t count, size_t taps, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Values rows;
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> row{normal(random)};
    while (row.size() < taps) row.push_back(0.9F * row.back() + 0.4F * normal(random) + 0.1F);
    rows.push_back(std::move(row));
  }
  return rows;
}

nn::Conv2d dense_shape(size_t taps) {
  nn::Conv2d shape{};
  shape.batches = shape.in_height = shape.in_width = shape.out_height = shape.out_width = 1;
  shape.kernel_height = shape.kernel_width = shape.stride_height = shape.stride_width = 1;
  shape.dilation_height = shape.dilation_width = 1;
  shape.in_channels = shape.group_channels = static_cast<int32_t>(taps);
  shape.out_channels = shape.group_outputs = 1;
  return shape;
}

std::vector<double> random_weights(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> weights(count);
  for (double& weight : weights) weight = normal(random);
  return weights;
}

// The mean square of what the sum loses, and its mean.
struct Loss {
  double square = 0, mean = 0;
};

Loss loss(const Values& wanted, const Values& seen, const std::vector<double>& weights,
          const std::vector<int8_t>& integers, double scale, double bias) {
  Loss result;
  for (size_t i = 0; i < seen.size(); ++i) {
    double difference = -bias;
    for (size_t k = 0; k < weights.size(); ++k)
      difference +=
          weights[k] * static_cast<double>(wanted[i][k]) - scale * integers[k] * static_cast<double>(seen[i][k]);
    result.square += difference * difference / static_cast<double>(seen.size());
    result.mean += difference / static_cast<double>(seen.size());
  }
  return result;
}

TEST(ChannelRounder, LosesMuchLessThanTheNearestIntegersOnNewSamplesToo) {
  constexpr size_t taps = 40;
  const Values samples = smooth_rows(300, taps, 1), others = smooth_rows(300, taps, 2);
  const ChannelRounder rounder(input_moments(dense_shape(taps), samples, samples).groups.at(0));
  for (const WeightKind kind : {WeightKind::bytes, WeightKind::nibbles, WeightKind::ternary}) {
    const std::vector<double> weights = random_weights(taps, 3);
    const auto scale = static_cast<float>(weight_scale(weights, kind, false));
    const RoundedChannel rounded = rounder.round(weights, {.kind = kind, .scale = scale});
    std::vector<int8_t> nearest;
    for (const double weight : weights)
      nearest.push_back(static_cast<int8_t>(integer_weight(weight, static_cast<double>(scale), kind)));
    const Loss seen =
        loss(samples, samples, weights, rounded.integers, static_cast<double>(rounded.scale), rounded.bias);
    EXPECT_NEAR(seen.mean, 0, 1e-5);
    EXPECT_LE(seen.square, rounded.error + 1e-6) << "the error counts the damping, too";
    const double plain = loss(others, others, weights, nearest, static_cast<double>(scale), 0).square;
    EXPECT_LT(
        loss(others, others, weights, rounded.integers, static_cast<double>(rounded.scale), rounded.bias).square,
        plain / 2)
        << largest_integer(kind);
    for (const int8_t integer : rounded.integers) EXPECT_LE(std::abs(integer), largest_integer(kind));
  }
}

// Of few weights there are few roundings: all are tried.
double least_error(const Moments& moments, const std::vector<double>& weights, double scale, double damping) {
  double least = std::numeric_limits<double>::infinity();
  for (int code = 0; code < 81; ++code) {
    std::vector<double> error;
    for (int k = 0, rest = code; k < 4; ++k, rest /= 3)
      error.push_back(weights[static_cast<size_t>(k)] - scale * (rest % 3 - 1));
    double sum = 0;
    for (size_t a = 0; a < 4; ++a) {
      for (size_t b = 0; b < 4; ++b)
        sum += error[a] * error[b] * (moments.seen[a * 4 + b] + (a == b ? damping : 0));
    }
    least = std::min(least, sum);
  }
  return least;
}

TEST(ChannelRounder, FindsIntegersNearTheBestOfAFewWeights) {
  constexpr size_t taps = 4;
  const Values samples = smooth_rows(100, taps, 5);
  const Moments moments = input_moments(dense_shape(taps), samples, samples).groups.at(0);
  const double variance = (moments.seen[0] + moments.seen[5] + moments.seen[10] + moments.seen[15]) / 4;
  const ChannelRounder rounder(moments);
  double found = 0, best = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::vector<double> weights = random_weights(taps, 10 + seed);
    const RoundedChannel rounded =
        rounder.round(weights, {.kind = WeightKind::ternary, .scale = 0.8F, .fixed = true});
    EXPECT_EQ(rounded.scale, 0.8F);
    const double least =
        least_error(moments, weights, static_cast<double>(0.8F), (0.01 + 0.3 * 4 / 100) * variance);
    EXPECT_GE(rounded.error, least - 1e-9) << seed;
    found += rounded.error, best += least;
  }
  EXPECT_LT(found, 1.25 * best);
}

TEST(ChannelRounder, MakesUpForInputsThatAreRoundedAlready) {
  constexpr size_t taps = 12;
  const Values wanted = smooth_rows(400, taps, 7);
  Values seen = wanted;
  for (std::vector<float>& row : seen) {
    for (float& value : row) value = 0.8F * value + 0.3F;  // what earlier layers made of it
  }
  const std::vector<double> weights = random_weights(taps, 8);
  const auto scale = static_cast<float>(weight_scale(weights, WeightKind::bytes, false) * 1.3);
  const auto lost = [&](const Values& real) {
    const ChannelRounder rounder(input_moments(dense_shape(taps), real, seen).groups.at(0));
    const RoundedChannel rounded = rounder.round(weights, {.kind = WeightKind::bytes, .scale = scale});
    return loss(wanted, seen, weights, rounded.integers, static_cast<double>(rounded.scale), rounded.bias).square;
  };
  EXPECT_LT(lost(wanted), lost(seen) / 20);
}

TEST(InputMoments, AreThoseOfWindowsWithZerosOutside) {
  nn::Conv2d shape = dense_shape(1);
  shape.in_height = shape.in_width = shape.out_height = shape.out_width = 2;
  shape.kernel_height = shape.kernel_width = 2;
  shape.in_channels = 2, shape.out_channels = 4, shape.group_outputs = 2;
  const Values image{{1, 10, 2, 20, 3, 30, 4, 40}};  // behind the last row and column lies padding
  const LayerMoments moments = input_moments(shape, image, image);
  ASSERT_EQ(moments.groups.size(), 2U);
  EXPECT_EQ(moments.group_outputs, 2U);
  EXPECT_EQ(moments.groups[0].seen_mean, (std::vector<double>{2.5, 1.5, 1.75, 1}));
  EXPECT_EQ(moments.groups[1].seen_mean, (std::vector<double>{25, 15, 17.5, 10}));
  // Tap 0 is 1, 2, 3, 4 and tap 1 is 2, 0, 4, 0: E[xy] - E[x] E[y] = 14/4 - 2.5 * 1.5.
  EXPECT_DOUBLE_EQ(moments.groups[0].seen[1], 14.0 / 4 - 2.5 * 1.5);
  EXPECT_DOUBLE_EQ(moments.groups[0].joint[4], 14.0 / 4 - 2.5 * 1.5);
}

// Layers of every kind; a first convolution whose channels depend on each other, so that there is something to
// take up.
Graph net_of_all_kinds() {
  FloatNet net(61);
  const int x = net.input({1, 10, 10, 2});
  const int a = net.conv(x, 12, 3, Fused::RELU);
  const int b = net.conv(net.depthwise(a, 3, Fused::RELU), 10, 1, Fused::RELU);
  const int c = net.pool(b, tflite::schema::BuiltinOperator::AVERAGE_POOL_2D, 2);
  return net.graph({net.dense(net.reshape(c, {1, 250}), 6, Fused::NONE)});
}

Samples smooth_samples(const Graph& graph, size_t count, unsigned seed) {
  Samples samples;
  for (std::vector<float>& row : smooth_rows(count, 200, seed)) samples.inputs.push_back({to_bytes(row)});
  EXPECT_EQ(byte_size(graph.tensors[graph.inputs[0]].type), 800);
  return samples;
}

double error_of(const Graph& graph, const QuantizedModel& made, const Samples& samples) {
  const Graph& integer = made.integer.graph;
  const auto real = run_samples(graph, samples),
             found = run_samples(integer, integer_samples(integer, graph, samples));
  double sum = 0;
  for (size_t s = 0; s < real.size(); ++s) {
    const auto expected = to_values<float>(real[s][0]);
    const auto values = real_values(integer.tensors[integer.outputs[0]].type, found[s][0]);
    for (size_t i = 0; i < values.size(); ++i) sum += std::pow(values[i] - static_cast<double>(expected[i]), 2);
  }
  return sum;
}

TEST(Quantize, CalibratedRoundingIsNearerToTheFloatModelOnNewSamples) {
  const Graph graph = net_of_all_kinds();
  const Samples samples = smooth_samples(graph, 100, 1), others = smooth_samples(graph, 100, 2);
  for (const WeightKind kind : {WeightKind::nibbles, WeightKind::ternary}) {
    QuantizeOptions options;
    options.narrow = {{kind, "*"}};
    options.rounding = WeightRounding::nearest;
    options.correct_bias = true;
    const double nearest = error_of(graph, quantize(graph, samples, options), others);
    options.rounding = WeightRounding::narrow;
    options.correct_bias = false;
    const QuantizedModel made = quantize(graph, samples, options);
    EXPECT_LT(error_of(graph, made, others), nearest / 2) << largest_integer(kind);
    EXPECT_EQ(quantize(graph, samples, options).file, made.file) << "the same model again";
    EXPECT_TRUE(made.notes.empty());
    for (const Node& node : made.integer.graph.nodes) {
      if (dynamic_cast<const WeightedSum*>(node.op.get()) == nullptr) continue;
      for (const int8_t value : to_values<int8_t>(unpacked_i4(made.integer.graph.tensors[node.in[1]]).data))
        EXPECT_LE(std::abs(value), largest_integer(kind));
    }
  }
}

TEST(Quantize, NarrowRoundingLeavesOtherLayersAsTheyAre) {
  const Graph graph = net_of_all_kinds();
  const Samples samples = smooth_samples(graph, 50, 1);
  QuantizeOptions options;
  options.rounding = WeightRounding::nearest;
  const Bytes nearest = quantize(graph, samples, options).file;
  options.rounding = WeightRounding::narrow;
  EXPECT_EQ(quantize(graph, samples, options).file, nearest) << "no layer is narrow";
  options.rounding = WeightRounding::calibrated;
  EXPECT_NE(quantize(graph, samples, options).file, nearest);
  options.narrow = {{WeightKind::nibbles, "FULLY_CONNECTED*"}};
  const auto first_weights = [&](WeightRounding rounding) {
    options.rounding = rounding;
    const Graph integer = quantize(graph, samples, options).integer.graph;
    return integer.tensors[integer.nodes[0].in[1]].data;
  };
  EXPECT_EQ(first_weights(WeightRounding::narrow), first_weights(WeightRounding::nearest));
  EXPECT_NE(first_weights(WeightRounding::calibrated), first_weights(WeightRounding::nearest));
}

// The layer gets a bias, which takes up the mean of what the rounding changes.
TEST(Quantize, CalibratedRoundingWorksInEveryScheme) {
  const Graph graph = net_of_all_kinds();
  const Samples samples = smooth_samples(graph, 50, 1);
  for (int variant = 0; variant < 5; ++variant) {
    QuantizeOptions options;
    options.rounding = WeightRounding::calibrated;
    if (variant == 1) options.power_of_two = true;
    if (variant == 2) options.activations = DType::i16;
    if (variant == 3) options.keep_float_io = true;
    if (variant == 4) options.equalize = true;
    options.narrow = {{WeightKind::nibbles, "CONV_2D*"}};
    const QuantizedModel made = quantize(graph, samples, options);  // checks that the file computes the same
    options.rounding = WeightRounding::nearest;
    const QuantizedModel nearest = quantize(graph, samples, options);
    EXPECT_LT(error_of(graph, made, samples), error_of(graph, nearest, samples)) << variant;
    if (!options.power_of_two) continue;
    for (const Tensor& tensor : made.integer.graph.tensors) {
      for (const float scale : tensor.type.quant.scale) EXPECT_EQ(std::log2(scale), std::round(std::log2(scale)));
    }
  }
}

}  // namespace
}  // namespace mote
