// SPDX-License-Identifier: Apache-2.0
// Quantisation of small float networks: the integers against what their scales say, and the rules for scales.
#include "quantize/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/observe.hpp"
#include "quantize/to_tflite.hpp"
#include "quantize/values.hpp"
#include "simulate/simulate.hpp"
#include "support/float_net.hpp"

namespace mote {
namespace {

namespace schema = tflite::schema;
using Op = schema::BuiltinOperator;
using Fused = schema::ActivationFunctionType;
using test::FloatNet;

// The tensor of the integer graph that stands for the float graph's of this name.
const Tensor& tensor_named(const Graph& graph, const std::string& name) {
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.name == name) return tensor;
  }
  fail("no tensor '{}'", name);
}

std::vector<std::string> operators_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.op->name());
  return names;
}

// What a file computes, by name of the output tensor of each node, in integers.
std::map<std::string, Bytes> run_file(const Bytes& file, const std::vector<Bytes>& inputs,
                                      Graph* graph = nullptr) {
  const Graph imported = import_model(file, "net");
  std::map<std::string, Bytes> contents;
  Samples samples;
  samples.inputs.push_back(inputs);
  (void)run_samples(imported, samples, [&](TensorId id, ByteSpan content) {
    contents[imported.tensors[id].name] = Bytes(content.begin(), content.end());
  });
  if (graph != nullptr) *graph = imported;
  return contents;
}

// real = scale * (q - zero), by hand.
struct Real {
  explicit Real(const TensorType& type)
      : scale(static_cast<double>(type.quant.scale.at(0))), zero(type.quant.zero.at(0)) {}
  double scale;
  int zero;
};

// A sum of a layer from the file's integers, in double: sum((x - z) w) + b, times s_x s_w / s_y, rounded.
int expected_integer(double sum, const Real& in, double weight_scale, const Real& out, int lowest) {
  const double steps = std::round(sum * in.scale * weight_scale / out.scale) + out.zero;
  return static_cast<int>(std::clamp(steps, static_cast<double>(lowest), 127.0));
}

// Equal, but for sums that lie so near to the middle between two integers that rounding twice tells.
void expect_integers(const std::vector<int8_t>& found, const std::vector<int>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  size_t beside = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_LE(std::abs(found[i] - expected[i]), 1) << i;
    beside += found[i] == expected[i] ? 0 : 1;
  }
  EXPECT_LE(beside, 1 + found.size() / 50);
}

TEST(Quantize, AConvolutionAndADenseLayerComputeWhatTheirScalesSay) {
  FloatNet net(3);
  const int x = net.input({1, 6, 5, 2});
  const int c = net.conv(x, 4, 3, Fused::RELU);
  const int y = net.dense(net.reshape(c, {1, 120}), 5, Fused::NONE);
  const Graph graph = net.graph({y});
  const Samples samples = test::random_samples(graph, 20, -1, 2);
  const QuantizedModel result = quantize(graph, samples);

  Graph file;
  const std::vector<Bytes> inputs = integer_inputs(result.integer.graph, graph, samples.inputs[3]);
  const std::map<std::string, Bytes> found = run_file(result.file, inputs, &file);
  const Node &conv = file.nodes.at(0), &dense = file.nodes.back();
  const Tensor &w = file.tensors[conv.in[1]], &b = file.tensors[conv.in[2]];
  const Real in(file.tensors[conv.in[0]].type), middle(file.tensors[conv.out[0]].type);
  const Real out(file.tensors[dense.out[0]].type);
  EXPECT_EQ(w.type.quant.scale.size(), 4U) << "convolutions have a scale a channel";
  EXPECT_EQ(w.type.quant.axis, 0);
  EXPECT_EQ(file.tensors[dense.in[1]].type.quant.scale.size(), 1U) << "dense layers have one scale";

  const auto image = to_values<int8_t>(inputs[0]), weights = to_values<int8_t>(w.data);
  const auto bias = to_values<int32_t>(b.data);
  std::vector<int> expected;
  for (int row = 0; row < 6; ++row) {
    for (int column = 0; column < 5; ++column) {
      for (int channel = 0; channel < 4; ++channel) {
        double sum = bias[static_cast<size_t>(channel)];
        for (int tap = 0; tap < 18; ++tap) {
          const int from_row = row - 1 + tap / 6, from_column = column - 1 + tap / 2 % 3;
          if (from_row < 0 || from_row > 5 || from_column < 0 || from_column > 4) continue;
          const auto at = static_cast<size_t>((from_row * 5 + from_column) * 2 + tap % 2);
          sum += (image[at] - in.zero) * weights[static_cast<size_t>(channel * 18 + tap)];
        }
        const auto scale = static_cast<double>(w.type.quant.scale[static_cast<size_t>(channel)]);
        expected.push_back(expected_integer(sum, in, scale, middle, middle.zero));
      }
    }
  }
  const auto hidden = to_values<int8_t>(found.at("t" + std::to_string(c)));
  expect_integers(hidden, expected);

  const Tensor &dw = file.tensors[dense.in[1]], &db = file.tensors[dense.in[2]];
  const auto dense_weights = to_values<int8_t>(dw.data);
  const auto dense_bias = to_values<int32_t>(db.data);
  expected.clear();
  for (size_t o = 0; o < 5; ++o) {
    double sum = dense_bias[o];
    for (size_t i = 0; i < 120; ++i) sum += (hidden[i] - middle.zero) * dense_weights[o * 120 + i];
    expected.push_back(expected_integer(sum, middle, static_cast<double>(dw.type.quant.scale[0]), out, -128));
  }
  expect_integers(to_values<int8_t>(found.at("t" + std::to_string(y))), expected);
}

TEST(Quantize, ScalesFollowFromTheSamplesAndTheWeights) {
  FloatNet net(5);
  const int x = net.input({1, 4, 4, 1});
  const Graph graph = net.graph({net.conv(x, 2, 1, Fused::NONE)});
  Samples samples = test::random_samples(graph, 3, 0, 1);
  std::vector<float> extreme(16, 0.5F);
  extreme[3] = -1.05F, extreme[7] = 1.5F;  // 2.55 in all: a scale of 0.01, zero at -128 + 105
  samples.inputs.push_back({to_bytes(extreme)});
  const QuantizedModel result = quantize(graph, samples);
  const Graph& integer = result.integer.graph;
  const Quantization& in = integer.tensors[integer.inputs[0]].type.quant;
  EXPECT_FLOAT_EQ(in.scale.at(0), 0.01F);
  EXPECT_EQ(in.zero.at(0), -23);

  const Node& node = integer.nodes.at(0);
  const Tensor &real = graph.tensors[graph.nodes[0].in[1]], &real_bias = graph.tensors[graph.nodes[0].in[2]];
  const auto weights = to_values<float>(real.data), bias = to_values<float>(real_bias.data);
  for (size_t c = 0; c < 2; ++c) {
    const float scale = std::abs(weights[c]) / 127;  // one weight a channel: it is the largest
    EXPECT_FLOAT_EQ(integer.tensors[node.in[1]].type.quant.scale[c], scale);
    EXPECT_EQ(std::abs(to_values<int8_t>(integer.tensors[node.in[1]].data)[c]), 127);
    EXPECT_EQ(
        to_values<int32_t>(integer.tensors[node.in[2]].data)[c],
        static_cast<int32_t>(std::round(static_cast<double>(bias[c]) / (0.01 * static_cast<double>(scale)))));
  }
  // The output's ends: the ends of both channels over all samples.
  double low = 0, high = 0;
  for (const auto& sample : samples.inputs) {
    for (const float value : to_values<float>(sample[0])) {
      for (size_t c = 0; c < 2; ++c) {
        const double y =
            static_cast<double>(value) * static_cast<double>(weights[c]) + static_cast<double>(bias[c]);
        low = std::min(low, y), high = std::max(high, y);
      }
    }
  }
  const Quantization& out = integer.tensors[node.out[0]].type.quant;
  EXPECT_NEAR(out.scale[0], (high - low) / 255, 1e-7);
  EXPECT_EQ(out.zero[0], static_cast<int32_t>(std::nearbyint(-128 - low / ((high - low) / 255))));
}

TEST(Quantize, OperatorsThatMoveValuesKeepTheirScale) {
  FloatNet net(7);
  const int x = net.input({1, 8, 8, 3});
  const int a = net.conv(x, 4, 3, Fused::NONE);
  const int pooled = net.pool(a, Op::MAX_POOL_2D, 2);
  const int averaged = net.pool(pooled, Op::AVERAGE_POOL_2D, 2);
  const int flat = net.reshape(averaged, {1, 16});
  const int joined = net.concatenate({flat, net.dense(flat, 8, Fused::NONE)}, 1);
  const Graph graph = net.graph({joined});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 8, -1, 1));
  const Quantization& scale = tensor_named(result.integer.graph, "t" + std::to_string(a)).type.quant;
  ASSERT_EQ(scale.scale.size(), 1U);
  for (const int other : {pooled, averaged, flat, joined})
    EXPECT_EQ(tensor_named(result.integer.graph, "t" + std::to_string(other)).type.quant, scale) << other;
  EXPECT_EQ(
      operators_of(result.integer.graph),
      (std::vector<std::string>{"conv2d", "max_pool", "avg_pool", "reshape", "fully_connected", "concatenation"}));
}

TEST(Quantize, SomeOperatorsGiveAFixedScale) {
  FloatNet net(9);
  const int x = net.input({1, 6});
  const int soft = net.softmax(x), logistic = net.unary(x, Op::LOGISTIC), tanh = net.unary(x, Op::TANH);
  const Graph graph = net.graph({soft, logistic, tanh});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 8, -3, 3));
  const auto quant_of = [&](int tensor) {
    return tensor_named(result.integer.graph, "t" + std::to_string(tensor)).type.quant;
  };
  EXPECT_EQ(quant_of(soft), (Quantization{{1.0F / 256}, {-128}, -1}));
  EXPECT_EQ(quant_of(logistic), (Quantization{{1.0F / 256}, {-128}, -1}));
  EXPECT_EQ(quant_of(tanh), (Quantization{{1.0F / 128}, {0}, -1}));
}

TEST(Quantize, AFixedScaleIsConvertedWhereItMeetsAnotherOne) {
  FloatNet net(11);
  const int x = net.input({1, 6});
  const int tanh = net.unary(x, Op::TANH);
  const int joined = net.concatenate({tanh, net.dense(x, 4, Fused::NONE)}, 1);
  const int alike = net.concatenate({net.softmax(x), net.unary(x, Op::LOGISTIC)}, 1);
  const Graph graph = net.graph({joined, alike});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 8, -4, 4));
  const Graph& integer = result.integer.graph;
  const Quantization& scale = tensor_named(integer, "t" + std::to_string(joined)).type.quant;
  EXPECT_EQ(tensor_named(integer, "t" + std::to_string(tanh)).type.quant.scale[0], 1.0F / 128);
  EXPECT_EQ(tensor_named(integer, "t" + std::to_string(tanh) + "_requantised").type.quant, scale);
  EXPECT_GT(scale.scale[0], 1.0F / 128) << "the dense layer's values would be clipped";
  EXPECT_EQ(tensor_named(integer, "t" + std::to_string(alike)).type.quant,
            (Quantization{{1.0F / 256}, {-128}, -1}));
  EXPECT_EQ(std::ranges::count(operators_of(integer), "quantize"), 1);
}

TEST(Quantize, AConstantOperandWidensTheScaleThatItShares) {
  FloatNet net(13);
  const int x = net.input({1, 4, 4, 2});
  const int y = net.binary(net.conv(x, 2, 1, Fused::NONE), net.constant({1, 1, 1, 2}, 20, 21), Op::MINIMUM);
  const Graph graph = net.graph({y});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 4, -1, 1));
  const TensorType& type = tensor_named(result.integer.graph, "t" + std::to_string(y)).type;
  EXPECT_GE(covered(type.quant, DType::i8).high, 20.0);
}

TEST(Quantize, OperatorsWithoutAnIntegerFormStayFloatBetweenConversions) {
  FloatNet net(15);
  const int x = net.input({1, 8});
  const int root = net.unary(net.dense(x, 4, Fused::RELU), Op::SQRT);
  const int y = net.dense(net.reshape(root, {4, 1}), 3, Fused::NONE);
  const Graph graph = net.graph({y});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 8, 0, 1));
  EXPECT_EQ(operators_of(result.integer.graph),
            (std::vector<std::string>{"fully_connected", "dequantize", "sqrt", "reshape", "quantize",
                                      "fully_connected"}));
  EXPECT_EQ(result.notes,
            (std::vector<std::string>{
                "SQRT #1 (t4) stays float: sqrt has no form on i8 that every TensorFlow Lite interpreter knows.",
                "RESHAPE #2 (t6) stays float, as the operator before it."}));
}

TEST(Quantize, InputsAndOutputsMayStayFloat) {
  FloatNet net(17);
  const int x = net.input({1, 8});
  const Graph graph = net.graph({net.dense(x, 4, Fused::NONE)});
  const Samples samples = test::random_samples(graph, 8, -1, 1);
  QuantizeOptions options;
  options.keep_float_io = true;
  const QuantizedModel result = quantize(graph, samples, options);
  const Graph& integer = result.integer.graph;
  EXPECT_EQ(operators_of(integer), (std::vector<std::string>{"quantize", "fully_connected", "dequantize"}));
  for (const auto& [from, to] :
       {std::pair{graph.inputs[0], integer.inputs[0]}, {graph.outputs[0], integer.outputs[0]}}) {
    EXPECT_EQ(integer.tensors[to].type.dtype, DType::f32);
    EXPECT_EQ(integer.tensors[to].name, graph.tensors[from].name);
  }
  // Near what the float model computes.
  const auto real = to_values<float>(run_samples(graph, samples, {})[2][0]);
  const auto found = to_values<float>(run_samples(integer, samples, {})[2][0]);
  for (size_t i = 0; i < real.size(); ++i) EXPECT_NEAR(found[i], real[i], 0.05);
}

TEST(Quantize, DenseLayersGetAScaleAnOutputOnRequest) {
  FloatNet net(19);
  const int x = net.input({1, 8});
  const Graph graph = net.graph({net.dense(x, 4, Fused::NONE)});
  QuantizeOptions options;
  options.per_channel_dense = true;
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 4, -1, 1), options);
  const Node& node = result.integer.graph.nodes.at(0);
  EXPECT_EQ(result.integer.graph.tensors[node.in[1]].type.quant.scale.size(), 4U);
}

TEST(Quantize, TheWrittenFileIsAFixedPointOfImportAndWriting) {
  FloatNet net(21);
  const int x = net.input({1, 8, 8, 2});
  const int a = net.depthwise(net.conv(x, 4, 3, Fused::RELU6), 3, Fused::NONE);
  const int y = net.softmax(net.reshape(net.binary(a, a, Op::ADD), {1, 256}));
  const Graph graph = net.graph({y});
  const QuantizedModel result = quantize(graph, test::random_samples(graph, 4, -1, 1));
  EXPECT_TRUE(written_by_mote(result.file));
  EXPECT_EQ(to_tflite(import_model(result.file, "net")), result.file);
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(Quantize, SaysWhyAModelCannotBeQuantised) {
  FloatNet net(23);
  const int x = net.input({1, 8});
  const Graph graph = net.graph({net.dense(x, 4, Fused::NONE)});
  const Samples samples = test::random_samples(graph, 4, -1, 1);
  const Graph again = quantize(graph, samples).integer.graph;
  EXPECT_EQ(error_of([&] { (void)quantize(again, samples); }),
            "is quantised already: 't0' is i8 with a scale; give the float model");
  EXPECT_EQ(error_of([&] { (void)quantize(graph, {}); }), "the calibration set is empty");

  FloatNet roots(25);
  const Graph real = roots.graph({roots.unary(roots.input({1, 8}), Op::SQRT)});
  EXPECT_EQ(error_of([&] { (void)quantize(real, test::random_samples(real, 1, 0, 1)); }),
            "has no layer to quantise: no operator of it that computes reals has an integer form");
}

TEST(Quantize, ListsAllOperatorsThatCannotBeWritten) {
  FloatNet net(27);
  const int x = net.input({1, 8});
  const int y = net.dense(x, 8, Fused::NONE);
  schema::ReverseSequenceOptionsT options;
  options.seq_dim = 1;
  const int lengths = net.file().constant("lengths", {DType::i32, {1}, {}}, std::vector<int32_t>{5});
  for (const char* const name : {"first", "second"}) {
    const int out = net.file().tensor(name, {DType::f32, {1, 8}, {}});
    net.file().add(Op::REVERSE_SEQUENCE, {y, lengths}, {out}, options);
    net.file().graph().outputs.push_back(out);
  }
  net.file().graph().inputs = {x};
  const Graph graph = compile_model(net.file().bytes(), "net").graph;
  EXPECT_EQ(error_of([&] { (void)quantize(graph, test::random_samples(graph, 2, -1, 1)); }),
            "2 operators cannot be written:\n"
            "  REVERSE_SEQUENCE #1 (first): cannot be written to a .tflite file\n"
            "  REVERSE_SEQUENCE #2 (second): cannot be written to a .tflite file");
}

}  // namespace
}  // namespace mote
