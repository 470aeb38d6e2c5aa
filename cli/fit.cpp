// SPDX-License-Identifier: Apache-2.0
// mote fit: does the model fit these boards, by how much, and what would make it fit?
#include "fit/fit.hpp"

#include <algorithm>
#include <set>

#include "commands.hpp"
#include "common.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFile model;
  std::vector<std::string> boards;
  std::string mode = "balanced";
  std::optional<int64_t> ram;
  bool json = false, measure = false;
};

constexpr size_t bar_width = 10;

std::string kilobytes(int64_t bytes) {
  if (bytes >= 10'000 * 1024) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1 << 20));
  if (bytes >= 10 * 1024) return fmt::format("{} KB", (bytes + 1023) / 1024);
  return fmt::format("{} B", bytes);
}

std::string time_text(double milliseconds) {
  if (milliseconds >= 10'000) return fmt::format("{:.0f} s", milliseconds / 1000);
  if (milliseconds >= 1'000) return fmt::format("{:.1f} s", milliseconds / 1000);
  if (milliseconds >= 10) return fmt::format("{:.0f} ms", milliseconds);
  return milliseconds >= 1 ? fmt::format("{:.1f} ms", milliseconds)
                           : fmt::format("{:.0f} us", milliseconds * 1000);
}

double fraction(int64_t used, int64_t capacity) {
  return static_cast<double>(used) / static_cast<double>(std::max<int64_t>(capacity, 1));
}

// Internal memories together: what the bar shows.
std::pair<int64_t, int64_t> ram_of(const Assessment& result) {
  int64_t used = 0, capacity = 0;
  for (const RamUse& use : result.ram) {
    used += use.used_bytes();
    capacity += use.capacity_bytes;
  }
  return {used, capacity};
}

// With the figures of the plan that is the answer.
void print_board(const ModelFit& model, const BoardFit& fit) {
  const Assessment& shown = fit.by_board() != nullptr ? fit.by_board()->result : fit.now;
  const auto [used, capacity] = ram_of(shown);
  fmt::print("{:14} {:18} {:>8} of {:>8} {}  {:>8} of {:>8} {}  {:>8}\n", fit.board.name, answer(model, fit),
             kilobytes(used), kilobytes(capacity), bar(fraction(used, capacity), bar_width),
             kilobytes(shown.flash_bytes), kilobytes(shown.flash_capacity_bytes),
             bar(fraction(shown.flash_bytes, shown.flash_capacity_bytes), bar_width),
             time_text(shown.milliseconds));
}

// Converters join the names of fused layers: their beginning is enough to find one.
std::string shortened(const std::string& text) {
  constexpr size_t most = 48;
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

std::string shares_text(const std::vector<Share>& shares) {
  std::string text;
  for (const Share& share : shares)
    text += fmt::format("\n    {:>8}  {}", kilobytes(share.bytes), shortened(share.what));
  return text;
}

void print_missing(const BoardFit& fit, const ModelFit& model) {
  if (fit.now.ram_missing_bytes > 0) {
    fmt::print("  RAM: {} B too many{}. Most is alive in {}:{}\n", thousands(fit.now.ram_missing_bytes),
               fit.by_board() != nullptr ? fmt::format(" without {}", plan_flag(model)) : "",
               shortened(model.peak_layer), shares_text(model.peak_buffers));
  }
  if (fit.now.flash_missing_bytes > 0) {
    fmt::print("  flash: {} B too many. The largest layers:{}\n", thousands(fit.now.flash_missing_bytes),
               shares_text(model.largest_weights));
  }
}

std::string alternative_text(const ModelFit& model, const Alternative& one) {
  const auto [used, capacity] = ram_of(one.result);
  std::string text = fmt::format("{:30} {:12} RAM {:>8} of {:>8}  flash {:>8} of {:>8}  {:>8}", one.what,
                                 name(one.result.verdict), kilobytes(used), kilobytes(capacity),
                                 kilobytes(one.result.flash_bytes), kilobytes(one.result.flash_capacity_bytes),
                                 time_text(one.result.milliseconds));
  const bool done = one.by_board && one.result.verdict != Verdict::does_not_fit;
  const std::string deed = done ? fmt::format("; `{}` does it", plan_flag(model)) : "";
  text += fmt::format("  ({}{})", one.price, deed);
  if (!one.result.split) return text;
  text += fmt::format("\n{:48}", "");
  for (const RamUse& use : one.result.ram)
    text += fmt::format("{}{} {} of {}", &use == &one.result.ram[0] ? "" : ", ", use.memory,
                        kilobytes(use.used_bytes()), kilobytes(use.capacity_bytes));
  return text + fmt::format("; {} a run read and written outside",
                            kilobytes(static_cast<int64_t>(one.result.external_bytes)));
}

void print_split(const BoardFit& fit) {
  for (const RamUse& use : fit.now.ram) {
    std::vector<Share> buffers;
    for (const size_t buffer : use.buffers) buffers.push_back({fit.buffer_names.at(buffer), 0});
    fmt::print("  {:10} {:>10} of {:>10}: {} of {} buffers\n", use.memory, kilobytes(use.used_bytes()),
               kilobytes(use.capacity_bytes), buffers.size(), fit.buffer_names.size());
  }
}

void print_details(const ModelFit& model) {
  for (const BoardFit& fit : model.boards) {
    if (fit.now.verdict == Verdict::fits && !fit.now.split) continue;
    fmt::print("\n{}: {}{}\n", fit.board.name, answer(model, fit),
               fit.now.split ? ", the arena spread over several memories, hot buffers in the fast one" : "");
    print_missing(fit, model);
    if (fit.now.split) print_split(fit);
    if (!fit.alternatives.empty()) fmt::print("  computed ways out:\n");
    for (const Alternative& one : fit.alternatives) fmt::print("    {}\n", alternative_text(model, one));
    if (fit.now.verdict == Verdict::does_not_fit && fit.alternatives.empty())
      fmt::print("  nothing computed here changes that: it takes a smaller network or input\n");
  }
}

std::string error_text(const BoardFit& fit) {
  if (fit.exact) return "compiled, and run in the emulator: exact";
  if (!fit.measured_on.empty())
    return fmt::format("estimate from measurements on {}, its relative", fit.measured_on);
  if (!fit.error) return "estimate; its error was not measured";
  return fmt::format(
      "estimate, half of {} models within ±{:.0f} % (instructions) and ±{:.0f} % (code), worst {:.0f} "
      "and {:.0f} %",
      fit.error->models, 100 * fit.error->instructions.typical, 100 * fit.error->code.typical,
      100 * fit.error->instructions.worst, 100 * fit.error->code.worst);
}

// What the figures rest on, once for each target.
void print_basis(const ModelFit& model, bool sources) {
  fmt::print(
      "\nRAM is arena, stack and what the board file reserves; flash is weights, code and that. Time is "
      "instructions x cycles per instruction / clock, without wait states of flash\nand external RAM's "
      "first access; `mote boards NAME` names the sources.\n");
  std::set<std::string> told;
  for (const BoardFit& fit : model.boards) {
    if (!told.insert(fit.board.target).second) continue;
    fmt::print("{:14} {:>14} instructions, {:>6} B code, {:>4} B stack: {}\n", fit.board.target,
               thousands(static_cast<int64_t>(fit.instructions)), thousands(fit.code_bytes),
               thousands(fit.stack_bytes), error_text(fit));
    for (const std::string& kernel : fit.unknown)
      fmt::print("{:14} no measurements of {}: figures of kernels like it\n", "", kernel);
  }
  for (const BoardFit& fit : model.boards) {
    if (!fit.board.target_note.empty() && sources) fmt::print("{:14} {}\n", fit.board.name, fit.board.target_note);
  }
}

void print_int8(const ModelFit& model) {
  if (!model.is_float) return;
  if (model.int8_arena) {
    fmt::print("as int8 it would take {} of arena and {} of weights\n", kilobytes(model.int8_arena->bytes),
               kilobytes(model.int8_weights->bytes));
  } else {
    fmt::print("its int8 size cannot be predicted: {}\n", model.int8_obstacle);
  }
}

void print_fit(const ModelFit& model, const Flags& flags) {
  fmt::print("{} ({}): {} MAC, arena {}, weights {}{}\n", flags.model.path, flags.mode, thousands(model.macs),
             kilobytes(model.arena_bytes), kilobytes(model.weight_bytes), model.is_float ? ", float" : "");
  print_int8(model);
  fmt::print("weights trained or quantised to 4 bits would take {}, ternary ones {}\n",
             kilobytes(model.four_bit_weight_bytes), kilobytes(model.ternary_weight_bytes));
  fmt::print("\n{:14} {:18} {:31}  {:31}  {:>8}\n", "board", "", "RAM", "flash", "time");
  for (const BoardFit& fit : model.boards) print_board(model, fit);
  print_details(model);
  print_basis(model, !flags.boards.empty());
}

ExactCost measure_on(const Compiled& compiled, const Target& target, Mode mode) {
  const Progress progress(activity(target, true));
  std::mt19937 random(1);
  const Measurement measured =
      measure(compiled, target, mode, {random_case(compiled.graph, random, "fit").inputs}, false);
  return {measured.sizes->code_bytes, measured.sizes->stack_bound_bytes,
          static_cast<double>(measured.instructions.at(0))};
}

void fit(const Flags& flags) {
  const Mode mode = parse_mode(flags.mode);
  std::vector<Board> boards;
  for (const std::string& name : flags.boards) boards.push_back(find_board(name));
  if (boards.empty()) boards = all_boards();
  const Compiled compiled = compile(flags.model, plan_options(mode));
  Measure exact;
  if (flags.measure) {
    exact = [&](const Compiled& model, const Target& target) -> std::optional<ExactCost> {
      if (target.emulator.empty()) return std::nullopt;
      return measure_on(model, target, mode);
    };
  }
  const ModelFit result = fit_boards(compiled, boards, mode, exact, flags.ram);
  if (flags.json)
    print_json(fit_json(result));
  else
    print_fit(result, flags);
}

}  // namespace

void add_fit(CLI::App& app) {
  auto* const command = app.add_subcommand("fit", "does the model fit these boards, and what would make it fit");
  const auto flags = std::make_shared<Flags>();
  add_model_file(*command, flags->model);
  command->add_option("--board", flags->boards,
                      "a board's name, or a .json file of your own; repeatable; all boards when absent");
  command
      ->add_option("--ram", flags->ram,
                   "bytes of each board's RAM that arena and stack may take, as for `mote compile --ram`")
      ->check(CLI::PositiveNumber);
  command->add_option("--optimize", flags->mode, "size, balanced or speed")->capture_default_str();
  command->add_flag("--measure", flags->measure,
                    "compile and run for each target: exact code, stack and instructions in place of estimates");
  command->add_flag("--json", flags->json, "print one JSON object instead of text");
  command->callback([flags] { fit(*flags); });
}

}  // namespace mote::cli
