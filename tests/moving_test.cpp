// SPDX-License-Identifier: Apache-2.0
// Operators that move data, from file to result: expected values are counted out by hand.
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/tflite_writer.hpp"

namespace mote {
namespace {

namespace schema = tflite::schema;
using Op = schema::BuiltinOperator;
using test::TfliteWriter;

constexpr auto i32 = DType::i32;

TensorType plain(Shape shape, DType dtype = i32) { return {dtype, std::move(shape), {}}; }
TensorType quantized(Shape shape, float scale, int32_t zero) {
  return {DType::i8, std::move(shape), {{scale}, {zero}, -1}};
}

int integers(TfliteWriter& file, const std::vector<int32_t>& values) {
  return file.constant("c", plain({std::ssize(values)}), values);
}

std::vector<int32_t> counting(int64_t count) {
  std::vector<int32_t> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  return values;
}

std::vector<Bytes> run(const TfliteWriter& file, const std::vector<Bytes>& inputs) {
  const Compiled model = compile_model(file.bytes(), "test");
  return simulate(model.graph, model.plan, inputs);
}

struct Masks {
  int begin = 0, end = 0, ellipsis = 0, new_axis = 0, shrink = 0;
  bool offset = false;
};

// What STRIDED_SLICE takes of 0, 1, 2, ... in `from`.
std::vector<int32_t> sliced(const Shape& from, const Shape& to, const std::vector<int32_t>& begin,
                            const std::vector<int32_t>& end, const std::vector<int32_t>& strides, Masks masks) {
  TfliteWriter file;
  const int x = file.tensor("x", plain(from));
  const int y = file.tensor("y", plain(to));
  schema::StridedSliceOptionsT options;
  options.begin_mask = masks.begin;
  options.end_mask = masks.end;
  options.ellipsis_mask = masks.ellipsis;
  options.new_axis_mask = masks.new_axis;
  options.shrink_axis_mask = masks.shrink;
  options.offset = masks.offset;
  file.add(Op::STRIDED_SLICE, {x, integers(file, begin), integers(file, end), integers(file, strides)}, {y},
           options);
  file.finish({x}, {y});
  return to_values<int32_t>(run(file, {to_bytes(counting(elements(from)))})[0]);
}

using Values = std::vector<int32_t>;

TEST(StridedSlice, TakesEveryKindOfEntry) {
  EXPECT_EQ(sliced({10}, {3}, {2}, {8}, {2}, {}), (Values{2, 4, 6}));
  EXPECT_EQ(sliced({10}, {4}, {-2}, {0}, {-2}, {}), (Values{8, 6, 4, 2}));
  EXPECT_EQ(sliced({10}, {10}, {3}, {4}, {-1}, {.begin = 1, .end = 1}), (Values{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(sliced({10}, {2}, {-100}, {2}, {1}, {}), (Values{0, 1}));
  EXPECT_EQ(sliced({10}, {3}, {4}, {3}, {1}, {.offset = true}), (Values{4, 5, 6}));
  EXPECT_EQ(sliced({2, 3}, {2}, {0, -1}, {2, 0}, {1, 1}, {.shrink = 2}), (Values{2, 5}));
  EXPECT_EQ(sliced({2, 2, 3}, {2, 2}, {0, 1}, {0, 2}, {1, 1}, {.ellipsis = 1, .shrink = 2}),
            (Values{1, 4, 7, 10}));
  EXPECT_EQ(sliced({2, 3}, {1, 1, 3}, {0, 1}, {0, 2}, {1, 1}, {.new_axis = 1}), (Values{3, 4, 5}));
  EXPECT_EQ(sliced({2, 3}, {2, 3, 1}, {0, 0}, {0, 0}, {1, 1}, {.ellipsis = 1, .new_axis = 2}), counting(6));
}

TEST(Transpose, OfUnitDimensionsIsAView) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({2, 1, 3}));
  const int middle = file.tensor("m", plain({1, 2, 3}));
  const int y = file.tensor("y", plain({1, 3, 2}));
  file.add(Op::TRANSPOSE, {x, integers(file, {1, 0, 2})}, {middle}, schema::TransposeOptionsT{});
  file.add(Op::TRANSPOSE, {middle, integers(file, {0, 2, 1})}, {y}, schema::TransposeOptionsT{});
  file.finish({x}, {y});
  const Compiled model = compile_model(file.bytes(), "test");
  EXPECT_EQ(model.plan.steps.size(), 1U);
  EXPECT_EQ(simulate(model.graph, model.plan, {to_bytes(counting(6))})[0], to_bytes(Values{0, 3, 1, 4, 2, 5}));
}

TEST(Split, GivesOneNodeAnOutputAndDropsWhatNobodyReads) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({2, 3}));
  std::vector<int> layers;
  for (int i = 0; i < 3; ++i) layers.push_back(file.tensor("layer", plain({2})));
  schema::UnpackOptionsT options;
  options.num = 3;
  options.axis = -1;
  file.add(Op::UNPACK, {x}, layers, options);
  file.finish({x}, {layers[2], layers[0]});
  const Compiled model = compile_model(file.bytes(), "test");
  EXPECT_EQ(model.graph.nodes.size(), 2U);
  const std::vector<Bytes> outputs = simulate(model.graph, model.plan, {to_bytes(counting(6))});
  EXPECT_EQ(outputs[0], to_bytes(Values{2, 5}));
  EXPECT_EQ(outputs[1], to_bytes(Values{0, 3}));
}

TEST(Split, NeedsAsManyOutputsAsParts) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({4}));
  const int y = file.tensor("y", plain({2}));
  schema::SplitOptionsT options;
  options.num_splits = 2;
  file.add(Op::SPLIT, {integers(file, {0}), x}, {y, file.tensor("z", plain({2})), file.tensor("w", plain({2}))},
           options);
  file.finish({x}, {y});
  try {
    (void)compile_model(file.bytes(), "test");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "SPLIT #0 (y): has 3 outputs in the file; part gives 2");
  }
}

TEST(Concatenation, JoinsManyInputsAndConstants) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({2, 1}));
  std::vector<int> inputs;
  for (int i = 0; i < 40; ++i) inputs.push_back(x);
  inputs.push_back(file.constant("c", plain({2, 2}), Values{7, 8, 9, 10}));
  inputs.push_back(file.constant("d", plain({2, 1}), Values{11, 12}));
  const int y = file.tensor("y", plain({2, 43}));
  schema::ConcatenationOptionsT options;
  options.axis = -1;
  file.add(Op::CONCATENATION, inputs, {y}, options);
  file.finish({x}, {y});
  Values expected(40, 5);
  expected.insert(expected.end(), {7, 8, 11});
  expected.insert(expected.end(), 40, 6);
  expected.insert(expected.end(), {9, 10, 12});
  const Compiled model = compile_model(file.bytes(), "test");
  EXPECT_EQ(simulate(model.graph, model.plan, {to_bytes(Values{5, 6})})[0], to_bytes(expected));
  std::set<std::string> names;  // generated code needs one symbol for each
  for (const Constant& constant : model.plan.steps.at(0).call.constants) names.insert(constant.name);
  EXPECT_EQ(names.size(), 3U);
}

TEST(Concatenation, BringsInputsToTheOutputsScale) {
  TfliteWriter file;
  const int a = file.tensor("a", quantized({2}, 0.5F, 10));
  const int b = file.tensor("b", quantized({3}, 1.0F, -3));
  const int y = file.tensor("y", quantized({5}, 0.5F, 10));
  file.add(Op::CONCATENATION, {a, b}, {y}, schema::ConcatenationOptionsT{});
  file.finish({a, b}, {y});
  // b is 0, 2.0 and 102.0: of the output's steps 10, 14 and, beyond its range, 127.
  const std::vector<int8_t> in_a{-128, 127}, in_b{-3, -1, 99}, expected{-128, 127, 10, 14, 127};
  EXPECT_EQ(run(file, {to_bytes(in_a), to_bytes(in_b)})[0], to_bytes(expected));
}

TEST(IndexArithmetic, IsGoneBeforeAnythingRuns) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({2, 3, 4}));
  const int shape = file.tensor("shape", plain({3}));
  const int batch = file.tensor("batch", plain({}));
  const int rest = file.constant("rest", plain({}), Values{-1});
  const int packed = file.tensor("packed", plain({2}));
  const int y = file.tensor("y", plain({2, 12}));
  file.add(Op::SHAPE, {x}, {shape}, schema::ShapeOptionsT{}).builtin_options.AsShapeOptions()->out_type =
      schema::TensorType::INT32;
  schema::StridedSliceOptionsT first;
  first.shrink_axis_mask = 1;
  file.add(Op::STRIDED_SLICE, {shape, integers(file, {0}), integers(file, {1}), integers(file, {1})}, {batch},
           first);
  schema::PackOptionsT pack;
  pack.values_count = 2;
  file.add(Op::PACK, {batch, rest}, {packed}, pack);
  file.add(Op::RESHAPE, {x, packed}, {y}, schema::ReshapeOptionsT{});
  file.finish({x}, {y});
  const Compiled model = compile_model(file.bytes(), "test");
  EXPECT_TRUE(model.plan.steps.empty());
}

TEST(Outputs, ThatAreConstantsAreCopied) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({2, 3}));
  const int shape = file.tensor("shape", plain({2}));
  const int given = file.constant("given", plain({2}), Values{4, 2});
  file.add(Op::SHAPE, {x}, {shape}, schema::ShapeOptionsT{});
  file.finish({x}, {shape, given, x});
  const Bytes input = to_bytes(counting(6));
  const std::vector<Bytes> outputs = run(file, {input});
  EXPECT_EQ(outputs[0], to_bytes(Values{2, 3}));
  EXPECT_EQ(outputs[1], to_bytes(Values{4, 2}));
  EXPECT_EQ(outputs[2], input);
}

TEST(HalfPrecision, ConstantsBecomeSingle) {
  TfliteWriter file;
  // 1, -2, the smallest (2^-24), the largest, the smallest normal, and -infinity.
  const std::vector<uint16_t> bits{0x3C00, 0xC000, 0x0001, 0x7BFF, 0x0400, 0xFC00};
  const int half = file.constant("half", {DType::u16, {6}, {}}, bits);
  file.tensor_at(half).type = schema::TensorType::FLOAT16;
  const int y = file.tensor("y", plain({6}, DType::f32));
  file.add(Op::DEQUANTIZE, {half}, {y}, schema::DequantizeOptionsT{});
  file.finish({}, {y});
  const std::vector<float> expected{1.0F, -2.0F, 0x1p-24F, 65504.0F, 0x1p-14F, -INFINITY};
  EXPECT_EQ(to_values<float>(run(file, {})[0]), expected);
}

TEST(Gather, TakesTheNearestIndexInside) {
  TfliteWriter file;
  const int x = file.tensor("x", plain({3, 2}));
  const int indices = file.tensor("i", plain({4}));
  const int y = file.tensor("y", plain({4, 2}));
  file.add(Op::GATHER, {x, indices}, {y}, schema::GatherOptionsT{});
  file.finish({x, indices}, {y});
  EXPECT_EQ(run(file, {to_bytes(counting(6)), to_bytes(Values{2, -7, 0, 100})})[0],
            to_bytes(Values{4, 5, 0, 1, 0, 1, 4, 5}));
}

}  // namespace
}  // namespace mote
