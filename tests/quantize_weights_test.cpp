// SPDX-License-Identifier: Apache-2.0
// Weights of few values, powers of two as scales, equalisation, bias correction and 16-bit activations.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "ir/packed_i4.hpp"
#include "quantize/compare.hpp"
#include "quantize/constants.hpp"
#include "quantize/equalize.hpp"
#include "quantize/observe.hpp"
#include "quantize/quantize.hpp"
#include "quantize/values.hpp"
#include "quantize/weight_scale.hpp"
#include "support/float_net.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using Fused = tflite::schema::ActivationFunctionType;
using test::FloatNet;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(WeightScale, OfBytesIsTheLargestOver127) {
  EXPECT_DOUBLE_EQ(weight_scale(std::vector<double>{0.5, -2.54, 1}, WeightKind::bytes, false), 0.02);
  EXPECT_EQ(weight_scale(std::vector<double>{0, 0}, WeightKind::bytes, false), 0);
}

TEST(WeightScale, OfTernaryWeightsIsTheBestThereIs) {
  // 1 alone: 1^2 = 1. 1 and 0.9: 1.9^2 / 2 = 1.805. All: 2^2 / 3 = 1.33.
  EXPECT_DOUBLE_EQ(weight_scale(std::vector<double>{0.1, -1, 0.9}, WeightKind::ternary, false), 0.95);
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> weights(50);
  for (double& weight : weights) weight = normal(random);
  const auto error = [&](double scale) {
    double sum = 0;
    for (const double weight : weights)
      sum += std::pow(weight - scale * integer_weight(weight, scale, WeightKind::ternary), 2);
    return sum;
  };
  const double best = error(weight_scale(weights, WeightKind::ternary, false));
  for (int i = 1; i < 400; ++i) EXPECT_GE(error(i / 100.0), best - 1e-12) << i;
}

TEST(WeightScale, OfNibblesClipsWhereThatIsNearer) {
  std::vector<double> exact;
  for (int i = -7; i <= 7; ++i) exact.push_back(0.25 * i);
  EXPECT_DOUBLE_EQ(weight_scale(exact, WeightKind::nibbles, false), 0.25);
  // A thousand weights up to 0.7 and one of 1: covering it costs each of them (1/7)^2 / 12.
  std::vector<double> outlier{1};
  for (int i = 0; i < 1000; ++i) outlier.push_back(0.7 * i / 1000);
  const double scale = weight_scale(outlier, WeightKind::nibbles, false);
  EXPECT_LT(scale, 0.9 / 7);
  EXPECT_GT(scale, 0.6 / 7);
}

TEST(WeightScale, OfAPowerOfTwoIsTheNearerOne) {
  EXPECT_DOUBLE_EQ(weight_scale(std::vector<double>{127 * 0.26}, WeightKind::bytes, true), 0.5);
  EXPECT_DOUBLE_EQ(weight_scale(std::vector<double>{-0.55, 0.5}, WeightKind::ternary, true), 0.5);
}

TEST(WeightScale, IntegersStayWithinTheirKind) {
  EXPECT_EQ(integer_weight(-5, 0.01, WeightKind::bytes), -127);
  EXPECT_EQ(integer_weight(0.8, 0.1, WeightKind::nibbles), 7);
  EXPECT_EQ(integer_weight(0.049, 0.1, WeightKind::ternary), 0);
  EXPECT_EQ(integer_weight(-0.051, 0.1, WeightKind::ternary), -1);
}

TEST(NarrowWeights, HaveAKindAndAPattern) {
  EXPECT_EQ(parse_narrow_weights("4bit:conv*").kind, WeightKind::nibbles);
  EXPECT_EQ(parse_narrow_weights("ternary:a:b").pattern, "a:b");
  EXPECT_EQ(
      error_of([] { (void)parse_narrow_weights("2bit:x"); }),
      "--weights '2bit:x' is neither 4bit:PATTERN nor ternary:PATTERN; PATTERN is a layer's name, * any text");
  EXPECT_EQ(error_of([] { (void)parse_narrow_weights("4bit:"); }).substr(0, 17), "--weights '4bit:'");
}

TEST(NarrowWeights, PatternsFitWholeNames) {
  for (const char* const pattern : {"conv/1", "conv*", "*1", "c*v/?", "*", "**n*1", "conv/1*"})
    EXPECT_TRUE(fits(pattern, "conv/1")) << pattern;
  for (const char* const pattern : {"conv", "onv/1", "", "?", "c*2", "conv/1?", "*x*"})
    EXPECT_FALSE(fits(pattern, "conv/1")) << pattern;
  EXPECT_TRUE(fits("", ""));
}

struct Net {
  Graph graph;
  Samples samples;
};

// Two convolutions, a pool and a dense layer; the channels between the convolutions differ by up to 100 times.
Net uneven_net() {
  FloatNet net(31);
  const int x = net.input({1, 8, 8, 2});
  const int a = net.conv(x, 4, 3, Fused::RELU);
  const int b = net.depthwise(a, 3, Fused::RELU);
  const int c = net.conv(net.pool(b, tflite::schema::BuiltinOperator::MAX_POOL_2D, 2), 5, 1, Fused::NONE);
  Graph graph = net.graph({net.dense(net.reshape(c, {1, 80}), 3, Fused::NONE)});
  Tensor& weights = graph.tensors[graph.nodes[1].in[1]];
  std::vector<float> values = to_values<float>(weights.data);
  for (size_t i = 0; i < values.size(); ++i) values[i] *= std::pow(100.0F, static_cast<float>(i % 4) / 3);
  weights.data = to_bytes(values);
  Samples samples = test::random_samples(graph, 30, -1, 1);
  return {std::move(graph), std::move(samples)};
}

const Tensor& weights_of(const Graph& graph, size_t node) { return graph.tensors[graph.nodes[node].in[1]]; }

TEST(Quantize, NarrowWeightsGoToTheLayersThatThePatternNames) {
  const Net net = uneven_net();
  QuantizeOptions options;
  options.narrow = {{WeightKind::nibbles, "*"}, {WeightKind::ternary, "DEPTHWISE*"}};
  const Graph integer = quantize(net.graph, net.samples, options).integer.graph;
  const auto largest = [&](size_t node) {
    int most = 0;
    for (const int8_t value : to_values<int8_t>(unpacked_i4(weights_of(integer, node)).data))
      most = std::max(most, std::abs(value));
    return most;
  };
  EXPECT_EQ(largest(0), 7);
  EXPECT_EQ(largest(1), 1);
  EXPECT_EQ(integer.nodes.back().op->name(), "fully_connected");
  EXPECT_EQ(largest(integer.nodes.size() - 1), 7);
  EXPECT_EQ(weights_of(integer, integer.nodes.size() - 1).type.quant.scale.size(), 3U) << "a scale a channel";
  options.narrow = {{WeightKind::ternary, "none"}};
  EXPECT_EQ(error_of([&] { (void)quantize(net.graph, net.samples, options); }),
            "--weights: 'none' is the name of no layer with weights; there are\n  CONV_2D #0 (t3)\n"
            "  DEPTHWISE_CONV_2D #1 (t6)\n  CONV_2D #3 (t10)\n  FULLY_CONNECTED #5 (t15)");
}

// The types of the weights in the file: of a convolution, a depthwise one, one more and a dense layer.
std::vector<DType> stored_types(const Net& net, const QuantizeOptions& options, size_t* bytes = nullptr) {
  const QuantizedModel made = quantize(net.graph, net.samples, options);
  if (bytes != nullptr) *bytes = made.file.size();
  std::vector<DType> types;
  const Graph read = import_model(made.file, "net");
  for (const Node& node : read.nodes) {
    if (node.in.size() == 3) types.push_back(read.tensors[node.in[1]].type.dtype);
  }
  return types;
}

TEST(Quantize, NarrowWeightsAreInt4WhereTheInterpretersReadIt) {
  const Net net = uneven_net();
  QuantizeOptions options;
  const DType i8 = DType::i8, i4 = DType::i4;
  EXPECT_EQ(stored_types(net, options), std::vector(4, i8));
  options.narrow = {{WeightKind::nibbles, "*"}, {WeightKind::ternary, "DEPTHWISE*"}};
  size_t common = 0, most = 0, none = 0;
  EXPECT_EQ(stored_types(net, options, &common), (std::vector{i4, i4, i4, i8})) << "a dense layer has scales";
  options.int4 = Int4Tensors::litert;
  EXPECT_EQ(stored_types(net, options, &most), std::vector(4, i4));
  options.int4 = Int4Tensors::none;
  EXPECT_EQ(stored_types(net, options, &none), std::vector(4, i8));
  EXPECT_LT(common, none);
  EXPECT_LT(most, common - 100) << "240 weights of the dense layer";
  options.int4 = Int4Tensors::litert, options.activations = DType::i16;
  EXPECT_EQ(stored_types(net, options), std::vector(4, i8));
}

TEST(Quantize, Int4TensorsComputeWhatInt8TensorsDo) {
  const Net net = uneven_net();
  QuantizeOptions options;
  options.narrow = {{WeightKind::nibbles, "*"}};
  const auto outputs = [&](Int4Tensors where) {
    options.int4 = where;
    const Graph read = import_model(quantize(net.graph, net.samples, options).file, "net");
    return run_samples(read, integer_samples(read, net.graph, net.samples));
  };
  const auto bytes = outputs(Int4Tensors::none);
  EXPECT_EQ(outputs(Int4Tensors::common), bytes);
  EXPECT_EQ(outputs(Int4Tensors::litert), bytes);
}

TEST(PackedI4, HoldsTheValuesInPairs) {
  const Tensor bytes{"w", {DType::i8, {3}, {{0.5F}, {0}, -1}}, to_bytes(std::vector<int8_t>{-8, 7, -1})};
  const Tensor packed = packed_i4(bytes);
  EXPECT_EQ(to_values<uint8_t>(packed.data), (std::vector<uint8_t>{0x78, 0x0F}));
  EXPECT_EQ(unpacked_i4(packed).data, bytes.data);
  EXPECT_EQ(error_of([&] {
              (void)packed_i4({"w", bytes.type, to_bytes(std::vector<int8_t>{8, 0, 0})});
            }),
            "'w' holds 8, which four bits do not");
}

TEST(Quantize, PowersOfTwoAreAllScales) {
  const Net net = uneven_net();
  QuantizeOptions options;
  options.power_of_two = true;
  for (const Tensor& tensor : quantize(net.graph, net.samples, options).integer.graph.tensors) {
    for (const float scale : tensor.type.quant.scale) EXPECT_EQ(std::log2(scale), std::round(std::log2(scale)));
  }
}

TEST(Equalize, KeepsWhatTheModelComputesAndEvensTheWeights) {
  const Net net = uneven_net();
  const Graph even = equalize(net.graph, choose_scheme(net.graph, DType::i8));
  const auto before = run_samples(net.graph, net.samples), after = run_samples(even, net.samples);
  for (size_t s = 0; s < before.size(); ++s) {
    const auto expected = to_values<float>(before[s][0]), found = to_values<float>(after[s][0]);
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-3F * (1 + std::abs(expected[i])));
  }
  // Channel i of the depthwise layer, and what reads it behind the pool: equal largest magnitudes.
  const auto gives = to_values<float>(weights_of(even, 1).data),
             reads = to_values<float>(weights_of(even, 3).data);
  for (size_t channel = 0; channel < 4; ++channel) {
    float given = 0, read = 0;
    for (size_t i = channel; i < gives.size(); i += 4) given = std::max(given, std::abs(gives[i]));
    for (size_t i = channel; i < reads.size(); i += 4) read = std::max(read, std::abs(reads[i]));
    EXPECT_NEAR(given, read, 0.01F * read) << channel;
  }
  // One scale for all channels of the activations then costs less.
  QuantizeOptions options;
  const auto noise = [&](bool equalized) {
    options.equalize = equalized;
    const QuantizedModel result = quantize(net.graph, net.samples, options);
    return compare_layers(result.real, result.integer, net.samples).back().signal_to_noise_db;
  };
  const double plain = noise(false);
  EXPECT_GT(noise(true), plain);
}

// The mean error of each output channel, its magnitude averaged.
double mean_error(const Graph& graph, const Samples& samples, const QuantizeOptions& options) {
  const Graph integer = quantize(graph, samples, options).integer.graph;
  const auto real = run_samples(graph, samples);
  const auto found = run_samples(integer, integer_samples(integer, graph, samples));
  const TensorType& type = integer.tensors[integer.outputs[0]].type;
  const auto channels = static_cast<size_t>(type.shape.back());
  std::vector<double> errors(channels, 0.0);
  for (size_t s = 0; s < real.size(); ++s) {
    const auto expected = to_values<float>(real[s][0]);
    const std::vector<double> values = real_values(type, found[s][0]);
    for (size_t i = 0; i < values.size(); ++i)
      errors[i % channels] += (values[i] - static_cast<double>(expected[i])) * static_cast<double>(channels) /
                              static_cast<double>(real.size() * values.size());
  }
  double sum = 0;
  for (const double error : errors) sum += std::abs(error) / static_cast<double>(channels);
  return sum;
}

TEST(CorrectBias, TakesUpTheMeanErrorOfTheWeights) {
  for (const bool depthwise : {false, true}) {
    FloatNet net(33);
    const int x = net.input({1, 4, 4, 6});
    const Graph graph = net.graph({depthwise ? net.depthwise(x, 1, Fused::NONE) : net.conv(x, 8, 1, Fused::NONE)});
    Samples samples = test::random_samples(graph, 30, 0, 2);  // inputs whose means are not 0
    for (std::vector<Bytes>& sample : samples.inputs) {       // and differ by channel
      std::vector<float> values = to_values<float>(sample[0]);
      for (size_t i = 0; i < values.size(); ++i) values[i] *= static_cast<float>(i % 6 + 1) / 3;
      sample[0] = to_bytes(values);
    }
    QuantizeOptions options;
    // One weight a channel is exact in any kind, if the scale were not a power of two.
    if (depthwise) options.power_of_two = true;
    options.narrow = {{WeightKind::nibbles, "*"}};
    options.rounding = WeightRounding::nearest;
    const double before = mean_error(graph, samples, options);
    options.correct_bias = true;
    EXPECT_GT(before, 0.01) << depthwise;
    EXPECT_LT(mean_error(graph, samples, options), before / 5) << depthwise;
  }
}

TEST(Quantize, SixteenBitActivationsHaveWideBiases) {
  FloatNet net(35);
  const int x = net.input({1, 6, 6, 2});
  const int a = net.conv(x, 4, 3, Fused::RELU);
  const int y = net.softmax(net.dense(net.reshape(a, {1, 144}), 3, Fused::NONE));
  const Graph graph = net.graph({y});
  const Samples samples = test::random_samples(graph, 10, -1, 1);
  QuantizeOptions options;
  const auto quality = [&](DType dtype) {
    options.activations = dtype;
    const QuantizedModel result = quantize(graph, samples, options);
    return compare_layers(result.real, result.integer, samples).front().signal_to_noise_db;
  };
  const double wide = quality(DType::i16);
  const Graph integer = quantize(graph, samples, options).integer.graph;
  EXPECT_EQ(integer.tensors[integer.inputs[0]].type.dtype, DType::i16);
  EXPECT_EQ(weights_of(integer, 0).type.dtype, DType::i8);
  EXPECT_EQ(integer.tensors[integer.nodes[0].in[2]].type.dtype, DType::i64);
  EXPECT_EQ(integer.tensors[integer.outputs[0]].type.quant, (Quantization{{1.0F / 32768}, {0}, -1}));
  EXPECT_GT(wide, quality(DType::i8));
}

TEST(Quantize, OnnxModelsAreQuantisedAlike) {
  test::OnnxWriter file;
  file.input("x", {1, 2, 8, 8});
  FloatNet random(37);
  file.constant("w", {4, 2, 3, 3}, random.values(72, -0.5F, 0.4F));
  file.constant("b", {4}, random.values(4, -0.2F, 0.2F));
  file.constant("d", {4, 3}, random.values(12, -1, 1));
  auto& conv = file.node("Conv", {"x", "w", "b"}, {"c"});
  test::OnnxWriter::set(conv, "pads", {1, 1, 1, 1});
  test::OnnxWriter::set(conv, "strides", {2, 2});  // neither SAME nor VALID: padded in front
  file.node("Relu", {"c"}, {"r"});
  file.node("GlobalAveragePool", {"r"}, {"g"});
  file.node("Flatten", {"g"}, {"f"});
  file.node("MatMul", {"f", "d"}, {"y"});
  file.output("y", {1, 3});
  const Graph graph = compile_model(file.bytes(), "net").graph;
  const Samples samples = test::random_samples(graph, 20, -1, 1);
  const QuantizedModel result = quantize(graph, samples);
  const Graph read = import_model(result.file, "net");
  EXPECT_EQ(read.nodes.front().op->name(), "pad");
  for (const LayerFigures& layer : compare_layers(graph, result.integer, samples)) {
    EXPECT_TRUE(layer.integer) << layer.name;
    EXPECT_GT(layer.signal_to_noise_db, 25) << layer.name;
  }
}

}  // namespace
}  // namespace mote
