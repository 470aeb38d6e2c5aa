// SPDX-License-Identifier: Apache-2.0
#include "fit/build.hpp"

#include "measure/train_head.hpp"
#include "plan/recompute.hpp"

namespace mote {

LaidOut lay_out(const Planner& plan, const LayoutRequest& request, std::optional<int64_t> ram_bytes,
                std::optional<int64_t> stack_bytes) {
  LaidOut result;
  result.target = request.target;
  result.mode = request.mode;
  result.board = request.board;
  // What is spread over several memories is whole; a board's layout chooses for itself.
  require(!request.stream_input || (!request.board && request.memories.empty()),
          "--stream-input lays out one arena; use it with --target and --ram, without --board and --memory");
  const bool spread = request.board || !request.memories.empty();
  PlanOptions options =
      spread ? PlanOptions(request.target->core) : plan_options(request.mode, request.target->core, ram_bytes);
  options.cores = request.cores;
  options.stream_input = request.stream_input;
  result.compiled = plan(options);
  if (spread) result.whole = result.compiled.plan;
  if (request.board) {
    result.layout =
        use_board(result.compiled, *request.board, request.target->core, request.mode, stack_bytes, request.cores);
    // Of the same graph, should it have layers twice now.
    if (!repeats_of(result.compiled.graph).empty()) result.whole = make_plan(result.compiled.graph, options);
  } else if (spread) {
    use_memories(result.compiled, request.memories);
  }
  return result;
}

int64_t stack_beside(const Sizes& sizes) { return sizes.stack_bound_bytes + sizes.library_ram_bytes; }

namespace {

// The memory in which stack and reserve live, where the exact stack does not find room beside the arena.
const RamUse* overfull_memory(const LaidOut& model, const Sizes& sizes) {
  for (const RamUse& use : model.layout.ram) {
    if (use.reserved_bytes + use.stack_bytes == 0) continue;
    if (use.arena_bytes + stack_beside(sizes) + use.reserved_bytes > use.capacity_bytes) return &use;
  }
  return nullptr;
}

// Throws Error when arena, stack and what the board reserves exceed the memory where the stack lives, or weights
// and code its flash.
void check_board(const LaidOut& model, const Sizes& sizes) {
  if (!model.board) return;
  const std::string& name = model.compiled.graph.name;
  if (const RamUse* const use = overfull_memory(model, sizes)) {
    fail("{} does not fit {}\n{}: arena {} B + stack {} B + {} B for the rest of the application = {} B of {} B",
         name, model.board->name, use->memory, use->arena_bytes, sizes.stack_bound_bytes, use->reserved_bytes,
         use->arena_bytes + stack_beside(sizes) + use->reserved_bytes, use->capacity_bytes);
  }
  const int64_t flash = sizes.weight_bytes + sizes.code_bytes + model.board->reserved_flash_bytes;
  require(
      flash <= model.layout.flash_capacity_bytes,
      "{} does not fit {}\nflash: weights {} B + code {} B + {} B for the rest of the application = {} B of {} B",
      name, model.board->name, sizes.weight_bytes, sizes.code_bytes, model.board->reserved_flash_bytes, flash,
      model.layout.flash_capacity_bytes);
}

// Does the exact stack find room beside the arena? Where it never can, it is too late for another plan.
bool holds_stack(const LaidOut& model, const Sizes& sizes, const std::optional<int64_t>& ram_bytes) {
  const int64_t stack = stack_beside(sizes);
  const bool in_ram = !ram_bytes || model.compiled.plan.arena_bytes + stack <= *ram_bytes || stack >= *ram_bytes;
  return in_ram && (!model.board || overfull_memory(model, sizes) == nullptr);
}

Limits with_target(Limits limits, const Target& target) {
  if (!limits.ram_bytes && target.ram_bytes > 0) limits.ram_bytes = target.ram_bytes;
  if (!limits.flash_bytes && target.flash_bytes > 0) limits.flash_bytes = target.flash_bytes;
  return limits;
}

}  // namespace

Built build(const Planner& plan, const LayoutRequest& request, const Limits& limits, bool measured,
            const TrainableHead* head) {
  const Limits all_limits = with_target(limits, *request.target);
  Built built{lay_out(plan, request, limits.ram_bytes), {}};
  check_fits(built.model.compiled, all_limits);
  if (!measured) return built;
  const auto measure = [&] {
    const Compiled& model = built.model.compiled;
    built.sizes = measure_sizes(model, *request.target, request.mode);
    if (!built.sizes || head == nullptr) return;
    const int64_t learning = head_stack_bound(model.graph, *head, model.plan, *request.target, request.mode);
    built.sizes->stack_bound_bytes = std::max(built.sizes->stack_bound_bytes, learning);
  };
  measure();
  if (!built.sizes) return built;
  if (!holds_stack(built.model, *built.sizes, limits.ram_bytes)) {
    const int64_t stack = stack_beside(*built.sizes);  // known now
    std::optional<int64_t> ram;
    if (limits.ram_bytes) ram = *limits.ram_bytes - stack;
    built.model = lay_out(plan, request, ram, stack);
    measure();
  }
  check_fits(built.model.compiled, *built.sizes, all_limits);
  check_board(built.model, *built.sizes);
  return built;
}

Limits limits_beside(const TrainableHead& head, Limits limits, const Target& target) {
  const HeadSizes sizes = head_sizes(head);
  limits = with_target(limits, target);
  const auto take = [](std::optional<int64_t>& limit, int64_t bytes, std::string_view what) {
    if (!limit) return;
    require(*limit > bytes, "{}: the trainable head alone takes {} B of {} B; {}", what, bytes, *limit,
            "choose fewer classes or fewer features");
    *limit -= bytes;
  };
  take(limits.ram_bytes, sizes.ram(), "RAM");
  take(limits.flash_bytes, sizes.flash, "flash");
  return limits;
}

ModelFit fit_all_boards(const LaidOut& model, const Measurement& measured) {
  const Plan& plan = model.compiled.plan;
  const Measure exact = [&](const Compiled& other, const Target& target) -> std::optional<ExactCost> {
    // A plan in other strips has another code.
    const bool same =
        other.plan.segments.size() == plan.segments.size() && other.plan.moves.size() == plan.moves.size();
    if (!measured.sizes || measured.instructions.empty() || &target != model.target || !same) return std::nullopt;
    return ExactCost{measured.sizes->code_bytes, measured.sizes->stack_bound_bytes,
                     static_cast<double>(measured.instructions.at(0))};
  };
  Compiled whole = model.compiled;
  if (model.whole) whole.plan = *model.whole;
  return fit_boards(whole, all_boards(), model.mode, exact);
}

}  // namespace mote
