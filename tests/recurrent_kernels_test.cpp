// SPDX-License-Identifier: Apache-2.0
// The arithmetic of LSTM and signal kernels against their formulas, and the options of custom operators.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "formats/custom_options.hpp"
#include "nn/fixed_sigmoid.hpp"
#include "nn/signal.hpp"
#include "ops/sigmoid_table.hpp"

namespace mote::test {
namespace {

TEST(SixteenBitSigmoid, StaysWithinTwoStepsOfTheFormulaEverywhere) {
  const std::vector<uint16_t> table = to_values<uint16_t>(op::sigmoid_table().data);
  ASSERT_EQ(table.size(), 256U);
  for (int x = -32768; x < 32768; ++x) {
    const double real = x / 4096.0;
    EXPECT_NEAR(nn::table_sigmoid(table.data(), 3 * x), 32768.0 / (1.0 + std::exp(-real)), 2.0) << x;
    EXPECT_NEAR(nn::table_tanh(table.data(), 3 * x), 32768.0 * std::tanh(real), 3.0) << x;
  }
}

TEST(SixteenBitSigmoid, SaturatesBeyondTheTable) {
  const std::vector<uint16_t> table = to_values<uint16_t>(op::sigmoid_table().data);
  EXPECT_EQ(nn::table_sigmoid(table.data(), 3 * 65536), 32767);
  EXPECT_EQ(nn::table_sigmoid(table.data(), -3 * 65536), 1);  // 1 - sigmoid of the other side
  EXPECT_EQ(nn::table_tanh(table.data(), 3 * 65536), 32767);
  EXPECT_EQ(nn::table_tanh(table.data(), -3 * 65536), -32767);  // odd
}

TEST(SquareRoot, IsTheNearestInteger) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto wide = static_cast<uint64_t>(random()) >> (random() % 64);
    const uint64_t root = nn::nearest_square_root<uint64_t>(wide);
    // The halfway point between two roots is no integer: (r + 1/2)^2 = r^2 + r + 1/4.
    const auto square = static_cast<unsigned __int128>(root) * root;
    EXPECT_TRUE(root == 0xFFFFFFFFU || wide <= square + root) << wide;
    EXPECT_TRUE(root == 0 || wide + root > square) << wide;
  }
  EXPECT_EQ(nn::nearest_square_root<uint32_t>(0xFFFFFFFFU), 65535U);
  EXPECT_EQ(nn::nearest_square_root<uint32_t>(0), 0U);
}

TEST(BitLength, CountsUpToTheHighestBit) {
  EXPECT_EQ(nn::bit_length(0), 0);
  for (int bit = 0; bit < 32; ++bit) {
    EXPECT_EQ(nn::bit_length(uint32_t{1} << bit), bit + 1);
    EXPECT_EQ(nn::bit_length((uint32_t{2} << bit) - 1), bit + 1);
  }
}

// {"shift": 12, "step": 300} as the FlexBuffers library for Python writes it.
const std::vector<uint8_t> two_options{0x73, 0x68, 0x69, 0x66, 0x74, 0x00, 0x73, 0x74, 0x65, 0x70,
                                       0x00, 0x02, 0x0c, 0x07, 0x02, 0x00, 0x01, 0x00, 0x02, 0x00,
                                       0x0c, 0x00, 0x2c, 0x01, 0x05, 0x05, 0x06, 0x25, 0x01};

tflite::OpView view_of(const std::vector<uint8_t>& bytes) {
  tflite::OpView view;
  view.custom_options = std::as_bytes(std::span(bytes));
  return view;
}

template <class Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(CustomOptions, AreReadByNameAndNoneMayBeLeftOver) {
  const tflite::OpView view = view_of(two_options);
  tflite::CustomOptions options(view);
  EXPECT_EQ(options.integer("step", 0, 1000), 300);
  EXPECT_EQ(error_of([&] { options.require_all_read(); }), "has an option 'shift', which Mote does not know");
  EXPECT_EQ(options.integer("shift", 0, 31), 12);
  EXPECT_NO_THROW(options.require_all_read());
  EXPECT_EQ(error_of([&] { (void)options.integer("step", 0, 31); }),
            "has option step = 300, it must be from 0 to 31");
  EXPECT_EQ(error_of([&] { (void)options.integer("size", 0, 31); }),
            "has no integer option 'size'; convert the model again");
}

TEST(CustomOptions, ThatAreNoMapAreAnError) {
  for (const std::vector<uint8_t>& bytes :
       {std::vector<uint8_t>{}, {1, 2, 3, 4, 5}, std::vector<uint8_t>(40, 0xFF), {5, 4, 1}}) {
    EXPECT_EQ(error_of([&] { const tflite::CustomOptions options(view_of(bytes)); }),
              "carries custom options that are no FlexBuffers map; convert the model again");
  }
}

}  // namespace
}  // namespace mote::test
