// SPDX-License-Identifier: Apache-2.0
// Which boards a model fits, which boards and targets there are.
#include "fit/fit.hpp"

#include "bindings.hpp"
#include "measure/measure.hpp"
#include "target/registry.hpp"
#include "verify/golden.hpp"

namespace mote::python {

namespace {

// Compiles for a target and runs there with random inputs, as `mote fit --measure` does.
std::optional<ExactCost> measure_on(const Compiled& compiled, const Target& target, Mode mode) {
  if (target.emulator.empty()) return std::nullopt;
  std::mt19937 random(1);
  const Measurement measured =
      measure(compiled, target, mode, {random_case(compiled.graph, random, "fit").inputs}, false);
  return ExactCost{measured.sizes->code_bytes, measured.sizes->stack_bound_bytes,
                   static_cast<double>(measured.instructions.at(0))};
}

std::string fit(const Model& model, const std::vector<std::string>& names, const std::string& optimize,
                bool measured) {
  const Mode mode = parse_mode(optimize);
  std::vector<Board> boards;
  for (const std::string& name : names) boards.push_back(find_board(name));
  if (boards.empty()) boards = all_boards();
  const Compiled compiled = planned_for(model.compiled, plan_options(mode));
  Measure exact;
  if (measured)
    exact = [mode](const Compiled& one, const Target& target) { return measure_on(one, target, mode); };
  return text_of(fit_json(fit_boards(compiled, boards, mode, exact)));
}

std::string boards() {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Board& board : all_boards()) json.push_back(board_json(board));
  return text_of(json);
}

std::string targets() {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Target* target : target::all())
    json.push_back({{"name", target->name}, {"description", target->description}, {"note", target->note}});
  return text_of(json);
}

}  // namespace

void add_fit(nb::module_& module) {
  module.def("fit", &fit, nb::arg("model"), nb::arg("boards"), nb::arg("optimize"), nb::arg("measured"),
             nb::call_guard<nb::gil_scoped_release>(), "What `mote fit --json` prints.");
  module.def("boards", &boards, "What `mote boards --json` prints.");
  module.def("targets", &targets, "What `mote targets --json` prints.");
}

}  // namespace mote::python
