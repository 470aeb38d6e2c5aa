// SPDX-License-Identifier: Apache-2.0
// Where tests find models and data that the project does not ship.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

namespace mote::test {

// The folder beside the checkout with real models and golden vectors; it may be absent.
[[nodiscard]] std::filesystem::path shared_directory();

}  // namespace mote::test

// In a test that needs that folder: skips with a printed reason when it is absent.
#define MOTE_NEEDS_SHARED()                                                \
  if (!std::filesystem::exists(mote::test::shared_directory() / "models")) \
  GTEST_SKIP() << "needs " << mote::test::shared_directory() << " (real models), which is not there"
