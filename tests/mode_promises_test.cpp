// SPDX-License-Identifier: Apache-2.0
#include "zoo/mode_promises.hpp"

#include <gtest/gtest.h>

namespace mote {
namespace {

BookRow row(const char* mode, int64_t instructions, int64_t code_bytes) {
  BookRow row;
  row.model = "a.tflite", row.target = "lx106", row.mode = mode;
  row.instructions = instructions, row.code_bytes = code_bytes;
  return row;
}

std::vector<std::string> broken(const BookRow& size, const BookRow& balanced, const BookRow& speed) {
  std::vector<std::string> texts;
  for (const BrokenPromise& promise : broken_promises({size, balanced, speed}))
    texts.push_back(promise.mode + " " + promise.what);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(ModePromises, AreKeptUpToTheirLimits) {
  EXPECT_EQ(broken(row("size", 200, 1000), row("balanced", 100, 1600), row("speed", 85, 3000)), Texts());
  EXPECT_EQ(broken(row("size", 100, 1000), row("balanced", 100, 1000), row("speed", 100, 1000)), Texts());
}

TEST(ModePromises, EachIsJudged) {
  EXPECT_EQ(broken(row("size", 200, 1000), row("balanced", 100, 1600), row("speed", 84, 3000)),
            Texts{"balanced speed"});
  EXPECT_EQ(broken(row("size", 200, 1000), row("balanced", 100, 1601), row("speed", 85, 3000)),
            Texts{"balanced code"});
  EXPECT_EQ(broken(row("size", 200, 1000), row("balanced", 100, 1600), row("speed", 85, 3001)),
            Texts{"speed code"});
  EXPECT_EQ(broken(row("size", 98, 1000), row("balanced", 100, 1600), row("speed", 85, 3000)),
            Texts{"balanced slower than size"});
  EXPECT_EQ(broken(row("size", 200, 1000), row("balanced", 100, 1600), row("speed", 102, 3000)),
            Texts{"speed slower than balanced"});
}

TEST(ModePromises, WhatWasBrokenBeforeMayStayAsItIs) {
  const auto judged = [](int64_t balanced_instructions, int64_t balanced_code) {
    return broken_promises(
        {row("size", 300, 1000), row("balanced", balanced_instructions, balanced_code), row("speed", 80, 3000)});
  };
  const std::vector<BrokenPromise> known = judged(100, 1700);  // speed and code
  EXPECT_EQ(known.size(), 2U);
  EXPECT_TRUE(newly_broken(judged(101, 1733), known).empty());
  EXPECT_EQ(newly_broken(judged(103, 1700), known).size(), 1U);
  EXPECT_EQ(newly_broken(judged(100, 1740), known).size(), 1U);
  EXPECT_EQ(newly_broken(known, judged(100, 1500)).size(), 1U);
}

TEST(ModePromises, TakeAllThreeModesToJudge) {
  BookRow failed = row("balanced", 100, 9000);
  failed.code_bytes.reset();
  EXPECT_EQ(broken(row("size", 200, 1000), failed, row("speed", 85, 9000)), Texts());
  EXPECT_TRUE(broken_promises({row("size", 1, 1000), row("speed", 85, 9000)}).empty());
}

}  // namespace
}  // namespace mote
