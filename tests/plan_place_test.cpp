// SPDX-License-Identifier: Apache-2.0
// The placer against an exhaustive search, and the independent check against spoiled placements.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "plan/plan.hpp"

namespace mote {
namespace {

int64_t uniform(std::mt19937& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
}

// May these two stand there? The rule of plan.hpp, spelled out once more: neither place() nor check() is used.
bool compatible(const PlacementProblem& problem, size_t a, int64_t offset_a, size_t b, int64_t offset_b) {
  const Buffer& first = problem.buffers[a];
  const Buffer& second = problem.buffers[b];
  if (first.bytes == 0 || second.bytes == 0) return true;
  bool meet = false;
  for (int64_t step = 0; step < 64; ++step) {
    meet = meet || (first.live.first <= step && step <= first.live.last && second.live.first <= step &&
                    step <= second.live.last);
  }
  if (!meet || offset_a + first.bytes <= offset_b || offset_b + second.bytes <= offset_a) return true;
  for (const Overlap& overlap : problem.overlaps) {
    if (overlap.output == a && overlap.input == b && offset_a <= offset_b + overlap.distance) return true;
    if (overlap.output == b && overlap.input == a && offset_b <= offset_a + overlap.distance) return true;
  }
  return false;
}

// Tries every offset of every buffer.
bool fits(const PlacementProblem& problem, int64_t arena_bytes, std::vector<int64_t>& offsets) {
  const size_t next = offsets.size();
  if (next == problem.buffers.size()) return true;
  for (int64_t offset = 0; offset + problem.buffers[next].bytes <= arena_bytes;
       offset += problem.buffers[next].align) {
    bool good = true;
    for (size_t i = 0; i < next && good; ++i) good = compatible(problem, next, offset, i, offsets[i]);
    if (!good) continue;
    offsets.push_back(offset);
    if (fits(problem, arena_bytes, offsets)) return true;
    offsets.pop_back();
  }
  return false;
}

int64_t optimum(const PlacementProblem& problem) {
  for (int64_t arena = 0;; ++arena) {
    std::vector<int64_t> offsets;
    if (fits(problem, arena, offsets)) return arena;
  }
}

// `highest_distance` 0: what kernels give that read their input from its first byte on.
PlacementProblem random_problem(std::mt19937& random, size_t buffers, int64_t steps, int64_t highest_distance) {
  PlacementProblem problem;
  for (size_t i = 0; i < buffers; ++i) {
    const int64_t first = uniform(random, 0, steps - 1);
    const int64_t last = std::min(steps - 1, first + uniform(random, 0, 2));
    problem.buffers.push_back({uniform(random, 0, 7), uniform(random, 1, 2), {first, last}, -1});
  }
  for (size_t output = 0; output < buffers; ++output) {
    for (size_t input = 0; input < buffers; ++input) {
      const Buffer& written = problem.buffers[output];
      const Buffer& read = problem.buffers[input];
      if (written.live.first != read.live.last || output == input || random() % 3 == 0) continue;
      if (written.live.first == written.live.last && input > output) continue;  // no circles within one step
      problem.overlaps.push_back({output, input, uniform(random, -written.bytes, highest_distance)});
    }
  }
  return problem;
}

// A model without branches: layer i reads tensor i and writes tensor i + 1.
PlacementProblem chain(std::mt19937& random, int64_t layers, int64_t most_bytes, int64_t align) {
  PlacementProblem problem;
  for (int64_t i = 0; i <= layers; ++i) {
    const Interval live{std::max<int64_t>(i - 1, 0), std::min(i, layers - 1)};
    problem.buffers.push_back({uniform(random, 1, most_bytes), align, live, -1});
    const auto index = static_cast<size_t>(i);
    if (i == 0 || random() % 4 == 0) continue;
    problem.overlaps.push_back({index, index - 1, uniform(random, -problem.buffers[index].bytes, 0)});
  }
  return problem;
}

TEST(Place, IsOptimalOnSmallRandomProblems) {
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    const PlacementProblem problem = random_problem(random, 2 + random() % 5, 1 + uniform(random, 0, 4), 0);
    const Placement placement = place(problem);
    ASSERT_NO_THROW(check(problem, placement)) << i;
    const int64_t least = optimum(problem);
    EXPECT_EQ(placement.arena_bytes, least) << i;
    EXPECT_LE(lower_bound_bytes(problem), least) << i;
  }
}

TEST(Place, IsOptimalOnSmallChains) {
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    const PlacementProblem problem = chain(random, 2 + uniform(random, 0, 4), 9, 1 + uniform(random, 0, 1));
    const Placement placement = place(problem);
    ASSERT_NO_THROW(check(problem, placement)) << i;
    EXPECT_EQ(placement.arena_bytes, optimum(problem)) << i;
    EXPECT_LE(lower_bound_bytes(problem), placement.arena_bytes) << i;
  }
}

// Positive distances (a kernel that skips the start of its input) are rare; there the search is not complete.
TEST(Place, IsValidAndNearlyOptimalWithPositiveDistances) {
  std::mt19937 random(3);
  int64_t placed = 0, least = 0;
  for (int i = 0; i < 200; ++i) {
    const PlacementProblem problem = random_problem(random, 2 + random() % 5, 1 + uniform(random, 0, 4), 4);
    const Placement placement = place(problem);
    ASSERT_NO_THROW(check(problem, placement)) << i;
    const int64_t best = optimum(problem);
    EXPECT_LE(lower_bound_bytes(problem), best) << i;
    placed += placement.arena_bytes;
    least += best;
  }
  EXPECT_LE(placed * 100, least * 101);
}

// The buffers [first, first + count) alone: what they need is needed by the whole problem too.
PlacementProblem window(const PlacementProblem& problem, size_t first, size_t count) {
  PlacementProblem part;
  for (size_t i = first; i < first + count; ++i) part.buffers.push_back(problem.buffers[i]);
  for (const Overlap& overlap : problem.overlaps) {
    const size_t lower = std::min(overlap.output, overlap.input), upper = std::max(overlap.output, overlap.input);
    if (lower < first || upper >= first + count) continue;
    part.overlaps.push_back({overlap.output - first, overlap.input - first, overlap.distance});
  }
  return part;
}

TEST(Place, LongChainsNeedNoMoreThanTheirHardestPart) {
  std::mt19937 random(4);
  for (int i = 0; i < 20; ++i) {
    const PlacementProblem problem = chain(random, 60, 40'000, 4);
    const Placement placement = place(problem);
    ASSERT_NO_THROW(check(problem, placement)) << i;
    int64_t hardest = lower_bound_bytes(problem);
    for (size_t first = 0; first + 7 <= problem.buffers.size(); ++first) {
      hardest = std::max(hardest, place(window(problem, first, 7)).arena_bytes);
    }
    EXPECT_LE(placement.arena_bytes * 100, hardest * 101) << i << " bound " << lower_bound_bytes(problem);
  }
}

TEST(Place, IsDeterministicAndBoundedInTime) {
  std::mt19937 random(5);
  for (int i = 0; i < 5; ++i) {
    const PlacementProblem problem = random_problem(random, 150, 60, 0);
    const auto start = std::chrono::steady_clock::now();
    const Placement once = place(problem);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    ASSERT_NO_THROW(check(problem, once));
    EXPECT_EQ(once.offsets, place(problem).offsets);
  }
}

TEST(Place, NothingTakesNothing) {
  EXPECT_EQ(place({}).arena_bytes, 0);
  EXPECT_EQ(lower_bound_bytes({}), 0);
  EXPECT_NO_THROW(check({}, {}));
}

// A depthwise layer of 4 rows of 10 bytes that reads one row ahead: 50 bytes instead of 80.
PlacementProblem two_layers() {
  return {{{40, 1, {0, 0}, -1}, {40, 1, {0, 1}, -1}, {20, 1, {1, 1}, -1}}, {{1, 0, -10}, {2, 1, 0}}};
}

TEST(Place, UsesBothDirectionsOfAnOverlap) {
  EXPECT_EQ(place(two_layers()).arena_bytes, 50);
  EXPECT_EQ(lower_bound_bytes(two_layers()), 50);
}

TEST(Check, AcceptsWhatThePermissionAllowsAndNoByteMore) {
  EXPECT_NO_THROW(check(two_layers(), {{10, 0, 0}, 50}));
  EXPECT_THROW(check(two_layers(), {{9, 0, 0}, 50}), Error);    // reads what was overwritten
  EXPECT_THROW(check(two_layers(), {{0, 10, 10}, 50}), Error);  // the wrong way round
  EXPECT_THROW(check(two_layers(), {{10, 0, 1}, 50}), Error);
  EXPECT_THROW(check(two_layers(), {{10, 0, 0}, 49}), Error);  // leaves the arena
  EXPECT_THROW(check(two_layers(), {{10, 0, -1}, 50}), Error);
  EXPECT_THROW(check(two_layers(), {{10, 0}, 50}), Error);
  PlacementProblem longer = two_layers();
  longer.buffers[0].live.last = 1;  // the input is still needed: the permission is void
  EXPECT_THROW(check(longer, {{10, 0, 60}, 80}), Error);
  PlacementProblem aligned = two_layers();
  aligned.buffers[0].align = 4;
  EXPECT_THROW(check(aligned, {{10, 0, 0}, 50}), Error);
  EXPECT_NO_THROW(check(aligned, {{12, 0, 0}, 52}));
}

TEST(Check, NamesTheTwoBuffers) {
  try {
    check(two_layers(), {{9, 0, 0}, 50});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the memory plan is wrong: buffer 1 (bytes 0 to 40, steps 0 to 1) and buffer 0 (bytes 9 "
                 "to 49, steps 0 to 0) share 31 bytes while both are alive");
  }
}

// Every spoiling of a good placement that breaks the rule must be seen, and no other.
TEST(Check, AgreesWithTheRuleOnSpoiledPlacements) {
  std::mt19937 random(6);
  int rejected = 0;
  for (int i = 0; i < 3000; ++i) {
    PlacementProblem problem = random_problem(random, 5, 4, 2);
    Placement placement = place(problem);
    const size_t victim = random() % problem.buffers.size();
    switch (random() % 4) {
      case 0: placement.offsets[victim] += problem.buffers[victim].align * (random() % 2 == 0 ? 1 : -1); break;
      case 1: problem.buffers[victim].live.last += 1; break;
      case 2: problem.buffers[victim].bytes += 1; break;
      case 3:
        if (!problem.overlaps.empty()) problem.overlaps[random() % problem.overlaps.size()].distance -= 1;
        break;
    }
    if (placement.offsets[victim] < 0) continue;
    placement.arena_bytes += 8;
    bool good = true;
    for (size_t a = 0; a < problem.buffers.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        const Buffer &first = problem.buffers[a], &second = problem.buffers[b];
        const bool apart = first.live.last < second.live.first || second.live.last < first.live.first;
        PlacementProblem valid =
            problem;  // a permission holds only while the input dies in the output's first step
        std::erase_if(valid.overlaps, [&](const Overlap& overlap) {
          return problem.buffers[overlap.output].live.first != problem.buffers[overlap.input].live.last;
        });
        good = good && (apart || compatible(valid, a, placement.offsets[a], b, placement.offsets[b]));
      }
    }
    bool accepted = true;
    try {
      check(problem, placement);
    } catch (const Error&) {
      accepted = false;
      ++rejected;
    }
    ASSERT_EQ(accepted, good) << i;
  }
  EXPECT_GT(rejected, 500);
}

}  // namespace
}  // namespace mote
