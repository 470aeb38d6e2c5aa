// SPDX-License-Identifier: Apache-2.0
#include "fit/assess.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fit/costs.hpp"
#include "plan/regions.hpp"

namespace mote {

namespace {

constexpr double tight_fraction = 0.1;  // of a memory's capacity: less than this left is tight

bool usable(const BoardMemory& memory, bool optional_memory) {
  return memory.kind != MemoryKind::flash && (optional_memory || !memory.optional);
}

// All memories for data, the fastest first, none used yet.
std::vector<const BoardMemory*> data_memories(const Board& board, bool optional_memory) {
  std::vector<const BoardMemory*> memories;
  for (const BoardMemory& memory : board.memory) {
    if (usable(memory, optional_memory)) memories.push_back(&memory);
  }
  std::stable_sort(memories.begin(), memories.end(), [](const BoardMemory* a, const BoardMemory* b) {
    const bool internal_a = a->kind == MemoryKind::ram, internal_b = b->kind == MemoryKind::ram;
    return internal_a != internal_b ? internal_a : a->speed > b->speed;
  });
  return memories;
}

std::vector<RamUse> empty_uses(const std::vector<const BoardMemory*>& memories, size_t home, const Board& board,
                               const Need& need) {
  std::vector<RamUse> uses;
  for (const BoardMemory* const memory : memories) uses.push_back({memory->name, memory->bytes, 0, 0, 0, {}});
  uses[home].stack_bytes = need.stack_bytes;
  uses[home].reserved_bytes = board.reserved_ram_bytes;
  return uses;
}

int64_t free_bytes(const RamUse& use) { return use.capacity_bytes - use.used_bytes(); }

struct Layout {
  std::vector<RamUse> uses;
  bool split = false;
  int64_t left = std::numeric_limits<int64_t>::min();  // in the memory of the arena; negative: missing
  double slow_cycles = 0, external_bytes = 0;
};

double free_fraction(const RamUse& use) {
  return static_cast<double>(free_bytes(use)) / static_cast<double>(use.capacity_bytes);
}

// Stack and reserve in one internal memory, the whole arena in one internal memory: the way that misses least, or
// that leaves the fuller of the two most of its size.
Layout unsplit(const std::vector<const BoardMemory*>& memories, const Board& board, const Need& need) {
  Layout best;
  double best_score = -std::numeric_limits<double>::infinity();
  for (size_t home = 0; home < memories.size(); ++home) {
    if (memories[home]->kind != MemoryKind::ram) continue;
    for (size_t place = 0; place < memories.size(); ++place) {
      if (memories[place]->kind != MemoryKind::ram) continue;
      std::vector<RamUse> uses = empty_uses(memories, home, board, need);
      uses[place].arena_bytes = need.plan->arena_bytes;
      const int64_t left = std::min(free_bytes(uses[home]), free_bytes(uses[place]));
      const double score =
          left < 0 ? static_cast<double>(left) : std::min(free_fraction(uses[home]), free_fraction(uses[place]));
      if (score <= best_score) continue;
      best_score = score;
      best = {std::move(uses), false, left, 0, 0};
    }
  }
  return best;
}

// One access of a byte costs a quarter of a word's, and a slow memory's word takes 1 / speed cycles.
double cycles_per_byte(const BoardMemory& memory) { return (1 / memory.speed - 1) / 4; }

// The arena over several memories, or nothing.
std::optional<Layout> split(const std::vector<const BoardMemory*>& memories, const Board& board,
                            const Need& need) {
  const PlacementProblem problem{need.plan->buffers, need.plan->overlaps};
  std::optional<Layout> best;
  for (size_t home = 0; home < memories.size(); ++home) {
    if (memories[home]->kind != MemoryKind::ram) continue;
    Layout layout{empty_uses(memories, home, board, need), true, 0, 0, 0};
    if (free_bytes(layout.uses[home]) < 0) continue;
    std::vector<MemoryRegion> regions;
    for (size_t i = 0; i < memories.size(); ++i)
      regions.push_back({free_bytes(layout.uses[i]), 1 / memories[i]->speed});
    const std::optional<RegionPlacement> placed = place_in_regions(problem, need.accesses, regions);
    if (!placed) continue;
    layout.left = std::numeric_limits<int64_t>::max();
    for (size_t buffer = 0; buffer < placed->region.size(); ++buffer) {
      const size_t region = placed->region[buffer];
      layout.uses[region].buffers.push_back(buffer);
      layout.slow_cycles += need.accesses[buffer] * cycles_per_byte(*memories[region]);
      if (memories[region]->kind == MemoryKind::external_ram) layout.external_bytes += need.accesses[buffer];
    }
    for (size_t i = 0; i < memories.size(); ++i) {
      layout.uses[i].arena_bytes = placed->used_bytes[i];
      if (layout.uses[i].used_bytes() > 0) layout.left = std::min(layout.left, free_bytes(layout.uses[i]));
    }
    if (!best || layout.slow_cycles < best->slow_cycles) best = std::move(layout);
  }
  return best;
}

bool nearly_full(int64_t used, int64_t capacity) {
  return static_cast<double>(used) > (1 - tight_fraction) * static_cast<double>(capacity);
}

// A memory that the placer filled on purpose, with room beside it, is not a risk; the last one is.
bool tight_ram(const Layout& layout) {
  if (layout.split) return nearly_full(layout.uses.back().used_bytes(), layout.uses.back().capacity_bytes);
  return std::any_of(layout.uses.begin(), layout.uses.end(), [](const RamUse& use) {
    return use.used_bytes() > 0 && nearly_full(use.used_bytes(), use.capacity_bytes);
  });
}

}  // namespace

std::vector<double> accesses_of(const Graph& graph, const Plan& plan) {
  std::vector<double> accesses(plan.buffers.size(), 0.0);
  for (const Step& step : plan.steps) {
    const StepWork work = work_of(graph, step);
    const double visits = work[1], patches = work[5];
    const bool scratch = step.scratch != no_buffer;
    for (const size_t buffer : step.in) {
      if (buffer == no_buffer) continue;
      const auto bytes = static_cast<double>(plan.buffers[buffer].bytes);
      accesses[buffer] += std::max(bytes, scratch ? patches : visits);
    }
    for (const size_t buffer : step.out) accesses[buffer] += static_cast<double>(plan.buffers[buffer].bytes);
    if (scratch)
      accesses[step.scratch] +=
          std::max(static_cast<double>(plan.buffers[step.scratch].bytes), patches + visits / 2);
  }
  return accesses;
}

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::fits: return "fits";
    case Verdict::tight: return "tight";
    case Verdict::does_not_fit: return "does not fit";
  }
  fail("unknown verdict {}", static_cast<int>(verdict));
}

Assessment assess(const Board& board, const Need& need, bool optional_memory) {
  const std::vector<const BoardMemory*> memories = data_memories(board, optional_memory);
  Layout layout = unsplit(memories, board, need);
  if (layout.left < 0 && memories.size() > 1 && !streams(*need.plan)) {
    if (std::optional<Layout> spread = split(memories, board, need)) layout = *std::move(spread);
  }
  Assessment result;
  result.ram_missing_bytes = std::max<int64_t>(0, -layout.left);
  result.ram_tight = tight_ram(layout);
  result.split = layout.split;
  result.external_bytes = layout.external_bytes;
  const double cycles = need.instructions * board.cycles_per_instruction + layout.slow_cycles;
  result.milliseconds = 1000 * cycles / static_cast<double>(board.clock_hz);
  result.ram = std::move(layout.uses);
  std::erase_if(result.ram, [&](const RamUse& use) {
    const auto memory = std::find_if(memories.begin(), memories.end(),
                                     [&](const BoardMemory* one) { return one->name == use.memory; });
    return (*memory)->kind == MemoryKind::external_ram && use.used_bytes() == 0;
  });
  return with_flash_of(std::move(result), board, need);
}

Assessment with_flash_of(Assessment result, const Board& board, const Need& need) {
  result.flash_capacity_bytes = 0;
  for (const BoardMemory& memory : board.memory) {
    if (memory.kind == MemoryKind::flash) result.flash_capacity_bytes += memory.bytes;
  }
  result.flash_bytes = need.weight_bytes + need.code_bytes + board.reserved_flash_bytes;
  result.flash_missing_bytes = std::max<int64_t>(0, result.flash_bytes - result.flash_capacity_bytes);
  const auto spare = static_cast<double>(result.flash_capacity_bytes - result.flash_bytes);
  result.verdict = Verdict::does_not_fit;
  if (result.flash_missing_bytes == 0 && result.ram_missing_bytes == 0) {
    const bool tight = result.ram_tight || nearly_full(result.flash_bytes, result.flash_capacity_bytes) ||
                       spare < need.code_error * static_cast<double>(need.code_bytes);
    result.verdict = tight ? Verdict::tight : Verdict::fits;
  }
  return result;
}

int64_t arena_room(const Board& board, int64_t stack_bytes) {
  Need need;
  need.stack_bytes = stack_bytes;
  const Plan empty;
  need.plan = &empty;
  const std::vector<const BoardMemory*> memories = data_memories(board, false);
  int64_t room = 0;
  for (size_t home = 0; home < memories.size(); ++home) {
    const std::vector<RamUse> uses = empty_uses(memories, home, board, need);
    if (memories[home]->kind != MemoryKind::ram || free_bytes(uses[home]) < 0) continue;
    for (size_t place = 0; place < memories.size(); ++place) {
      if (memories[place]->kind == MemoryKind::ram) room = std::max(room, free_bytes(uses[place]));
    }
  }
  return room;
}

}  // namespace mote
