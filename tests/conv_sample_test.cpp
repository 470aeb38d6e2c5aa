// SPDX-License-Identifier: Apache-2.0
// Random convolutions: the chosen kernel against the plain kernel, which must give equal bytes.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "nn/conv2d.hpp"
#include "ops/convolution.hpp"
#include "ops/registry.hpp"
#include "support/guarded_call.hpp"

namespace mote {
namespace {

const OpDef& definition(std::string_view name) {
  for (const OpDef* def : op::all()) {
    if (def->name == name) return *def;
  }
  fail("no operator {}", name);
}

using Kernels = std::map<std::string_view, std::set<std::string_view>>;

// One kind of core, and the fast kernels that must have had their share of the samples there.
struct CoreCase {
  std::string_view name;
  Core core;
  Kernels fast;
};

const CoreCase core_cases[] = {
    {"portable",
     {},
     {{"conv2d",
       {"conv2d_4x4_s8", "conv2d_4bit_s8", "conv2d_2bit_s8", "conv2d_narrow_s16", "conv2d_4x4_s16",
        "conv2d_exact_s8", "conv2d_grouped_4x4_s8"}},
      {"transpose_conv", {"transpose_conv_4x4_s8", "transpose_conv_4x4_s16", "transpose_conv_narrow_s16"}},
      {"depthwise_conv2d",
       {"depthwise_conv2d_3x3_s8", "depthwise_conv2d_inside_s8", "depthwise_conv2d_s8",
        "depthwise_conv2d_exact_s8", "depthwise_conv2d_s16"}},
      {"fully_connected",
       {"fully_connected_s8", "conv2d_4x4_s8", "fully_connected_4bit_s8", "fully_connected_2bit_s8",
        "fully_connected_ternary_s8", "conv2d_4bit_s8", "conv2d_2bit_s8", "fully_connected_s16",
        "fully_connected_exact_s8"}}}},
    {"compact_dsp",
     {.dsp = true, .compact = true},
     {{"conv2d", {"conv2d_paired_s8", "conv2d_grouped_paired_s8", "conv2d_4bit_s8", "conv2d_2bit_s8"}},
      {"transpose_conv", {"transpose_conv_s8", "transpose_conv_narrow_s16"}},
      {"depthwise_conv2d", {"depthwise_conv2d_3x3_paired_s8", "depthwise_conv2d_paired_s8"}},
      {"fully_connected",
       {"fully_connected_paired_s8", "conv2d_paired_s8", "fully_connected_4bit_s8",
        "fully_connected_ternary_s8"}}}},
    {"unsigned_bytes",
     {.unsigned_bytes = true},
     {{"conv2d", {"conv2d_unsigned_s8", "conv2d_grouped_unsigned_s8", "conv2d_4bit_s8"}},
      {"transpose_conv", {"transpose_conv_4x4_s8"}},
      {"depthwise_conv2d", {"depthwise_conv2d_3x3_s8"}},
      {"fully_connected", {"fully_connected_unsigned_s8", "conv2d_unsigned_s8"}}}},
    {"dsp",
     {.dsp = true},
     {{"conv2d", {"conv2d_paired_s8", "conv2d_grouped_paired_s8", "conv2d_paired_s16"}},
      {"transpose_conv", {"transpose_conv_paired_s8", "transpose_conv_paired_s16"}},
      {"depthwise_conv2d", {"depthwise_conv2d_3x3_paired_s8", "depthwise_conv2d_paired_s8"}},
      {"fully_connected", {"fully_connected_paired_s8", "conv2d_paired_s8", "fully_connected_paired_s16"}}}},
    {"mve",
     {.dsp = true, .mve = true},
     {{"conv2d",
       {"conv2d_vector_s8", "conv2d_grouped_vector_s8", "conv2d_vector_s16", "conv2d_pointwise_vector_s16"}},
      {"transpose_conv", {"transpose_conv_vector_s8", "transpose_conv_vector_s16"}},
      {"depthwise_conv2d", {"depthwise_conv2d_vector_s8"}},
      {"fully_connected", {"fully_connected_vector_s8", "conv2d_pointwise_vector_s8"}}}}};

class ConvolutionSamples : public ::testing::TestWithParam<std::tuple<std::string_view, size_t>> {};

TEST_P(ConvolutionSamples, EqualThePlainKernel) {
  const auto& [op, index] = GetParam();
  const CoreCase& core = core_cases[index];
  std::mt19937 random(20231);
  std::map<std::string, int> kernels;
  for (int i = 0; i < 12000; ++i) {
    const Sample sample = definition(op).sample(random);
    const std::vector<const Tensor*> in = test::input_pointers(sample);
    const Call call = sample.op->lower_for(core.core, in, sample.out);
    ++kernels[call.kernel];
    const std::vector<Bytes> data = test::random_inputs(sample, random);
    const Bytes output = test::run_guarded(call, data, sample.out, random)[0];
    if (!sample.in[1]->constant()) continue;
    const auto& weighted = dynamic_cast<const WeightedSum&>(*sample.op);
    const Call plain = convolution::lower_plain(weighted.problem(in, sample.out));
    const Bytes expected = test::run_guarded(plain, data, sample.out, random)[0];
    const std::string what = fmt::format("sample {}: {} {{{}}} {} -> {}", i, call.kernel, sample.op->parameters(),
                                         to_text(in[0]->type.shape), to_text(sample.out[0].shape));
    if (sample.out[0].dtype != DType::f32) {
      ASSERT_EQ(output, expected) << what;
    }
  }
  const std::set<std::string_view> expected_kernels = core.fast.at(op);
  for (const std::string_view kernel : expected_kernels) EXPECT_GE(kernels[std::string(kernel)], 20) << kernel;
}

INSTANTIATE_TEST_SUITE_P(Operators, ConvolutionSamples,
                         ::testing::Combine(::testing::Values("conv2d", "depthwise_conv2d", "fully_connected",
                                                              "transpose_conv"),
                                            ::testing::Range(size_t{0}, std::size(core_cases))),
                         [](const auto& info) {
                           return fmt::format("{}_{}", std::get<0>(info.param),
                                              core_cases[std::get<1>(info.param)].name);
                         });

// A dense layer whose weights all are `weight` and whose inputs all are `x`: sums as large as they can be. The
// output is their product by `divisor`. Says which kernel it was.
std::string expect_extremes(const Core& core, int weight, int x, int64_t rows, int64_t depth, int divisor) {
  const int64_t outputs = 37;
  const float scale = 1.0F / static_cast<float>(depth * divisor);
  const Tensor in{"input", {DType::i8, {rows, depth}, {{1.0F}, {0}, -1}}, {}};
  const Tensor weights{
      "weights",
      {DType::i8, {outputs, depth}, {{scale}, {0}, -1}},
      to_bytes(std::vector<int8_t>(static_cast<size_t>(outputs * depth), static_cast<int8_t>(weight)))};
  const Types out{{DType::i8, {rows, outputs}, {{1.0F}, {0}, -1}}};
  const OperatorPtr op = make_fully_connected(Activation::none, false);
  const std::vector<const Tensor*> tensors{&in, &weights};
  const Bytes values = to_bytes(std::vector<int8_t>(static_cast<size_t>(rows * depth), static_cast<int8_t>(x)));
  const Call call = op->lower_for(core, tensors, out);
  std::mt19937 random(1);
  const Bytes output = test::run_guarded(call, {values, weights.data}, out, random)[0];
  const Bytes expected(static_cast<size_t>(rows * outputs),
                       static_cast<std::byte>(std::lround(weight * x / static_cast<double>(divisor))));
  EXPECT_EQ(output, expected) << call.kernel << ", weights " << weight << ", values " << x;
  return call.kernel;
}

TEST(NarrowWeights, SumsAsLargeAsTheyCanBeComeApart) {
  for (const int weight : {-8, 7, -2, -1, 1}) {
    for (const int x : {-128, 127}) {
      for (const int64_t depth : {40, 1500}) {
        for (const int64_t rows : {1, 6}) {
          const std::string kernel = expect_extremes({}, weight, x, rows, depth, 12);
          EXPECT_TRUE(kernel.find("bit_s8") != std::string::npos || kernel.find("ternary") != std::string::npos);
        }
      }
    }
  }
}

// 64 taps are the last whose sums are short; 300 and 1500 fill the words that a pixel's values are added up in.
TEST(UnsignedBytes, SumsAsLargeAsTheyCanBeAreCorrected) {
  for (const int weight : {-127, 100, 127}) {
    for (const int x : {-128, 127}) {
      for (const int64_t depth : {64, 300, 1500}) {
        EXPECT_EQ(expect_extremes({.unsigned_bytes = true}, weight, x, 1, depth, 128),
                  "fully_connected_unsigned_s8");
        EXPECT_EQ(expect_extremes({.unsigned_bytes = true}, weight, x, 6, depth, 128), "conv2d_unsigned_s8");
      }
    }
  }
}

// The cores wrap; the plain kernel must do so too, and defined: the sanitizers watch this test.
TEST(PlainConvolution, SumsWrapAt32Bits) {
  nn::Conv2d p{};
  p.batches = p.in_height = p.in_width = p.in_channels = p.out_height = p.out_width = p.out_channels = 1;
  p.kernel_height = p.kernel_width = p.group_channels = p.group_outputs = 1;
  p.stride_height = p.stride_width = p.dilation_height = p.dilation_width = 1;
  p.low = -128, p.high = 127;
  const int8_t in = 1, weight = 1, shift = 0;
  const int32_t bias = INT32_MAX, multiplier = 1 << 30;
  int8_t out = 0;
  nn::conv2d_s8(p, &in, &weight, &bias, &multiplier, &shift, &out);
  EXPECT_EQ(out, -128);  // INT32_MAX + 1 is INT32_MIN
}

}  // namespace
}  // namespace mote
