// SPDX-License-Identifier: Apache-2.0
// The predicted int8 form of float models, against the real int8 models that somebody made of them.
#include <gtest/gtest.h>

#include "codegen/codegen.hpp"
#include "fit/predict_int8.hpp"
#include "support/models.hpp"
#include "support/shared.hpp"

namespace mote {
namespace {

class Twins : public testing::TestWithParam<std::string> {};

TEST_P(Twins, ArenaIsTheSameAndWeightsWithinTwoPercent) {
  MOTE_NEEDS_SHARED();
  const auto models = test::shared_directory() / "models";
  const Compiled narrow = compile_file(models / (GetParam() + "_int8.tflite"));
  const Compiled wide = compile_file(models / (GetParam() + "_fp32.tflite"));
  const Int8Prediction predicted = predict_int8(wide.graph);
  ASSERT_TRUE(predicted.model.has_value()) << predicted.obstacle;
  EXPECT_EQ(predicted.model->plan.arena_bytes, narrow.plan.arena_bytes);
  // A few bytes of scales differ: equal constants are stored once, and made-up scales are more often equal.
  const auto real = static_cast<double>(flash_data(narrow.plan).weight_bytes);
  EXPECT_NEAR(static_cast<double>(flash_data(predicted.model->plan).weight_bytes), real, 0.02 * real + 64);
}

INSTANTIATE_TEST_SUITE_P(Models, Twins, testing::Values("resnet", "vww_96", "ad01", "emlearn_mnist"));

TEST(PredictInt8, AnInt8ModelHasNothingToPredict) {
  const Compiled digits = compile_file(test::digits_model());
  EXPECT_FALSE(is_float(digits.graph));
  const Int8Prediction predicted = predict_int8(digits.graph);
  EXPECT_FALSE(predicted.model.has_value());
  EXPECT_EQ(predicted.obstacle, "nothing in it is float");
}

}  // namespace
}  // namespace mote
