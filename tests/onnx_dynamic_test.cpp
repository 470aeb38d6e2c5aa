// SPDX-License-Identifier: Apache-2.0
// What ONNX Runtime's dynamic quantisation writes: one layer with 8-bit weights, or the definition of each part.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using test::OnnxWriter;

// Nothing lies in the middle between two codes, where ONNX rounds to even and Mote away from zero.
std::vector<float> ramp(size_t count, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = step * (static_cast<float>(i * 7 % 11) - 4.3F);
  return values;
}

std::vector<uint8_t> codes(size_t count) {
  std::vector<uint8_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<uint8_t>(i * 89 + 7);
  return values;
}

Compiled compile_onnx(const OnnxWriter& file) { return compile_model(file.bytes(), "net"); }

int64_t count(const Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return node.op->name() == op; });
}

// DynamicQuantizeLinear of `x` to q, s and z, and the scale s * w_scale.
void quantise(OnnxWriter& file, const std::vector<float>& scales) {
  file.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  file.constant("w_scale", {std::ssize(scales)}, scales);
  file.node("Mul", {"s", "w_scale"}, {"scale"});
}

void scale_product(OnnxWriter& file, const std::string& from, const std::string& to) {
  OnnxWriter::set(file.node("Cast", {from}, {from + "_real"}), "to", int64_t{1});
  file.node("Mul", {from + "_real", "scale"}, {to});
}

// ONNX's definition of DynamicQuantizeLinear, and back.
std::vector<double> rounded_to_codes(const std::vector<float>& x) {
  const double low = std::min(0.0F, *std::min_element(x.begin(), x.end())),
               high = std::max(0.0F, *std::max_element(x.begin(), x.end())), scale = (high - low) / 255,
               zero = std::nearbyint(-low / scale);
  std::vector<double> result;
  for (const float value : x) {
    result.push_back(scale *
                     (std::clamp(std::nearbyint(static_cast<double>(value) / scale) + zero, 0.0, 255.0) - zero));
  }
  return result;
}

constexpr int64_t rows = 3, depth = 6, columns = 4;

// A matrix product with a zero point of the weights for each column, a bias and a Relu.
OnnxWriter product() {
  OnnxWriter file;
  file.input("x", {rows, depth});
  quantise(file, {0.5F, 0.25F, 0.125F, 1.0F});
  file.constant("w", {DType::u8, {depth, columns}, {}}, to_bytes(codes(depth * columns)));
  file.constant("w_zero", {DType::u8, {columns}, {}}, to_bytes(std::vector<uint8_t>{128, 3, 250, 100}));
  file.node("MatMulInteger", {"q", "w", "z", "w_zero"}, {"sums"});
  scale_product(file, "sums", "scaled");
  file.constant("bias", {columns}, std::vector<float>{1.0F, -2.0F, 3.0F, -4.0F});
  file.node("Add", {"scaled", "bias"}, {"biased"});
  file.node("Relu", {"biased"}, {"y"});
  file.output("y", {rows, columns});
  return file;
}

TEST(OnnxDynamic, SequenceIsOneLayerWithWeightsOfEightBits) {
  const Compiled model = compile_onnx(product());
  EXPECT_EQ(count(model.graph, "conv2d"), 1) << dump(model.graph);
  EXPECT_EQ(count(model.graph, "reshape") + 1, std::ssize(model.graph.nodes)) << dump(model.graph);
  const std::vector<float> x = ramp(rows * depth, 0.37F);
  const std::vector<float> got = to_values<float>(simulate(model.graph, model.plan, {to_bytes(x)}).at(0));
  const std::vector<double> real = rounded_to_codes(x);
  const std::vector<uint8_t> w = codes(depth * columns);
  const double scales[] = {0.5, 0.25, 0.125, 1.0}, zeros[] = {128, 3, 250, 100}, bias[] = {1, -2, 3, -4};
  bool some = false;
  for (size_t i = 0; i < rows * columns; ++i) {
    const size_t column = i % columns;
    double sum = bias[column];
    for (size_t k = 0; k < depth; ++k) {
      sum += real[i / columns * depth + k] * (w[k * columns + column] - zeros[column]) * scales[column];
    }
    some = some || sum > 10;
    EXPECT_NEAR(static_cast<double>(got[i]), std::max(sum, 0.0), 1e-3) << i;
  }
  EXPECT_TRUE(some);
}

TEST(OnnxDynamic, ConvolutionsThatShareTheirInput) {
  OnnxWriter file;
  file.input("x", {1, 2, 5, 5});
  quantise(file, {0.5F});
  file.constant("w", {DType::i8, {3, 2, 3, 3}, {}}, to_bytes(codes(54)));
  for (const auto* const name : {"a", "b"}) {
    onnx::schema::Node& node = file.node("ConvInteger", {"q", "w", "z"}, {std::string(name) + "_sums"});
    OnnxWriter::set(node, "pads", {1, 1, 1, 1});
    scale_product(file, std::string(name) + "_sums", name);
    file.output(name, {1, 3, 5, 5});
  }
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(std::ssize(model.graph.nodes), 2) << dump(model.graph);
  const std::vector<float> x = ramp(50, 0.2F);  // as stored: channels last
  const std::vector<Bytes> outputs = simulate(model.graph, model.plan, {to_bytes(x)});
  EXPECT_EQ(outputs.at(0), outputs.at(1));
  const std::vector<double> real = rounded_to_codes(x);
  const std::vector<uint8_t> w = codes(54);
  const std::vector<float> got = to_values<float>(outputs[0]);
  for (size_t i = 0; i < got.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) % 3, y = static_cast<int64_t>(i) / 15,
                  column = static_cast<int64_t>(i) / 3 % 5;
    double sum = 0;
    for (int64_t tap = 0; tap < 18; ++tap) {
      const int64_t in = tap / 9, row = y + tap % 9 / 3 - 1, at = column + tap % 3 - 1;
      if (row < 0 || row >= 5 || at < 0 || at >= 5) continue;
      sum += real[static_cast<size_t>((row * 5 + at) * 2 + in)] * 0.5 *
             static_cast<int8_t>(w[static_cast<size_t>(c * 18 + tap)]);
    }
    EXPECT_NEAR(static_cast<double>(got[i]), sum, 1e-3) << i;
  }
}

// The codes are wanted, too: then each part is computed by its definition, and the product still is one layer.
TEST(OnnxDynamic, PartsThatOthersRead) {
  OnnxWriter file = product();
  file.output("q", {rows, depth}, DType::u8);
  file.output("s", {});
  file.output("z", {}, DType::u8);
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(count(model.graph, "conv2d"), 1);
  const std::vector<float> x = ramp(rows * depth, 0.37F);
  const std::vector<Bytes> outputs = simulate(model.graph, model.plan, {to_bytes(x)});
  const float low = 0.37F * -4.3F, high = 0.37F * 5.7F, scale = to_values<float>(outputs.at(2)).at(0);
  EXPECT_NEAR(scale, (high - low) / 255, 1e-6F);
  const auto zero = to_values<uint8_t>(outputs.at(3)).at(0);
  EXPECT_EQ(zero, std::nearbyint(-low / scale));
  const std::vector<uint8_t> q = to_values<uint8_t>(outputs.at(1));
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(q[i] - zero, static_cast<double>(x[i] / scale), 0.501) << i;
}

TEST(OnnxDynamic, NumbersThatAreAllZero) {
  OnnxWriter file;
  file.input("x", {4});
  file.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  file.output("q", {4}, DType::u8);
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(simulate(model.graph, model.plan, {Bytes(16)}).at(0), Bytes(4));
}

TEST(OnnxDynamic, ProductAloneGivesItsIntegers) {
  OnnxWriter file;
  file.input("a", {2, 3}, DType::u8);
  file.constant("a_zero", {DType::u8, {2}, {}}, to_bytes(std::vector<uint8_t>{12, 200}));
  file.constant("b", {DType::i8, {3, 2}, {}}, to_bytes(std::vector<int8_t>{1, -2, 3, -4, 100, -128}));
  file.constant("b_zero", {DType::i8, {2}, {}}, to_bytes(std::vector<int8_t>{0, 5}));
  file.node("MatMulInteger", {"a", "b", "a_zero", "b_zero"}, {"y"});
  file.output("y", {2, 2}, DType::i32);
  const Compiled model = compile_onnx(file);
  const Bytes a = to_bytes(std::vector<uint8_t>{11, 7, 255, 0, 128, 201});
  // (11-12)*1 + (7-12)*3 + (255-12)*100 and so on
  EXPECT_EQ(to_values<int32_t>(simulate(model.graph, model.plan, {a}).at(0)),
            (std::vector<int32_t>{24284, 7 + 45 - 32319, -200 - 216 + 100, 1400 + 648 - 133}));
}

TEST(OnnxDynamic, Errors) {
  const auto error = [](const OnnxWriter& file) -> std::string {
    try {
      (void)compile_onnx(file);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "";
  };
  OnnxWriter large;
  large.input("a", {1, 300}, DType::u8);
  large.constant("b", {DType::i8, {300, 1}, {}}, Bytes(300));
  large.node("MatMulInteger", {"a", "b"}, {"y"});
  large.output("y", {1, 1}, DType::i32);
  EXPECT_EQ(error(large),
            "MatMulInteger #0 (y): adds 300 products of integers by itself, more than float holds exactly; keep "
            "DynamicQuantizeLinear before it and Cast and Mul behind it, as quantize_dynamic writes them");
  OnnxWriter runtime;
  runtime.input("a", {1, 3}, DType::u8);
  runtime.input("b", {3, 1}, DType::u8);
  runtime.node("MatMulInteger", {"a", "b"}, {"y"});
  runtime.output("y", {1, 1}, DType::i32);
  EXPECT_EQ(error(runtime),
            "MatMulInteger #0 (y): computes its weights ('b') at run time, which is not supported; export them as "
            "constants");
}

}  // namespace
}  // namespace mote
