// SPDX-License-Identifier: Apache-2.0
// Any bytes become a checked view of a .tflite file or one Error.
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "formats/tflite_view.hpp"
#include "support/shared.hpp"

namespace mote {
namespace {

TEST(FormatsTflite, EveryRealModelOpensAsAView) {
  MOTE_NEEDS_SHARED();
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_directory() / "models")) {
    if (entry.path().extension() != ".tflite") continue;
    ++count;
    const tflite::Model model = tflite::parse(read_file(entry.path()));
    EXPECT_FALSE(model.operators.empty()) << entry.path();
    for (const tflite::FileOperator& op : model.operators) EXPECT_EQ(op.problem, "") << entry.path();
    for (const tflite::FileTensor& tensor : model.tensors) {
      // The audio front ends of TFLM use unsigned words; nothing else in the collection is out of reach here.
      if (tensor.problem.starts_with("has data type UINT32,") || tensor.problem.starts_with("has data type UINT64,")) {
        EXPECT_TRUE(entry.path().filename().string().starts_with("audio_pre")) << entry.path();
      } else {
        EXPECT_EQ(tensor.problem, "") << entry.path();
      }
    }
  }
  EXPECT_GE(count, 158u);
}

}  // namespace
}  // namespace mote
