// SPDX-License-Identifier: Apache-2.0
// Buffers over several memories: the hot ones in the fast memory. Knows buffers and memories, no graph.
#pragma once

#include <optional>

#include "plan/plan.hpp"

namespace mote {

struct MemoryRegion {
  int64_t bytes = 0;
  double access_cost = 1;  // of one access, in any unit; a region never costs less than one before it
  std::string name = {};   // for people
};

struct RegionPlacement {
  std::vector<size_t> region;       // one a buffer
  std::vector<int64_t> offsets;     // one a buffer, in its region
  std::vector<int64_t> used_bytes;  // one a region: the arena there
  double cost = 0;                  // accesses times the cost of each buffer's region
};

// Chooses a region for every buffer so that each region's own plan fits it and few accesses go to slow ones.
// Buffers in different regions share nothing, so permissions between them lapse. With two regions the choice is
// optimal when the search ends within its limit (problems of about fifteen buffers); beyond, the best found. With
// more, the first takes the set that leaves fewest accesses to all others, which must have room for the rest
// together, and so on: each choice is as good as for two, but one that is good for the first may be bad for the
// second. Every region's plan went through check(). nullopt: no placement was found. Deterministic.
[[nodiscard]] std::optional<RegionPlacement> place_in_regions(const PlacementProblem& problem,
                                                              const std::vector<double>& accesses,
                                                              const std::vector<MemoryRegion>& regions);

// Gives the plan an arena in each region that it needs, proven by check_plan(); regions that stay empty get none.
// false: no placement was found, and the plan is as it was.
[[nodiscard]] bool spread(Plan& plan, const std::vector<double>& accesses,
                          const std::vector<MemoryRegion>& regions);

}  // namespace mote
