// SPDX-License-Identifier: Apache-2.0
// No two kernel headers define the same name differently: all of them compile in one file.
#include <gtest/gtest.h>

#include "all_kernels.hpp"

TEST(Kernels, CompileTogether) { EXPECT_EQ(nn::clamp(7, 0, 5), 5); }
