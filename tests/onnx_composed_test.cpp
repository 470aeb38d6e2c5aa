// SPDX-License-Identifier: Apache-2.0
// Operators of ONNX that are made of several of Mote's, against their definitions: scattering, dilated windows,
// LRN, remainders and powers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using test::OnnxWriter;

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = 0.5F * static_cast<float>(static_cast<int>(i * 7 % 23) - 9);
  return values;
}

Compiled compile_onnx(const OnnxWriter& file) { return compile_model(file.bytes(), "net"); }

template <class T>
std::vector<T> run(const OnnxWriter& file, const std::vector<Bytes>& inputs) {
  const Compiled model = compile_onnx(file);
  return to_values<T>(simulate(model.graph, model.plan, inputs).at(0));
}

std::string error_of(const OnnxWriter& file) {
  try {
    (void)compile_onnx(file);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

// Data 3x4 with tuples {2, 1}, {0, -1}, {2, 1}.
OnnxWriter scatter_nd(const std::string& reduction, bool constant) {
  OnnxWriter file(18);
  file.input("data", {3, 4});
  const std::vector<int64_t> tuples{2, 1, 0, -1, 2, 1};
  if (constant) {
    file.constant("tuples", {3, 2}, tuples);
  } else {
    file.input("tuples", {3, 2}, DType::i64);
  }
  file.input("updates", {3});
  OnnxWriter::set(file.node("ScatterND", {"data", "tuples", "updates"}, {"y"}), "reduction", reduction);
  file.output("y", {3, 4});
  return file;
}

TEST(OnnxComposed, ScatterNdInOrder) {
  const std::vector<float> data = ramp(12), updates{-1.0F, 20.0F, 3.0F};
  const std::pair<const char*, std::function<float(float, float)>> reductions[] = {
      {"none", [](float, float update) { return update; }},
      {"add", [](float old, float update) { return old + update; }},
      {"mul", [](float old, float update) { return old * update; }},
      {"max", [](float old, float update) { return std::max(old, update); }},
      {"min", [](float old, float update) { return std::min(old, update); }}};
  for (const auto& [name, combine] : reductions) {
    std::vector<float> expected = data;
    for (const auto& [place, update] : {std::pair{9, 0}, {3, 1}, {9, 2}})
      expected[static_cast<size_t>(place)] =
          combine(expected[static_cast<size_t>(place)], updates[static_cast<size_t>(update)]);
    EXPECT_EQ(run<float>(scatter_nd(name, true), {to_bytes(data), to_bytes(updates)}), expected) << name;
    const Bytes tuples = to_bytes(std::vector<int64_t>{2, 1, 0, -1, 2, 1});
    EXPECT_EQ(run<float>(scatter_nd(name, false), {to_bytes(data), tuples, to_bytes(updates)}), expected) << name;
  }
}

TEST(OnnxComposed, ScatterOfOneSlice) {
  OnnxWriter file;
  file.input("data", {2, 3});
  file.input("indices", {1, 1}, DType::i64);
  file.input("updates", {1, 3});
  file.node("ScatterND", {"data", "indices", "updates"}, {"y"});
  file.output("y", {2, 3});
  const std::vector<Bytes> inputs{to_bytes(std::vector<float>{1, 2, 3, 4, 5, 6}),
                                  to_bytes(std::vector<int64_t>{-1}), to_bytes(std::vector<float>{7, 8, 9})};
  EXPECT_EQ(run<float>(file, inputs), (std::vector<float>{1, 2, 3, 7, 8, 9}));
}

TEST(OnnxComposed, ScatterErrors) {
  EXPECT_EQ(error_of(scatter_nd("mean", true)),
            "ScatterND #0 (y): has reduction 'mean', which Mote does not know");
  OnnxWriter file;
  file.input("data", {3, 4});
  file.constant("indices", {1, 1}, std::vector<int64_t>{3});
  file.constant("updates", {1, 4}, std::vector<float>(4));
  file.node("ScatterND", {"data", "indices", "updates"}, {"y"});
  file.output("y", {3, 4});
  EXPECT_EQ(error_of(file), "ScatterND #0 (y): writes to index 3 of a dimension of 3");
}

TEST(OnnxComposed, ScatterElementsAlongAnAxis) {
  for (const bool constant : {true, false}) {
    OnnxWriter file;
    file.input("data", {2, 5}, DType::i32);
    const std::vector<int32_t> indices{1, -1, 0, 3};
    if (constant) {
      file.constant("indices", {DType::i32, {2, 2}, {}}, to_bytes(indices));
    } else {
      file.input("indices", {2, 2}, DType::i32);
    }
    file.input("updates", {2, 2}, DType::i32);
    OnnxWriter::set(file.node("ScatterElements", {"data", "indices", "updates"}, {"y"}), "axis", int64_t{1});
    file.output("y", {2, 5}, DType::i32);
    std::vector<Bytes> inputs{to_bytes(std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})};
    if (!constant) inputs.push_back(to_bytes(indices));
    inputs.push_back(to_bytes(std::vector<int32_t>{100, 200, 300, 400}));
    EXPECT_EQ(run<int32_t>(file, inputs), (std::vector<int32_t>{0, 100, 2, 3, 200, 300, 6, 7, 400, 9}))
        << constant;
  }
}

TEST(OnnxComposed, OneHotOfOneIndex) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
    OnnxWriter file;
    file.input("x", shape, DType::i64);
    file.constant("depth", {}, std::vector<int64_t>{3});
    file.constant("values", {2}, std::vector<float>{0.0F, 5.0F});
    file.node("OneHot", {"x", "depth", "values"}, {"y"});
    Shape wanted = shape;
    wanted.push_back(3);
    file.output("y", wanted);
    EXPECT_EQ(run<float>(file, {to_bytes(std::vector<int64_t>{-2})}), (std::vector<float>{0, 5, 0}));
  }
}

TEST(OnnxComposed, LastOfEqualElements) {
  for (const auto& [op, expected] :
       {std::pair{"ArgMax", std::vector<int64_t>{2, 0}}, {"ArgMin", std::vector<int64_t>{1, 3}}}) {
    OnnxWriter file;
    file.input("x", {2, 4});
    onnx::schema::Node& node = file.node(op, {"x"}, {"y"});
    OnnxWriter::set(node, "axis", int64_t{1});
    OnnxWriter::set(node, "keepdims", int64_t{0});
    OnnxWriter::set(node, "select_last_index", int64_t{1});
    file.output("y", {2}, DType::i64);
    EXPECT_EQ(run<int64_t>(file, {to_bytes(std::vector<float>{7, 1, 7, 3, 9, 2, 2, 2})}), expected) << op;
  }
}

TEST(OnnxComposed, GatherNdWithinABatch) {
  OnnxWriter file;
  file.input("data", {2, 2, 3});
  file.constant("tuples", {2, 2, 2}, std::vector<int64_t>{1, 0, 0, 2, 1, 1, -1, -1});
  OnnxWriter::set(file.node("GatherND", {"data", "tuples"}, {"y"}), "batch_dims", int64_t{1});
  file.output("y", {2, 2});
  std::vector<float> data(12);
  std::iota(data.begin(), data.end(), 0.0F);
  EXPECT_EQ(run<float>(file, {to_bytes(data)}), (std::vector<float>{3, 2, 10, 11}));
}

// An image of two channels, 7x6 with one row and two columns of padding before and after, windows 3x2, stride 2x1,
// dilation 2x3: what `pool` makes of the elements of each window. NHWC.
constexpr int64_t height = 7, width = 6;

std::vector<float> windows_of(const std::vector<float>& x,
                              const std::function<double(const std::vector<double>&)>& pool) {
  std::vector<float> result;
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t column = 0; column < 7; ++column) {
      for (int64_t c = 0; c < 2; ++c) {
        std::vector<double> inside;
        for (int64_t tap = 0; tap < 6; ++tap) {
          const int64_t row = 2 * y - 1 + tap / 2 * 2, at = column - 2 + tap % 2 * 3;
          if (row < 0 || row >= height || at < 0 || at >= width) continue;
          inside.push_back(static_cast<double>(x[static_cast<size_t>((row * width + at) * 2 + c)]));
        }
        result.push_back(static_cast<float>(pool(inside)));
      }
    }
  }
  return result;
}

OnnxWriter pool(const std::string& op, const std::function<void(onnx::schema::Node&)>& more = {}) {
  OnnxWriter file(19);
  file.input("x", {1, 2, height, width});
  onnx::schema::Node& node = file.node(op, {"x"}, {"y"});
  OnnxWriter::set(node, "kernel_shape", {3, 2});
  OnnxWriter::set(node, "strides", {2, 1});
  OnnxWriter::set(node, "dilations", {2, 3});
  OnnxWriter::set(node, "pads", {1, 2, 1, 2});
  if (more) more(node);
  file.output("y", {1, 2, 3, 7});
  return file;
}

void expect_windows(const OnnxWriter& file, const std::function<double(const std::vector<double>&)>& definition) {
  std::vector<float> x = ramp(height * width * 2);
  for (float& value : x) value -= 20.0F;  // no maximum is a zero of the padding
  const std::vector<float> expected = windows_of(x, definition), got = run<float>(file, {to_bytes(x)});
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-5F * std::abs(expected[i])) << i;
}

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST(OnnxComposed, DilatedPools) {
  expect_windows(pool("MaxPool"),
                 [](const auto& window) { return *std::max_element(window.begin(), window.end()); });
  expect_windows(pool("AveragePool"),
                 [](const auto& window) { return sum_of(window) / static_cast<double>(window.size()); });
  const auto count_padding = [](auto& node) { OnnxWriter::set(node, "count_include_pad", int64_t{1}); };
  expect_windows(pool("AveragePool", count_padding), [](const auto& window) { return sum_of(window) / 6; });
}

TEST(OnnxComposed, PoolsOfPowers) {
  for (const int64_t p : {1, 2, 3}) {
    const auto power = [p](auto& node) { OnnxWriter::set(node, "p", p); };
    expect_windows(pool("LpPool", power), [p](std::vector<double> window) {
      for (double& value : window) value = std::pow(std::abs(value), p);
      return std::pow(sum_of(window), 1.0 / static_cast<double>(p));
    });
  }
}

TEST(OnnxComposed, NormalisationOverNeighbouringChannels) {
  OnnxWriter file;
  file.input("x", {1, 7, 2, 3});
  onnx::schema::Node& node = file.node("LRN", {"x"}, {"y"});
  OnnxWriter::set(node, "size", int64_t{4});
  OnnxWriter::set(node, "alpha", 0.3F);
  OnnxWriter::set(node, "beta", 0.6F);
  OnnxWriter::set(node, "bias", 2.0F);
  file.output("y", {1, 7, 2, 3});
  const std::vector<float> x = ramp(42), got = run<float>(file, {to_bytes(x)});
  for (int64_t i = 0; i < 42; ++i) {
    const int64_t c = i % 7;
    double squares = 0;
    for (int64_t other = std::max<int64_t>(0, c - 1); other <= std::min<int64_t>(6, c + 2); ++other) {
      const auto value = static_cast<double>(x[static_cast<size_t>(i - c + other)]);
      squares += value * value;
    }
    const double expected = static_cast<double>(x[static_cast<size_t>(i)]) / std::pow(2 + 0.3 / 4 * squares, 0.6);
    EXPECT_NEAR(static_cast<double>(got[static_cast<size_t>(i)]), expected, 1e-5) << i;
  }
}

// Row of three elements, a kernel of 2 with one element between its taps, stride 2: each input adds to two
// outputs.
TEST(OnnxComposed, DilatedTransposedConvolution) {
  OnnxWriter file;
  file.input("x", {1, 1, 3});
  file.constant("w", {1, 2, 2}, std::vector<float>{10, 1, 100, 7});
  onnx::schema::Node& node = file.node("ConvTranspose", {"x", "w"}, {"y"});
  OnnxWriter::set(node, "strides", {2});
  OnnxWriter::set(node, "dilations", {3});
  file.output("y", {1, 2, 8});
  // Outputs 0, 2, 4 take the first tap, 3, 5, 7 the second; channels last.
  EXPECT_EQ(run<float>(file, {to_bytes(std::vector<float>{1, 2, 3})}),
            (std::vector<float>{10, 100, 0, 0, 20, 200, 1, 7, 30, 300, 2, 14, 0, 0, 3, 21}));
}

TEST(OnnxComposed, RemainderWithTheSignOfTheDividend) {
  OnnxWriter file;
  file.input("a", {6});
  file.input("b", {6});
  OnnxWriter::set(file.node("Mod", {"a", "b"}, {"y"}), "fmod", int64_t{1});
  file.output("y", {6});
  const std::vector<float> a{-4.3F, 7.2F, 5.0F, 4.3F, -7.2F, 8.0F}, b{2.1F, -3.4F, 8.0F, -2.1F, 3.4F, 5.0F};
  const std::vector<float> got = run<float>(file, {to_bytes(a), to_bytes(b)});
  for (size_t i = 0; i < a.size(); ++i) EXPECT_FLOAT_EQ(got[i], std::fmod(a[i], b[i])) << i;
}

TEST(OnnxComposed, PowersOfIntegersAreExact) {
  const auto power = [](float exponent) {
    OnnxWriter file;
    file.input("x", {3}, DType::i32);
    file.constant("e", {}, std::vector<float>{exponent});
    file.node("Pow", {"x", "e"}, {"y"});
    file.output("y", {3}, DType::i32);
    return file;
  };
  EXPECT_EQ(run<int32_t>(power(5), {to_bytes(std::vector<int32_t>{3, -7, 71})}),
            (std::vector<int32_t>{243, -16807, 1804229351}));
  EXPECT_EQ(error_of(power(0.5F)),
            "Pow #0 (y): raises integers to the power 0.5; whole powers from 1 to 16 are supported");
}

// The scale is computed at run time: QuantizeLinear and DequantizeLinear by their definitions.
TEST(OnnxComposed, ScalesThatDependOnData) {
  OnnxWriter file;
  file.input("x", {4});
  file.input("s", {});
  file.constant("z", {DType::u8, {}, {}}, to_bytes(std::vector<uint8_t>{100}));
  file.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  file.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  file.output("y", {4});
  EXPECT_EQ(run<float>(file, {to_bytes(std::vector<float>{0.7F, -1.1F, 1000.0F, -60.0F}),
                              to_bytes(std::vector<float>{0.5F})}),
            (std::vector<float>{0.5F, -1.0F, 77.5F, -50.0F}));
}

}  // namespace
}  // namespace mote
