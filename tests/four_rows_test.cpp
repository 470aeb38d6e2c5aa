// SPDX-License-Identifier: Apache-2.0
// One row of values times four rows of weights, in the orders of all cores, against the plain sums.
#include "nn/four_rows.hpp"

#include <gtest/gtest.h>

#include <random>

#include "ops/four_rows.hpp"

namespace mote::op {
namespace {

int8_t byte(std::mt19937& random) { return static_cast<int8_t>(random() % 256); }

template <class Rows>
void expect_sums(FourRows order) {
  std::mt19937 random(6);
  for (size_t taps = 1; taps <= 70; ++taps) {
    std::vector<int8_t> values(taps), packed;
    for (int8_t& value : values) value = byte(random);
    std::array<std::vector<int8_t>, 4> rows, next;
    for (auto* const four : {&rows, &next}) {
      for (std::vector<int8_t>& row : *four) {
        for (size_t k = 0; k < taps; ++k) row.push_back(byte(random));
      }
      pack_four_rows(order, {(*four)[0], (*four)[1], (*four)[2], (*four)[3]}, packed);
    }
    end_four_rows(order, packed);
    const int32_t starts[] = {5, 0, -6, 0, 70000, 0, -80000};
    const int8_t* weights = packed.data();
    for (const auto* const four : {&rows, &next}) {
      int32_t sums[4];
      weights = Rows::multiply(values.data(), static_cast<int32_t>(taps), weights, starts, sums);
      for (size_t row = 0; row < 4; ++row) {
        int32_t expected = starts[2 * row];
        for (size_t k = 0; k < taps; ++k) expected += values[k] * (*four)[row][k];
        ASSERT_EQ(sums[row], expected) << "row " << row << " of " << taps << " taps";
      }
    }
    EXPECT_LE(weights, packed.data() + packed.size());
  }
}

TEST(FourRowsOfWeights, ScalarOrder) { expect_sums<nn::ScalarRows>(FourRows::scalar); }
TEST(FourRowsOfWeights, PairedOrder) { expect_sums<nn::PairedRows>(FourRows::paired); }
TEST(FourRowsOfWeights, VectorOrder) { expect_sums<nn::VectorRows>(FourRows::vector); }

}  // namespace
}  // namespace mote::op
