// SPDX-License-Identifier: Apache-2.0
// Quantisation of models that compute on reals with weights stored as integers.
#include <gtest/gtest.h>

#include <cmath>

#include "quantize/compare.hpp"
#include "quantize/quantize.hpp"
#include "support/float_net.hpp"

namespace mote {
namespace {

using Fused = tflite::schema::ActivationFunctionType;

// The two forms of one network: weights as integers beside real activations, and as the reals that they stand for.
struct Forms {
  Graph stored, plain;
};

void store_weights(Forms& forms, size_t node, bool per_channel) {
  const TensorId id = forms.plain.nodes[node].in[1];
  Tensor& plain = forms.plain.tensors[id];
  Tensor& stored = forms.stored.tensors[id];
  const auto channels = per_channel ? static_cast<size_t>(plain.type.shape[0]) : 1;
  std::vector<float> reals = to_values<float>(plain.data);
  stored.type.dtype = DType::i8;
  stored.type.quant = {{}, std::vector<int32_t>(channels, 0), per_channel ? 0 : -1};
  std::vector<int8_t> integers;
  const size_t row = reals.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    const float scale = 0.004F + 0.0005F * static_cast<float>(c);
    stored.type.quant.scale.push_back(scale);
    for (size_t i = c * row; i < (c + 1) * row; ++i) {
      integers.push_back(static_cast<int8_t>(std::lround(reals[i] / scale)));
      reals[i] = scale * static_cast<float>(integers.back());
    }
  }
  stored.data = to_bytes(integers);
  plain.data = to_bytes(reals);
}

Forms two_forms() {
  test::FloatNet net(51);
  const int x = net.input({1, 6, 6, 2});
  const int c = net.depthwise(net.conv(x, 4, 3, Fused::RELU), 3, Fused::RELU6);
  Forms forms;
  forms.plain = net.graph({net.dense(net.reshape(c, {1, 144}), 5, Fused::NONE)});
  forms.stored = forms.plain;
  store_weights(forms, 0, true);
  store_weights(forms, forms.plain.nodes.size() - 1, false);
  verify(forms.stored);
  return forms;
}

TEST(QuantizeStored, WeightsAreQuantisedFromTheRealsThatTheyStandFor) {
  const Forms forms = two_forms();
  const Samples samples = test::random_samples(forms.plain, 20, -1, 1);
  const QuantizedModel stored = quantize(forms.stored, samples), plain = quantize(forms.plain, samples);
  EXPECT_EQ(stored.file, plain.file);
  EXPECT_TRUE(plain.notes.empty());
  ASSERT_EQ(stored.notes.size(), 1U);
  EXPECT_NE(stored.notes[0].find("weights of 2 tensors"), std::string::npos) << stored.notes[0];
  for (const LayerFigures& layer : compare_layers(stored.real, stored.integer, samples))
    EXPECT_TRUE(layer.integer) << layer.name;
}

TEST(QuantizeStored, IntegersThatAreAnOutputTooAreNotTouched) {
  Forms forms = two_forms();
  const Samples samples = test::random_samples(forms.plain, 4, -1, 1);
  forms.stored.outputs.push_back(forms.stored.nodes[0].in[1]);
  EXPECT_THROW((void)quantize(forms.stored, samples), Error);
}

}  // namespace
}  // namespace mote
