// SPDX-License-Identifier: Apache-2.0
#include "fit/fit.hpp"

#include <algorithm>
#include <cmath>

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

// Flash of the plan when its int8 weights are stored with fewer bits, padded to bytes; scales stay.
int64_t packed_weight_bytes(const Plan& plan, int64_t bits) {
  int64_t bytes = flash_data(plan).weight_bytes;
  for (const Step& step : plan.steps) {
    for (const Constant& constant : step.call.constants) {
      if (constant.weight && constant.name == "weights" && constant.dtype == DType::i8) {
        const auto count = static_cast<int64_t>(constant.data.size());
        bytes += (count * bits + 7) / 8 - count;
      }
    }
  }
  return bytes;
}

Need need_of(const Compiled& model, const CostTable& table, Mode mode) {
  const CostEstimate estimate = estimate_costs(table, model.graph, model.plan, mode);
  const auto error = table.errors.find(std::string(name(mode)));
  return {&model.plan,
          accesses_of(model.graph, model.plan),
          flash_data(model.plan).weight_bytes,
          estimate.code_bytes,
          estimate.stack_bytes,
          estimate.instructions,
          error == table.errors.end() ? 0.0 : error->second.code.worst};
}

struct Way {
  std::string what, price;
  std::string goes_beyond;  // a cheaper way that this one contains; empty: none
  Need need;
  bool optional_memory = false;
};

// Everything that could be done, cheapest to get first; the same for all boards of a target.
std::vector<Way> ways_out(const Compiled& model, const Compiled* int8, const Need& need, const CostTable& table,
                          Mode mode) {
  std::vector<Way> ways;
  if (mode != Mode::size)
    ways.push_back({"--optimize size", "slower", "", need_of(model, table, Mode::size), false});
  ways.push_back({"external RAM", "a board variant or driver that has it", "", need, true});
  const Compiled& narrow = int8 != nullptr ? *int8 : model;
  const std::string prefix = int8 != nullptr ? "int8" : "";
  const Need base = int8 != nullptr ? need_of(*int8, table, mode) : need;
  if (int8 != nullptr) {
    ways.push_back({"int8", "quantise the model", "", base, false});
    ways.push_back({"int8 and external RAM", "and a board that has it", "int8", base, true});
  }
  std::string narrower = prefix;
  for (const auto& [what, bits] : {std::pair{"4-bit weights", 4}, std::pair{"ternary weights", 2}}) {
    Need packed = base;
    packed.weight_bytes = packed_weight_bytes(narrow.plan, bits);
    if (packed.weight_bytes == base.weight_bytes) continue;
    ways.push_back({prefix.empty() ? what : prefix + " with " + what, "train for it; code not counted anew",
                    narrower, packed, false});
    narrower = ways.back().what;
  }
  return ways;
}

int64_t missing_bytes(const Assessment& result) { return result.ram_missing_bytes + result.flash_missing_bytes; }

// A way that saves less than a tenth of what is missing is no way out.
bool helps(const Assessment& now, const Assessment& then) {
  return then.verdict < now.verdict || 10 * missing_bytes(then) < 9 * missing_bytes(now);
}

bool has_optional_memory(const Board& board) {
  return std::any_of(board.memory.begin(), board.memory.end(),
                     [](const BoardMemory& one) { return one.optional; });
}

void add_alternatives(const std::vector<Way>& ways, BoardFit& fit) {
  std::set<std::string> done;
  for (const Way& way : ways) {
    if (way.optional_memory && !has_optional_memory(fit.board)) continue;
    const auto reached = [&](const Alternative& one) {
      return one.what == way.goes_beyond && one.result.verdict == Verdict::fits;
    };
    if (std::any_of(fit.alternatives.begin(), fit.alternatives.end(), reached)) {
      done.insert(way.what);  // nor is what goes beyond this one of use
      continue;
    }
    if (done.count(way.goes_beyond) != 0) continue;
    Assessment result = assess(fit.board, way.need, way.optional_memory);
    if (!helps(fit.now, result)) continue;
    fit.alternatives.push_back({way.what, way.price, way.need.plan->arena_bytes, way.need.weight_bytes,
                                way.need.code_bytes, std::move(result)});
  }
}

// All boards of one target: one estimate or measurement serves them.
struct TargetFit {
  Need need;
  std::vector<Way> ways;
  bool exact = false;
  std::optional<ModeError> error;
  std::string measured_on;
  std::vector<std::string> unknown;
};

// A model and its int8 twin, planned for one kind of core.
struct CorePlans {
  Compiled model;
  std::optional<Compiled> int8;
};

// The result points into `plans`.
TargetFit fit_target(const CorePlans& plans, const Target& target, Mode mode, const Measure& measure) {
  const Compiled& model = plans.model;
  const Compiled* const int8 = plans.int8 ? &*plans.int8 : nullptr;
  const CostTable table = costs_of(target);
  TargetFit fit;
  fit.need = need_of(model, table, mode);
  fit.measured_on = table.measured_on;
  fit.unknown = estimate_costs(table, model.graph, model.plan, mode).unknown;
  const auto error = table.errors.find(std::string(name(mode)));
  if (error != table.errors.end()) fit.error = error->second;
  if (measure) {
    if (const std::optional<ExactCost> exact = measure(model, target)) {
      fit.need.code_bytes = exact->code_bytes;
      fit.need.stack_bytes = exact->stack_bytes;
      fit.need.instructions = exact->instructions;
      fit.need.code_error = 0;
      fit.exact = true;
    }
  }
  fit.ways = ways_out(model, int8, fit.need, table, mode);
  return fit;
}

}  // namespace

Need need_of(const Compiled& model, const Target& target, Mode mode) {
  return need_of(model, costs_of(target), mode);
}

ModelFit fit_boards(const Compiled& model, const std::vector<Board>& boards, Mode mode, const Measure& measure) {
  ModelFit fit;
  fit.name = model.graph.name;
  fit.mode = mode;
  fit.macs = total_macs(model.graph);
  fit.arena_bytes = model.plan.arena_bytes;
  fit.arena_lower_bound_bytes = model.plan.lower_bound_bytes;
  fit.weight_bytes = flash_data(model.plan).weight_bytes;
  explain(model, fit);
  fit.is_float = is_float(model.graph);
  const Int8Prediction int8 = fit.is_float ? predict_int8(model.graph) : Int8Prediction{};
  fit.int8_obstacle = int8.obstacle;
  if (int8.model) {
    fit.int8_arena = {"arena", int8.model->plan.arena_bytes};
    fit.int8_weights = {"weights", flash_data(int8.model->plan).weight_bytes};
  }
  const Plan& narrow = int8.model ? int8.model->plan : model.plan;
  fit.four_bit_weight_bytes = packed_weight_bytes(narrow, 4);
  fit.ternary_weight_bytes = packed_weight_bytes(narrow, 2);
  std::map<std::string, TargetFit> targets;
  std::map<Core, CorePlans> plans;
  for (const Board& board : boards) {
    auto known = targets.find(board.target);
    if (known == targets.end()) {
      const Target& target = find_target(board.target);
      auto planned = plans.find(target.core);
      if (planned == plans.end()) {
        CorePlans own{planned_for(model, target.core), {}};
        if (int8.model) own.int8 = planned_for(*int8.model, target.core);
        planned = plans.emplace(target.core, std::move(own)).first;
      }
      known = targets.emplace(board.target, fit_target(planned->second, target, mode, measure)).first;
    }
    const TargetFit& target = known->second;
    BoardFit one{board,
                 assess(board, target.need, false),
                 target.need.plan->arena_bytes,
                 target.need.weight_bytes,
                 target.need.plan->names,
                 target.need.code_bytes,
                 target.need.stack_bytes,
                 target.need.instructions,
                 target.exact,
                 target.error,
                 target.measured_on,
                 target.unknown,
                 {}};
    if (one.now.verdict != Verdict::fits) add_alternatives(target.ways, one);
    fit.boards.push_back(std::move(one));
  }
  return fit;
}

}  // namespace mote
