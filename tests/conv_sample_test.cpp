// SPDX-License-Identifier: Apache-2.0
// Random convolutions: the chosen kernel against the plain kernel (equal bytes) and against the mathematics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ops/convolution.hpp"
#include "ops/registry.hpp"
#include "support/run_call.hpp"

namespace mote {
namespace {

const OpDef& definition(std::string_view name) {
  for (const OpDef* def : op::all()) {
    if (def->name == name) return *def;
  }
  fail("no operator {}", name);
}

std::vector<const Tensor*> pointers(const Sample& sample) {
  std::vector<const Tensor*> in;
  for (const std::optional<Tensor>& tensor : sample.in) in.push_back(tensor ? &*tensor : nullptr);
  return in;
}

void expect_near_reference(const Sample& sample, const std::vector<Bytes>& data, ByteSpan output) {
  const std::vector<const Tensor*> in = pointers(sample);
  Reals reals;
  for (size_t i = 0; i < in.size(); ++i) reals.push_back(test::to_reals(in[i]->type, data[i]));
  const std::vector<double> expected = sample.op->reference(in, sample.out, reals)[0];
  const std::vector<double> actual = test::to_reals(sample.out[0], output);
  ASSERT_EQ(actual.size(), expected.size());
  double range = 1.0;
  if (sample.out[0].dtype != DType::f32) {
    range = static_cast<double>(sample.out[0].quant.scale[0]);
  } else {
    for (const double value : expected) range = std::max(range, std::abs(value));
  }
  for (size_t i = 0; i < actual.size(); ++i) {
    const double limited = test::clamp_to_type(sample.out[0], expected[i]);
    ASSERT_NEAR(actual[i], limited, sample.tolerance * range) << "element " << i;
  }
}

class ConvolutionSamples : public ::testing::TestWithParam<std::string_view> {};

TEST_P(ConvolutionSamples, EqualPlainKernelAndReference) {
  std::mt19937 random(20231);
  std::map<std::string, int> kernels;
  for (int i = 0; i < 1500; ++i) {
    const Sample sample = definition(GetParam()).sample(random);
    const std::vector<const Tensor*> in = pointers(sample);
    const Call call = sample.op->lower(in, sample.out);
    ++kernels[call.kernel];
    const std::vector<Bytes> data = test::random_inputs(in, random);
    const Bytes output = test::run_call(call, data, sample.out)[0];
    const auto& weighted = dynamic_cast<const WeightedSum&>(*sample.op);
    const Call plain = convolution::lower_plain(weighted.problem(in, sample.out));
    const Bytes expected = test::run_call(plain, data, sample.out)[0];
    const std::string what = fmt::format("sample {}: {} {{{}}} {} -> {}", i, call.kernel, sample.op->parameters(),
                                         to_text(in[0]->type.shape), to_text(sample.out[0].shape));
    if (sample.out[0].dtype == DType::i8) {
      ASSERT_EQ(output, expected) << what;
    }
    expect_near_reference(sample, data, output);
    ASSERT_FALSE(HasFailure()) << what;
  }
  for (const auto& [kernel, count] : kernels) RecordProperty(kernel, count);
}

INSTANTIATE_TEST_SUITE_P(Operators, ConvolutionSamples,
                         ::testing::Values("conv2d", "depthwise_conv2d", "fully_connected"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mote
