// SPDX-License-Identifier: Apache-2.0
#include "fit/memories.hpp"

#include <algorithm>
#include <charconv>

#include "fit/core_plans.hpp"
#include "plan/check_segments.hpp"
#include "target/find.hpp"

namespace mote {

namespace {

std::string list_of(const std::vector<MemoryRegion>& memories) {
  std::string text;
  for (const MemoryRegion& memory : memories)
    text += fmt::format("{}{} {} B", text.empty() ? "" : ", ", memory.name, std::max<int64_t>(memory.bytes, 0));
  return text;
}

double speed_of(const Board& board, const std::string& memory) {
  const auto found = std::find_if(board.memory.begin(), board.memory.end(),
                                  [&](const BoardMemory& one) { return one.name == memory; });
  return found->speed;
}

}  // namespace

MemoryRegion parse_memory(const std::string& text) {
  const size_t equals = text.find('=');
  MemoryRegion memory;
  int64_t factor = 1;
  if (equals != std::string::npos && equals > 0) {
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data() + equals + 1, end, memory.bytes);
    if (status == std::errc{} && end - rest == 1) factor = *rest == 'K' ? 1024 : *rest == 'M' ? 1 << 20 : 0;
    if (status != std::errc{} || end - rest > 1 || memory.bytes > INT32_MAX) factor = 0;
    memory.name = text.substr(0, equals);
  }
  memory.bytes *= factor;
  require(memory.bytes > 0, "--memory {}: is not NAME=BYTES, such as sram=200000 or psram=8M", text);
  return memory;
}

void use_memories(Compiled& model, const std::vector<MemoryRegion>& memories) {
  const int64_t arena = model.plan.arena_bytes;
  require(spread(model.plan, accesses_of(model.graph, model.plan), memories),
          "{} does not fit\nRAM: the arena takes {} B in one piece, and no way was found to spread its buffers "
          "over {}",
          model.graph.name, arena, list_of(memories));
  if (model.plan.cores > 1) check_segments(model.graph, model.plan);
}

namespace {

// The plan's one arena is where the layout has it.
void keep_in_one(Plan& plan, const Assessment& layout) {
  for (const RamUse& use : layout.ram) {
    if (use.arena_bytes > 0) plan.arenas = {{use.memory, plan.arena_bytes}};
  }
}

void spread_over(Compiled& model, const Board& board, const Assessment& layout) {
  std::vector<MemoryRegion> regions;
  for (const RamUse& use : layout.ram) {
    if (use.arena_bytes == 0) continue;
    regions.push_back(
        {use.capacity_bytes - use.stack_bytes - use.reserved_bytes, 1 / speed_of(board, use.memory), use.memory});
  }
  use_memories(model, regions);
}

}  // namespace

Assessment use_board(Compiled& model, const Board& board, const Core& core, Mode mode,
                     std::optional<int64_t> stack_bytes, int cores) {
  CorePlans plans(model.graph, plan_options(mode, core).core, cores);
  const CostTable table = costs_of(find_target(board.target));
  const auto in_rows = [&]() -> std::optional<Assessment> {
    const Need need = need_in_rows(plans, board, table, mode, stack_bytes);
    Assessment layout = assess(board, need, false);
    if (layout.ram_missing_bytes > 0 || layout.split) return std::nullopt;
    model.plan = *need.plan;
    keep_in_one(model.plan, layout);
    return layout;
  };
  Need whole = need_of(model.graph, plans.whole(), table, mode);
  whole.stack_bytes = stack_bytes.value_or(whole.stack_bytes);
  if (mode == Mode::size) {
    if (std::optional<Assessment> layout = in_rows()) return *std::move(layout);
  }
  Assessment layout = assess(board, whole, false);
  if (layout.ram_missing_bytes > 0) {
    if (std::optional<Assessment> rows = in_rows()) return *std::move(rows);
    layout = assess(board, whole, true);
  }
  if (layout.ram_missing_bytes > 0) {
    if (const std::optional<TwiceNeed> twice = need_twice(plans, board, table, mode, stack_bytes)) {
      Assessment found = assess(board, twice->need, false);
      if (found.ram_missing_bytes == 0 && !found.split) {
        model = Compiled(*twice->model);
        keep_in_one(model.plan, found);
        return found;
      }
    }
    fail("{} does not fit {}\nRAM: {} B too many; `mote fit --board {}` says what would help", model.graph.name,
         board.name, layout.ram_missing_bytes, board.name);
  }
  model.plan = plans.whole();
  spread_over(model, board, layout);
  return layout;
}

}  // namespace mote
