// SPDX-License-Identifier: Apache-2.0
// Buffers over several memories: against every possible choice on small problems.
#include <gtest/gtest.h>

#include <random>

#include "plan/regions.hpp"

namespace mote {
namespace {

struct Case {
  PlacementProblem problem;
  std::vector<double> accesses;
};

Case random_case(std::mt19937& random, size_t buffers) {
  const auto number = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  Case result;
  for (size_t i = 0; i < buffers; ++i) {
    const int64_t first = number(0, 5);
    result.problem.buffers.push_back({4 * number(1, 20), 4, {first, first + number(0, 3)}, -1});
    result.accesses.push_back(static_cast<double>(number(1, 100)));
  }
  for (size_t i = 1; i < buffers; ++i) {
    if (result.problem.buffers[i].live.first == result.problem.buffers[i - 1].live.last)
      result.problem.overlaps.push_back({i, i - 1, number(-8, 8)});
  }
  return result;
}

PlacementProblem subset(const PlacementProblem& problem, unsigned mask, bool in) {
  PlacementProblem part;
  std::vector<size_t> index(problem.buffers.size(), no_buffer);
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    if (((mask >> i & 1U) != 0) != in) continue;
    index[i] = part.buffers.size();
    part.buffers.push_back(problem.buffers[i]);
  }
  for (const Overlap& overlap : problem.overlaps) {
    if (index[overlap.output] != no_buffer && index[overlap.input] != no_buffer)
      part.overlaps.push_back({index[overlap.output], index[overlap.input], overlap.distance});
  }
  return part;
}

// The least accesses that move to the second memory, over all 2^n choices; infinity: none fits.
double least_moved(const Case& one, int64_t fast, int64_t slow) {
  double best = std::numeric_limits<double>::infinity();
  for (unsigned mask = 0; mask < 1U << one.problem.buffers.size(); ++mask) {
    if (place(subset(one.problem, mask, true)).arena_bytes > slow) continue;
    if (place(subset(one.problem, mask, false)).arena_bytes > fast) continue;
    double moved = 0;
    for (size_t i = 0; i < one.accesses.size(); ++i) moved += (mask >> i & 1U) != 0 ? one.accesses[i] : 0;
    best = std::min(best, moved);
  }
  return best;
}

// No two buffers that are alive together and in one memory share a byte without permission.
void expect_valid(const Case& one, const RegionPlacement& placed, const std::vector<MemoryRegion>& regions) {
  for (size_t region = 0; region < regions.size(); ++region) {
    EXPECT_LE(placed.used_bytes[region], regions[region].bytes);
    unsigned mask = 0;
    Placement part{{}, placed.used_bytes[region]};
    for (size_t i = 0; i < placed.region.size(); ++i) {
      if (placed.region[i] != region) continue;
      mask |= 1U << i;
      part.offsets.push_back(placed.offsets[i]);
    }
    EXPECT_NO_THROW(check(subset(one.problem, mask, true), part));
  }
}

TEST(Regions, AsGoodAsEveryChoiceTried) {
  std::mt19937 random(7);
  int splits = 0, impossible = 0;
  for (int round = 0; round < 150; ++round) {
    const Case one = random_case(random, 3 + static_cast<size_t>(round % 6));
    const int64_t whole = place(one.problem).arena_bytes;
    const int64_t fast = whole * (20 + round % 90) / 100, slow = round % 5 == 0 ? whole / 3 : 1 << 20;
    const std::vector<MemoryRegion> regions{{fast, 1}, {slow, 10}};
    const auto placed = place_in_regions(one.problem, one.accesses, regions);
    const double best = least_moved(one, fast, slow);
    if (std::isinf(best)) {
      EXPECT_FALSE(placed.has_value());
      ++impossible;
      continue;
    }
    ASSERT_TRUE(placed.has_value()) << round;
    expect_valid(one, *placed, regions);
    double moved = 0;
    for (size_t i = 0; i < one.accesses.size(); ++i) moved += placed->region[i] == 1 ? one.accesses[i] : 0;
    EXPECT_EQ(moved, best) << round;
    splits += moved > 0 ? 1 : 0;
  }
  EXPECT_GT(splits, 50);
  EXPECT_GT(impossible, 0);
}

TEST(Regions, WhatFitsTheFirstStaysThereAsItWas) {
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    const Case one = random_case(random, 8);
    const Placement whole = place(one.problem);
    const auto placed = place_in_regions(one.problem, one.accesses, {{whole.arena_bytes, 1}, {1 << 20, 10}});
    ASSERT_TRUE(placed.has_value());
    EXPECT_EQ(placed->offsets, whole.offsets);
    EXPECT_EQ(placed->used_bytes, (std::vector<int64_t>{whole.arena_bytes, 0}));
  }
}

TEST(Regions, HotBytesStayFast) {
  const PlacementProblem problem{{{100, 4, {0, 1}, -1}, {100, 4, {0, 1}, -1}, {100, 4, {0, 1}, -1}}, {}};
  const auto placed = place_in_regions(problem, {5, 50, 7}, {{200, 1}, {1000, 8}});
  ASSERT_TRUE(placed.has_value());
  EXPECT_EQ(placed->region, (std::vector<size_t>{1, 0, 0}));
  EXPECT_EQ(placed->cost, 50 + 7 + 5 * 8);
}

}  // namespace
}  // namespace mote
