// SPDX-License-Identifier: Apache-2.0
// What a kernel costs on a target without compiling it: instructions as a linear function of its work, code and
// stack as fitted to exact measurements (bench/costs.cpp writes the tables in costs/).
#pragma once

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/codegen.hpp"
#include "ir/graph.hpp"
#include "plan/plan.hpp"
#include "target/target.hpp"

namespace mote {

// What a step does, as numbers that any kernel's instructions may depend on.
//   calls    1
//   visits   weights read, padding included: output pixels times stored weights; multiply-accumulates without any
//   outputs  output elements
//   inputs   elements of inputs in the arena
//   pixels   output elements without the innermost dimension
//   patches  input elements gathered in front of the weights: visits over the innermost output dimension
//   runs     starts of a loop over the innermost input dimension: visits over it, or patches where all channels
//            share what was gathered
//   vectors  of sixteen weights for each output element, the last one perhaps nearly empty: only of kernels that
//            take so many at once, from what was gathered for all channels
constexpr std::array<std::string_view, 8> work_names = {"calls",  "visits",  "outputs", "inputs",
                                                        "pixels", "patches", "runs",    "vectors"};
using StepWork = std::array<double, work_names.size()>;

[[nodiscard]] StepWork work_of(const Graph& graph, const Step& step);

// What running in strips adds to a step, as numbers that its instructions may depend on.
//   strips       beyond the first
//   calls        of its kernel, beyond the first
//   moved_bytes  of its window, from strip to strip
//   odd_macs     multiply-accumulates of a strip's pixels that do not fill a block of the kernel, beyond those of
//                the whole image
constexpr std::array<std::string_view, 4> strip_work_names = {"strips", "calls", "moved_bytes", "odd_macs"};
using StripWork = std::array<double, strip_work_names.size()>;

// All zero: the step runs once.
[[nodiscard]] StripWork strip_work_of(const Graph& graph, const Plan& plan, size_t step);

// How a kernel stands in the code: compiled for speed or size, with constant parameters or shared between layers.
enum class Variant { speed_own, speed_shared, size_own, size_shared };
constexpr std::array<std::string_view, 4> variant_names = {"speed_own", "speed_shared", "size_own", "size_shared"};

// One a step, as generate() would print it.
[[nodiscard]] std::vector<Variant> variants_of(const Graph& graph, const Plan& plan, Mode mode);

// The name that a kernel's figures stand under. Instances of one template share theirs: what counts is the
// function they apply and whether elements are floating-point, 64 bits wide or neither. "map_2<nn::Sum, float,
// float>" -> "map_2<Sum>_f32".
[[nodiscard]] std::string cost_name(const std::string& kernel);

// What a compiler that knows all parameters may unroll: pixels, output elements of a pixel, weights of an output
// element, elements of the innermost input dimension. Beyond 32 it unrolls nothing, so that all of it is alike.
using LayerShape = std::array<double, 4>;
[[nodiscard]] LayerShape shape_of(const StepWork& work);

struct LayerCode {
  LayerShape shape{};
  double code_bytes = 0;
};

struct KernelCost {
  StepWork instructions{};          // per unit of work
  double code_bytes = 0;            // of a layer's own copy, or of the one shared instance
  std::vector<LayerCode> layers;    // own copies in real models: the most similar one counts; empty: code_bytes
  double stack_bytes = 0;           // of a model that has this kernel only
  std::set<std::string> libraries;  // members of libgcc and libm it calls
};

// Bytes of a layer's own copy, or of the one shared instance.
[[nodiscard]] double code_bytes_of(const KernelCost& cost, const StepWork& work);

// Of a step in strips, beside the same step in one piece.
struct StripCost {
  StripWork instructions{};    // per unit of work
  double step_code_bytes = 0;  // for each step
  double stack_bytes = 0;      // of a model that has such a step
};

// How far estimates were off when the model's own measurements were left out: fractions of the exact figure.
struct CostError {
  double typical = 0, worst = 0;  // median and largest magnitude
};
struct ModeError {
  CostError instructions, code, stack;
  int64_t models = 0;
};

struct CostTable {
  std::string target;
  std::string measured_on;  // another target whose measurements stand in for this one's; empty: its own
  // [variant][cost_name]. Names that begin with '*' are for kernels nobody measured: "*_f32", "*".
  std::array<std::map<std::string, KernelCost>, variant_names.size()> kernels;
  std::array<double, variant_names.size()> call_bytes{};  // of a step that calls a shared instance
  std::map<std::string, double> library_bytes;
  double run_bytes = 0, run_step_bytes = 0;            // of NAME_run: alone, and for each step
  std::optional<StripCost> speed_strips, size_strips;  // compiled for speed or size; empty: nobody measured them
  std::map<std::string, ModeError> errors;             // by the mode's name; empty: no model was left out
};

// `file` is the place that errors name.
[[nodiscard]] CostTable parse_costs(std::string_view text, std::string_view file);
[[nodiscard]] nlohmann::ordered_json costs_json(const CostTable& table);

// The table that travels inside the program; {"target": …, "measured_on": …} in its place names the table of a
// relative. Throws Error when the target has none.
[[nodiscard]] CostTable costs_of(const Target& target);

struct CostEstimate {
  double instructions = 0;
  int64_t code_bytes = 0, stack_bytes = 0;
  std::vector<double> step_instructions;
  std::vector<std::string> unknown;  // kernels whose figures are those of kernels like them
  bool strips_unknown = false;       // the plan has strips, and what they add was not measured and is left out
};

[[nodiscard]] CostEstimate estimate_costs(const CostTable& table, const Graph& graph, const Plan& plan, Mode mode);

}  // namespace mote
