// SPDX-License-Identifier: Apache-2.0
// The kernels of a head that learns, and the record that a head is saved as.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "nn/head_record.hpp"
#include "nn/train_two_dense.hpp"
#include "passes/trainable_head.hpp"
#include "support/head_memory.hpp"

namespace mote {
namespace {

// The layer and its cross-entropy in double precision.
double loss_of(const nn::TrainDense& p, const std::vector<double>& parameters, const std::vector<int8_t>& features,
               int label) {
  std::vector<double> scores;
  for (int o = 0; o < p.outputs; ++o) {
    double score = parameters[static_cast<size_t>(p.inputs * p.outputs + o)];
    for (int i = 0; i < p.inputs; ++i)
      score += parameters[static_cast<size_t>(o * p.inputs + i)] * static_cast<double>(p.scale) *
               (features[static_cast<size_t>(i)] - p.zero);
    scores.push_back(score);
  }
  double sum = 0;
  for (const double score : scores) sum += std::exp(score);
  return std::log(sum) - scores[static_cast<size_t>(label)];
}

TEST(TrainDense, GradientsAreThoseOfFiniteDifferences) {
  std::mt19937 random(5);
  std::normal_distribution<float> weight(0.0F, 0.3F);
  for (const nn::TrainDense p : {nn::TrainDense{7, 4, 0.05F, -128}, nn::TrainDense{33, 2, 0.011F, 9}}) {
    std::vector<float> head(head_floats(p), 0.0F);
    const auto count = static_cast<size_t>(nn::dense_parameters(p));
    std::generate_n(head.begin(), count, [&] { return weight(random); });
    std::vector<int8_t> features(static_cast<size_t>(p.inputs));
    for (int8_t& q : features) q = static_cast<int8_t>(static_cast<int>(random() % 256) - 128);
    const std::vector<double> before(head.begin(), head.begin() + static_cast<long>(count));
    const float loss = nn::dense_train(p, features.data(), head.data(), 1, 0.0F, 1.0F);
    EXPECT_NEAR(static_cast<double>(loss), loss_of(p, before, features, 1), 1e-5);
    for (size_t i = 0; i < count; ++i) {
      std::vector<double> above = before, below = before;
      above[i] += 1e-5, below[i] -= 1e-5;
      const double slope = (loss_of(p, above, features, 1) - loss_of(p, below, features, 1)) / 2e-5;
      EXPECT_NEAR(before[i] - static_cast<double>(head[i]), slope, 1e-5) << "parameter " << i;
    }
  }
}

// The same through a clamp and a second layer, from parameters [W1, b1, W2, b2].
double loss_of(const nn::TrainTwoDense& p, const std::vector<double>& parameters,
               const std::vector<int8_t>& features, int label) {
  const nn::TrainDense &front = p.hidden, &last = p.last;
  const double* at = parameters.data();
  std::vector<double> hidden, scores;
  for (int h = 0; h < front.outputs; ++h) {
    double sum = at[front.inputs * front.outputs + h];
    for (int i = 0; i < front.inputs; ++i)
      sum += at[h * front.inputs + i] * static_cast<double>(front.scale) *
             (features[static_cast<size_t>(i)] - front.zero);
    hidden.push_back(std::clamp(sum, static_cast<double>(p.low), static_cast<double>(p.high)));
  }
  at += front.outputs * (front.inputs + 1);
  double all = 0;
  for (int o = 0; o < last.outputs; ++o) {
    double score = at[last.inputs * last.outputs + o];
    for (int h = 0; h < last.inputs; ++h) score += at[o * last.inputs + h] * hidden[static_cast<size_t>(h)];
    scores.push_back(score);
    all += std::exp(score);
  }
  return std::log(all) - scores[static_cast<size_t>(label)];
}

TEST(TrainTwoDense, GradientsAreThoseOfFiniteDifferences) {
  std::mt19937 random(6);
  std::normal_distribution<float> weight(0.0F, 0.4F);
  const float most = std::numeric_limits<float>::max();
  const nn::TrainTwoDense nets[] = {{{9, 6, 0.02F, -128}, {6, 4, 1.0F, 0}, 0.0F, most},
                                    {{5, 11, 0.03F, 7}, {11, 3, 1.0F, 0}, 0.0F, 0.5F},
                                    {{4, 3, 0.01F, 0}, {3, 2, 1.0F, 0}, -most, most}};
  int held = 0, passed = 0;
  for (const nn::TrainTwoDense& p : nets) {
    const auto count = static_cast<size_t>(nn::dense_parameters(p));
    std::vector<float> head(
        2 * count + static_cast<size_t>(p.hidden.inputs + 2 * p.hidden.outputs + p.last.outputs), 0.0F);
    std::generate_n(head.begin(), count, [&] { return weight(random); });
    std::vector<int8_t> features(static_cast<size_t>(p.hidden.inputs));
    for (int8_t& q : features) q = static_cast<int8_t>(static_cast<int>(random() % 256) - 128);
    const std::vector<double> before(head.begin(), head.begin() + static_cast<long>(count));
    const float loss = nn::dense_train(p, features.data(), head.data(), 1, 0.0F, 1.0F);
    EXPECT_NEAR(static_cast<double>(loss), loss_of(p, before, features, 1), 1e-5);
    const nn::DenseHead last = nn::last_layer(p, head.data());
    for (int h = 0; h < p.last.inputs; ++h)
      ++(last.features[h] > p.low && last.features[h] < p.high ? passed : held);
    for (size_t i = 0; i < count; ++i) {
      std::vector<double> above = before, below = before;
      above[i] += 1e-5, below[i] -= 1e-5;
      const double slope = (loss_of(p, above, features, 1) - loss_of(p, below, features, 1)) / 2e-5;
      EXPECT_NEAR(before[i] - static_cast<double>(head[i]), slope, 2e-5) << "parameter " << i;
    }
  }
  EXPECT_GT(held, 4);
  EXPECT_GT(passed, 4);
}

// Two classes, one feature x = 3, from zeros: probabilities 1/2, so the gradient is (1/2) x and -(1/2) x.
TEST(TrainDense, FollowsTheClosedFormulaWithMomentum) {
  const nn::TrainDense p{1, 2, 0.5F, 4};
  const int8_t feature = 10;
  std::vector<float> head(head_floats(p), 7.0F);  // noise, which clearing takes away
  nn::dense_clear(p, head.data());
  EXPECT_NEAR(nn::dense_train(p, &feature, head.data(), 0, 0.9F, 0.1F), std::log(2.0F), 1e-6F);
  EXPECT_FLOAT_EQ(head[0], 0.15F);
  EXPECT_FLOAT_EQ(head[1], -0.15F);
  EXPECT_FLOAT_EQ(head[2], 0.05F);
  EXPECT_FLOAT_EQ(head[3], -0.05F);
  // Scores are +-(3 * 0.15 + 0.05) = +-0.5: the error is p - 1 = -1 / (1 + e), momentum 0.9 * -1.5 - 3 / (1 + e).
  const double error = -1 / (1 + std::exp(1.0));
  nn::dense_train(p, &feature, head.data(), 0, 0.9F, 0.1F);
  EXPECT_NEAR(static_cast<double>(head[0]), 0.15 - 0.1 * (0.9 * -1.5 + 3 * error), 1e-6);
  EXPECT_NEAR(static_cast<double>(head[2]), 0.05 - 0.1 * (0.9 * -0.5 + error), 1e-6);
}

TEST(TrainDense, OtherLabelsChangeNothing) {
  const nn::TrainDense p{1, 2, 0.5F, 4};
  const int8_t feature = 10;
  std::vector<float> head(head_floats(p), 0.25F);
  const std::vector<float> before = head;
  for (const int label : {-1, 2}) EXPECT_EQ(nn::dense_train(p, &feature, head.data(), label, 0.9F, 0.1F), -1.0F);
  EXPECT_EQ(head, before);
}

TEST(TrainDense, LargeScoresStayFinite) {
  const nn::TrainDense p{1, 3, 1.0F, 0};
  const int8_t feature = 100;
  std::vector<float> head(head_floats(p), 0.0F);
  head[0] = 50.0F, head[1] = -50.0F;
  EXPECT_FLOAT_EQ(nn::dense_train(p, &feature, head.data(), 1, 0.0F, 0.01F), 10'000.0F);
  for (const float value : head) EXPECT_TRUE(std::isfinite(value));
}

const nn::HeadRecord record_of{{0x01234567U, 0x89ABCDEFU}, 3, 2, 8};

TEST(HeadRecord, ChecksumIsTheStandardOne) {
  const auto* const text = reinterpret_cast<const uint8_t*>("123456789");
  EXPECT_EQ(nn::crc32(text, 9), 0xCBF43926U);  // the check value of CRC-32/ISO-HDLC
}

TEST(HeadRecord, EveryChangedByteAndEveryTornWriteIsNoticed) {
  const std::vector<float> saved{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<uint8_t> bytes(24 + 32 + 4);
  nn::save_head(record_of, saved.data(), bytes.data());
  std::vector<float> loaded(8, 0.0F);
  EXPECT_EQ(nn::load_head(record_of, bytes.data(), loaded.data()), nn::head_ok);
  EXPECT_EQ(loaded, saved);
  const std::vector<float> untouched(8, 9.0F);
  loaded = untouched;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> damaged = bytes;
      damaged[i] = static_cast<uint8_t>(damaged[i] ^ (1 << bit));
      EXPECT_NE(nn::load_head(record_of, damaged.data(), loaded.data()), nn::head_ok) << "byte " << i;
    }
    std::vector<uint8_t> torn = bytes;
    std::fill(torn.begin() + static_cast<long>(i), torn.end(), uint8_t{0xFF});
    EXPECT_NE(nn::load_head(record_of, torn.data(), loaded.data()), nn::head_ok) << "torn at " << i;
  }
  EXPECT_EQ(loaded, untouched);
}

TEST(HeadRecord, OtherModelsAndVersionsAreToldApart) {
  const std::vector<float> saved(8, 1.0F);
  std::vector<uint8_t> bytes(24 + 32 + 4);
  nn::save_head(record_of, saved.data(), bytes.data());
  std::vector<float> loaded(9);
  nn::HeadRecord other = record_of;
  other.model[1] ^= 1;
  EXPECT_EQ(nn::load_head(other, bytes.data(), loaded.data()), nn::head_other_model);
  other = record_of, other.inputs = 2;
  EXPECT_EQ(nn::load_head(other, bytes.data(), loaded.data()), nn::head_other_model);
  bytes[30] ^= 1;
  EXPECT_EQ(nn::load_head(record_of, bytes.data(), loaded.data()), nn::head_damaged);
  bytes[4] = 2;
  EXPECT_EQ(nn::load_head(record_of, bytes.data(), loaded.data()), nn::head_other_version);
  std::fill(bytes.begin(), bytes.end(), uint8_t{0xFF});
  EXPECT_EQ(nn::load_head(record_of, bytes.data(), loaded.data()), nn::head_none);
}

}  // namespace
}  // namespace mote
