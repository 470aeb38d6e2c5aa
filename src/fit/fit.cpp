// SPDX-License-Identifier: Apache-2.0
#include "fit/fit.hpp"

#include <algorithm>
#include <cmath>

#include "fit/narrow_weights.hpp"
#include "fit/predict_int8.hpp"
#include "target/find.hpp"

namespace mote {

namespace {

constexpr size_t shown_shares = 4;

std::vector<Share> largest_first(std::vector<Share> shares) {
  std::stable_sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) { return a.bytes > b.bytes; });
  std::erase_if(shares, [](const Share& share) { return share.bytes == 0; });
  if (shares.size() > shown_shares) shares.resize(shown_shares);
  return shares;
}

bool alive(const Buffer& buffer, int64_t step) { return buffer.live.first <= step && step <= buffer.live.last; }

int64_t alive_bytes(const Plan& plan, int64_t step) {
  int64_t bytes = 0;
  for (const Buffer& buffer : plan.buffers) bytes += alive(buffer, step) ? buffer.bytes : 0;
  return bytes;
}

int64_t weight_bytes(const Step& step) {
  int64_t bytes = 0;
  for (const Constant& constant : step.call.constants) bytes += static_cast<int64_t>(constant.data.size());
  return bytes;
}

// The layer that makes the peak, and the layers that make the flash.
void explain(const Compiled& model, ModelFit& fit) {
  const Plan& plan = model.plan;
  std::vector<Share> weights, buffers;
  int64_t peak = 0;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    weights.push_back({model.graph.nodes[plan.steps[i].node].origin, weight_bytes(plan.steps[i])});
    if (alive_bytes(plan, static_cast<int64_t>(i)) > alive_bytes(plan, peak)) peak = static_cast<int64_t>(i);
  }
  fit.largest_weights = largest_first(std::move(weights));
  if (plan.steps.empty()) return;
  fit.peak_layer = model.graph.nodes[plan.steps[static_cast<size_t>(peak)].node].origin;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    if (alive(plan.buffers[i], peak)) buffers.push_back({plan.names[i], plan.buffers[i].bytes});
  }
  fit.peak_buffers = largest_first(std::move(buffers));
}

// What boards of one target have in common: one estimate or measurement serves them.
struct TargetFit {
  CostTable table;
  Need need;
  std::optional<Need> spread;  // for more than one memory, where `need` has its tensors in strips
  bool exact = false;
  std::optional<ModeError> error;
  std::vector<std::string> unknown;
  std::optional<WaysOut> ways;  // once a board asks
};

// A model and its int8 form, planned for one kind of core.
struct Forms {
  CorePlans model;
  std::optional<CorePlans> int8;

  Forms(const Graph& graph, const std::optional<Compiled>& narrow, const Core& core) : model(graph, core) {
    if (narrow) int8.emplace(narrow->graph, core);
  }
};

// The result points into `forms`.
void fit_target(Forms& forms, const Target& target, Mode mode, const Measure& measure, TargetFit& fit) {
  fit.table = costs_of(target);
  const Graph& graph = forms.model.graph();
  const Plan& plan = mode == Mode::size ? forms.model.in_rows(0) : forms.model.whole();
  fit.need = need_of(graph, plan, fit.table, mode);
  if (streams(plan)) fit.spread = need_of(graph, forms.model.whole(), fit.table, mode);
  const CostEstimate estimate = estimate_costs(fit.table, graph, plan, mode);
  fit.unknown = estimate.unknown;
  if (estimate.strips_unknown) fit.unknown.emplace_back("row strips");
  const auto error = fit.table.errors.find(std::string(name(mode)));
  if (error != fit.table.errors.end()) fit.error = error->second;
  if (measure) {
    if (const std::optional<ExactCost> exact = measure({graph, plan}, target)) {
      fit.need.code_bytes = exact->code_bytes;
      fit.need.stack_bytes = exact->stack_bytes;
      fit.need.instructions = exact->instructions;
      fit.need.code_error = 0;
      fit.exact = true;
    }
  }
}

BoardFit fit_board(const Board& board, Forms& forms, Mode mode, TargetFit& target) {
  Assessment now = assess(board, target.need, false);
  const Need* need = &target.need;
  if (now.ram_missing_bytes > 0 && target.spread) {
    Assessment spread = assess(board, *target.spread, false);
    if (spread.ram_missing_bytes < now.ram_missing_bytes) {
      now = std::move(spread);
      need = &*target.spread;
    }
  }
  BoardFit fit{board,
               std::move(now),
               need->plan->arena_bytes,
               need->weight_bytes,
               need->plan->names,
               need->code_bytes,
               need->stack_bytes,
               need->instructions,
               target.exact && need == &target.need,
               target.error,
               target.table.measured_on,
               target.unknown,
               {}};
  if (fit.now.verdict == Verdict::fits) return fit;
  if (!target.ways)
    target.ways.emplace(forms.model, forms.int8 ? &*forms.int8 : nullptr, target.table, mode, target.need);
  fit.alternatives = target.ways->for_board(board, fit.now);
  return fit;
}

void predict(const Compiled& model, const Int8Prediction& int8, ModelFit& fit) {
  fit.int8_obstacle = int8.obstacle;
  if (int8.model) {
    fit.int8_arena = {"arena", int8.model->plan.arena_bytes};
    fit.int8_weights = {"weights", flash_data(int8.model->plan).weight_bytes};
  }
  const Compiled& narrow = int8.model ? *int8.model : model;
  const Core core = plan_options(fit.mode).core;
  fit.four_bit_weight_bytes = narrow_weight_bytes(narrow.graph, narrow.plan, core, 4);
  fit.ternary_weight_bytes = narrow_weight_bytes(narrow.graph, narrow.plan, core, 2);
}

// The board with one memory of so many bytes in place of all of its RAM, or of what its largest one has left.
Board within(Board board, int64_t ram_bytes) {
  const int64_t bytes = std::clamp<int64_t>(arena_room(board, 0), 1, ram_bytes);
  std::erase_if(board.memory, [](const BoardMemory& memory) { return memory.kind != MemoryKind::flash; });
  board.memory.push_back({"RAM", MemoryKind::ram, bytes, 1, false, ""});
  board.reserved_ram_bytes = 0;
  return board;
}

}  // namespace

const Alternative* BoardFit::by_board() const {
  const auto found = std::find_if(alternatives.begin(), alternatives.end(), [](const Alternative& one) {
    return one.by_board && one.result.verdict != Verdict::does_not_fit;
  });
  return now.ram_missing_bytes == 0 || found == alternatives.end() ? nullptr : &*found;
}

std::string_view plan_flag(const ModelFit& model) { return model.ram_bytes ? "--ram" : "--board"; }

std::string answer(const ModelFit& model, const BoardFit& fit) {
  const Alternative* const found = fit.by_board();
  if (found == nullptr) return std::string(name(fit.now.verdict));
  return fmt::format("{} with {}", name(found->result.verdict), plan_flag(model));
}

ModelFit fit_boards(const Compiled& model, const std::vector<Board>& boards, Mode mode, const Measure& measure,
                    std::optional<int64_t> ram_bytes) {
  ModelFit fit;
  fit.ram_bytes = ram_bytes;
  fit.name = model.graph.name;
  fit.mode = mode;
  fit.macs = total_macs(model.graph);
  fit.arena_bytes = model.plan.arena_bytes;
  fit.arena_lower_bound_bytes = model.plan.lower_bound_bytes;
  fit.weight_bytes = flash_data(model.plan).weight_bytes;
  explain(model, fit);
  fit.is_float = is_float(model.graph);
  const Int8Prediction int8 = fit.is_float ? predict_int8(model.graph) : Int8Prediction{};
  predict(model, int8, fit);
  std::map<Core, Forms> forms;
  std::map<std::string, TargetFit> targets;
  for (const Board& given : boards) {
    const Board board = ram_bytes ? within(given, *ram_bytes) : given;
    const Target& target = find_target(board.target);
    const Core core = plan_options(mode, target.core).core;
    Forms& of_core = forms.try_emplace(core, model.graph, int8.model, core).first->second;
    const auto [known, added] = targets.try_emplace(board.target);
    if (added) fit_target(of_core, target, mode, measure, known->second);
    fit.boards.push_back(fit_board(board, of_core, mode, known->second));
  }
  return fit;
}

}  // namespace mote
