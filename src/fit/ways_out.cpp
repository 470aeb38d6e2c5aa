// SPDX-License-Identifier: Apache-2.0
#include "fit/ways_out.hpp"

#include <algorithm>
#include <set>

#include "fit/narrow_weights.hpp"
#include "plan/recompute.hpp"

namespace mote {

namespace {

// A way that saves less than a tenth of what is missing somewhere is no way out, nor one that needs as much
// elsewhere.
bool helps(const Assessment& now, const Assessment& then) {
  const bool ram = 10 * then.ram_missing_bytes < 9 * now.ram_missing_bytes;
  const bool flash = 10 * then.flash_missing_bytes < 9 * now.flash_missing_bytes;
  const int64_t saved =
      now.ram_missing_bytes + now.flash_missing_bytes - then.ram_missing_bytes - then.flash_missing_bytes;
  return then.verdict < now.verdict || ((ram || flash) && saved > 0);
}

bool has_optional_memory(const Board& board) {
  return std::any_of(board.memory.begin(), board.memory.end(),
                     [](const BoardMemory& one) { return one.optional; });
}

std::string joined(const std::string& first, const std::string& second, std::string_view between) {
  return first.empty() ? second : fmt::format("{}{}{}", first, between, second);
}

// "+3.9 % instructions"
std::string more_instructions(double now, double then) {
  return fmt::format("{:+.1f} % instructions", now > 0 ? 100 * (then / now - 1) : 0.0);
}

}  // namespace

WaysOut::WaysOut(CorePlans& model, CorePlans* int8, const CostTable& table, Mode mode, const Need& now)
    : table_(table), mode_(mode) {
  // Strips have one arena, so what is spread over several memories is whole.
  const Need spread = mode == Mode::size ? need_of(model.graph(), model.whole(), table, mode) : now;
  add({.what = "", .price = "", .goes_beyond = {}, .need = now, .plans = &model}, false);
  if (mode != Mode::size) {
    Need small = need_of(model.graph(), model.in_rows(0), table, Mode::size);
    std::string price = more_instructions(now.instructions, small.instructions);
    add({"--optimize size", std::move(price), {"streaming"}, std::move(small)}, false);
  }
  add({.what = "external RAM",
       .price = "a board variant or driver that has it",
       .goes_beyond = {},
       .need = spread,
       .optional_memory = true},
      false);
  CorePlans& narrow = int8 != nullptr ? *int8 : model;
  const Need base = int8 != nullptr ? own(*int8) : now;
  const std::string prefix = int8 != nullptr ? "int8" : "";
  if (int8 != nullptr) {
    const std::string quantise = "quantise the model";
    add({"int8", quantise, {}, base, int8}, true);
    const Need whole = mode == Mode::size ? need_of(int8->graph(), int8->whole(), table, mode) : base;
    add({.what = "int8 and external RAM",
         .price = "quantise the model, and a board that has it",
         .goes_beyond = {"int8", "int8 and streaming", "int8 and recomputing", "external RAM"},
         .need = whole,
         .optional_memory = true},
        false);
  }
  std::string narrower = prefix;
  for (const auto& [text, bits] : {std::pair{"4-bit weights", 4}, std::pair{"ternary weights", 2}}) {
    Need packed = base;
    packed.weight_bytes = narrow_weight_bytes(narrow.graph(), *base.plan, narrow.core(), bits);
    if (packed.weight_bytes >= base.weight_bytes) continue;
    const std::string what = joined(prefix, text, " with ");
    add({.what = what,
         .price = "train or quantise the model so",
         .goes_beyond = {narrower, joined(narrower, "streaming", " and "),
                         joined(narrower, "recomputing", " and ")},
         .need = std::move(packed),
         .plans = &narrow},
        true);
    narrower = what;
  }
}

Need WaysOut::own(CorePlans& plans) const {
  return need_of(plans.graph(), mode_ == Mode::size ? plans.in_rows(0) : plans.whole(), table_, mode_);
}

// A way with plans is added with changed ones, too; `unchanged_too`: and before that as it is.
void WaysOut::add(Way way, bool unchanged_too) {
  if (unchanged_too || way.plans == nullptr) ways_.push_back(way);
  if (way.plans == nullptr) return;
  if (mode_ != Mode::size) add_changed(way, Change::rows, "streaming");
  add_changed(std::move(way), Change::twice, "recomputing");
}

void WaysOut::add_changed(Way way, Change change, std::string_view what) {
  way.change = change;
  way.goes_beyond.push_back(way.what);
  way.goes_beyond.emplace_back("streaming");
  if (change == Change::twice) way.goes_beyond.push_back(joined(way.what, "streaming", " and "));
  if (!way.what.empty()) way.goes_beyond.emplace_back(what);
  way.what = joined(way.what, std::string(what), " and ");
  std::erase(way.goes_beyond, way.what);
  ways_.push_back(std::move(way));
}

// Does external RAM that only some variants have hold the whole tensors? `compile --board` takes it before layers
// are computed twice.
bool WaysOut::holds_outside(CorePlans& plans, const Board& board) const {
  const Need whole = need_of(plans.graph(), plans.whole(), table_, mode_);
  return has_optional_memory(board) && assess(board, whole, true).ram_missing_bytes == 0;
}

// What the change takes more is estimated, also beside what was measured.
std::optional<Alternative> WaysOut::changed(const Way& way, const Board& board) const {
  const Need before = own(*way.plans);
  Need need;
  std::string price;
  if (way.change == Change::rows) {
    need = need_in_rows(*way.plans, board, table_, mode_);
  } else {
    std::optional<TwiceNeed> twice = need_twice(*way.plans, board, table_, mode_);
    if (!twice) return std::nullopt;
    need = std::move(twice->need);
    price = fmt::format("{} layers twice, ", repeats_of(twice->model->graph).size());
  }
  price += table_.speed_strips
               ? fmt::format("{}, {:+} B code", more_instructions(before.instructions, need.instructions),
                             need.code_bytes - before.code_bytes)
               : "what strips add to time and code is not measured on this core";
  need.weight_bytes = way.need.weight_bytes;
  need.instructions += way.need.instructions - before.instructions;
  need.code_bytes += way.need.code_bytes - before.code_bytes;
  need.stack_bytes += way.need.stack_bytes - before.stack_bytes;
  Assessment result = assess(board, need, false);
  const bool of_the_model = result.ram_missing_bytes == 0 && way.price.empty();
  const bool outside = of_the_model && way.change == Change::twice && holds_outside(*way.plans, board);
  if (outside) price += fmt::format("; `--ram {}` does it", need.plan->arena_bytes + need.stack_bytes);
  return Alternative{way.what,
                     joined(way.price, price, "; "),
                     need.plan->arena_bytes,
                     need.weight_bytes,
                     need.code_bytes,
                     need.stack_bytes,
                     need.instructions,
                     std::move(result),
                     of_the_model && !outside};
}

Assessment WaysOut::unchanged(const Way& way, const Board& board, Layouts& known) const {
  const std::pair key{way.need.plan, way.optional_memory};
  const auto found = known.find(key);
  if (found != known.end()) return with_flash_of(found->second, board, way.need);
  return known.emplace(key, assess(board, way.need, way.optional_memory)).first->second;
}

std::optional<Alternative> WaysOut::take(const Way& way, const Board& board, Layouts& known) const {
  if (way.optional_memory && !has_optional_memory(board)) return std::nullopt;
  Assessment whole = unchanged(way, board, known);
  if (way.change != Change::none) {
    if (whole.ram_missing_bytes == 0) return std::nullopt;
    std::optional<Alternative> other = changed(way, board);
    return other && helps(whole, other->result) ? std::move(other) : std::nullopt;
  }
  Alternative one{way.what,
                  way.price,
                  way.need.plan->arena_bytes,
                  way.need.weight_bytes,
                  way.need.code_bytes,
                  way.need.stack_bytes,
                  way.need.instructions,
                  std::move(whole),
                  false};
  return one;
}

std::vector<Alternative> WaysOut::for_board(const Board& board, const Assessment& now) const {
  std::vector<Alternative> found;
  Layouts known;
  if (mode_ != Mode::size) known.emplace(std::pair{ways_.at(0).need.plan, false}, now);
  std::set<std::string> needless;  // beyond one that fits, and what goes beyond these
  for (const Way& way : ways_) {
    const auto contains = [&](const std::string& what) {
      return std::find(way.goes_beyond.begin(), way.goes_beyond.end(), what) != way.goes_beyond.end();
    };
    const bool beyond = std::any_of(found.begin(), found.end(), [&](const Alternative& one) {
      return one.result.verdict == Verdict::fits && contains(one.what);
    });
    if (beyond || std::any_of(needless.begin(), needless.end(), contains)) {
      needless.insert(way.what);
      continue;
    }
    std::optional<Alternative> one = take(way, board, known);
    const bool worth =
        one && helps(now, one->result) && std::all_of(found.begin(), found.end(), [&](const Alternative& other) {
          return !contains(other.what) || helps(other.result, one->result);
        });
    if (worth) found.push_back(*std::move(one));
  }
  return found;
}

}  // namespace mote
