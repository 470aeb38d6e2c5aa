// SPDX-License-Identifier: Apache-2.0
// Applies a cost table to a planned model.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compile/compile.hpp"
#include "fit/costs.hpp"

namespace mote {

namespace {

int64_t last_dimension(const Shape& shape) { return shape.empty() ? 1 : std::max<int64_t>(shape.back(), 1); }

int64_t stored_weights(const Call& call) {
  int64_t most = 0;
  for (const Constant& constant : call.constants) {
    const int element = constant.scales_bytes != 0 ? constant.weight_bits : bits(constant.dtype);
    const auto bytes = static_cast<int64_t>(constant.data.size() - constant.scales_bytes);
    if (constant.weight) most = std::max(most, bytes * 8 / element);
  }
  return most;
}

}  // namespace

StepWork work_of(const Graph& graph, const Step& step) {
  const Node& node = graph.nodes[step.node];
  const Shape out = node.out.empty() ? Shape{} : graph.tensors[node.out[0]].type.shape;
  int64_t inputs = 0, outputs = 0;
  for (const TensorId id : node.in) {
    if (id != no_tensor && !graph.tensors[id].constant()) inputs += elements(graph.tensors[id].type.shape);
  }
  for (const TensorId id : node.out) outputs += elements(graph.tensors[id].type.shape);
  const bool has_input = !node.in.empty() && node.in[0] != no_tensor;
  const int64_t inner = has_input ? last_dimension(graph.tensors[node.in[0]].type.shape) : 1;
  const int64_t pixels = elements(out) / last_dimension(out);
  const int64_t macs = macs_of(graph, node);
  // Weights are padded to whole blocks and the padding is multiplied too; where one set of weights does not
  // explain the work, the multiply-accumulates do.
  const int64_t padded = pixels * stored_weights(step.call);
  const int64_t visits = padded >= macs && padded <= 5 * macs ? padded : macs;
  const double taps = outputs > 0 ? static_cast<double>(visits) / static_cast<double>(outputs) : 0;
  const bool vectors = step.call.kernel.find("_vector_s8") != std::string::npos;
  const double patches = static_cast<double>(visits) / static_cast<double>(last_dimension(out));
  return {1.0,
          static_cast<double>(visits),
          static_cast<double>(outputs),
          static_cast<double>(inputs),
          static_cast<double>(pixels),
          patches,
          (vectors ? patches : static_cast<double>(visits)) / static_cast<double>(inner),
          vectors ? static_cast<double>(outputs) * std::ceil(taps / 16) : 0};
}

namespace {

const Segment* segment_of(const Plan& plan, size_t step) {
  const auto found = std::find_if(plan.segments.begin(), plan.segments.end(), [&](const Segment& segment) {
    return !segment.parallel && segment.first <= step && step <= segment.last;
  });
  return found == plan.segments.end() ? nullptr : &*found;
}

// What slide_rows() moves in all strips.
int64_t moved_bytes(const StripWindow& window, int64_t strips) {
  int64_t bytes = 0;
  for (int32_t strip = 1; strip < strips; ++strip) {
    const int32_t first = window.first_row(strip);
    if (first != window.first_row(strip - 1)) bytes += (window.written.at(strip - 1) - first) * window.row_bytes;
  }
  return bytes;
}

}  // namespace

StripWork strip_work_of(const Graph& graph, const Plan& plan, size_t index) {
  const Segment* const segment = segment_of(plan, index);
  if (segment == nullptr) return {};
  const Step& step = plan.steps[index];
  const StripStep& rows = segment->steps[index - segment->first];
  const Node& node = graph.nodes[step.node];
  const Shape& shape = graph.tensors[node.out.at(0)].type.shape;
  // What folds its input's rows has no pixels.
  const int64_t block = std::max<int64_t>(step.call.order.block, 1),
                width = rows.out.row_bytes == 0 ? 0 : shape.at(2);
  int64_t calls = 0, odd_pixels = -(shape.at(1) * width % block);
  for (int32_t strip = 0; strip < segment->strips; ++strip) {
    const int64_t count = rows.done.at(strip) - rows.done.at(strip - 1);
    calls += count > 0 ? 1 : 0;
    odd_pixels += count * width % block;
  }
  const bool window = rows.out.window != no_window;
  const int64_t moved = window ? moved_bytes(segment->windows[rows.out.window], segment->strips) : 0;
  const double macs_of_pixel =
      static_cast<double>(macs_of(graph, node)) / static_cast<double>(std::max<int64_t>(shape.at(1) * width, 1));
  return {static_cast<double>(segment->strips - 1), static_cast<double>(calls - 1), static_cast<double>(moved),
          static_cast<double>(std::max<int64_t>(odd_pixels, 0)) * macs_of_pixel};
}

LayerShape shape_of(const StepWork& work) {
  constexpr double most = 32;
  const auto [calls, visits, outputs, inputs, pixels, patches, runs, vectors] = work;
  const double of = std::max(1.0, pixels);
  const LayerShape shape{pixels, outputs / of, patches / of, runs > 0 ? visits / runs : inputs / of};
  LayerShape capped{};
  for (size_t i = 0; i < shape.size(); ++i) capped[i] = std::min(shape[i], most);
  return capped;
}

double code_bytes_of(const KernelCost& cost, const StepWork& work) {
  const LayerShape shape = shape_of(work);
  double bytes = cost.code_bytes, nearest = std::numeric_limits<double>::infinity();
  for (const LayerCode& layer : cost.layers) {
    double distance = 0;
    for (size_t i = 0; i < shape.size(); ++i)
      distance += std::pow(std::log2(1 + shape[i]) - std::log2(1 + layer.shape[i]), 2);
    if (distance >= nearest) continue;
    nearest = distance;
    bytes = layer.code_bytes;
  }
  return bytes;
}

std::string cost_name(const std::string& kernel) {
  const size_t begin = kernel.find('<');
  if (begin == std::string::npos) return kernel;
  const std::string arguments = kernel.substr(begin);
  std::string function;
  const size_t scope = arguments.find("nn::");
  if (scope != std::string::npos) {
    const size_t end = arguments.find_first_of("<,>", scope);
    function = "<" + arguments.substr(scope + 4, end - scope - 4) + ">";
  }
  const std::string_view elements = arguments.find("float") != std::string::npos   ? "_f32"
                                    : arguments.find("int64") != std::string::npos ? "_s64"
                                                                                   : "_s8";
  return fmt::format("{}{}{}", kernel.substr(0, begin), function, elements);
}

std::vector<Variant> variants_of(const Graph& graph, const Plan& plan, Mode mode) {
  const std::vector<bool> own = specialised_steps(graph, plan, mode);
  const std::set<std::string> shared = shared_kernels(plan, own);
  std::vector<Variant> variants;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const bool calls = !own[i] && shared.count(plan.steps[i].call.kernel) != 0;
    if (mode == Mode::size)
      variants.push_back(calls ? Variant::size_shared : Variant::size_own);
    else
      variants.push_back(calls ? Variant::speed_shared : Variant::speed_own);
  }
  return variants;
}

namespace {

// The kernel's own figures, or those of kernels with its element type, or those of all.
const KernelCost& cost_of(const CostTable& table, Variant variant, const std::string& kernel, bool& known) {
  const auto& costs = table.kernels[static_cast<size_t>(variant)];
  const auto exact = costs.find(kernel);
  known = exact != costs.end();
  if (known) return exact->second;
  const size_t suffix = kernel.rfind('_');
  const auto like = suffix == std::string::npos ? costs.end() : costs.find("*" + kernel.substr(suffix));
  if (like != costs.end()) return like->second;
  const auto any = costs.find("*");
  require(any != costs.end(), "the cost table of {} has neither '{}' nor '*' for {}", table.target, kernel,
          variant_names[static_cast<size_t>(variant)]);
  return any->second;
}

bool is_shared(Variant variant) { return variant == Variant::speed_shared || variant == Variant::size_shared; }

}  // namespace

namespace {

// Adds what strips and moves take beyond the same steps in one piece.
void add_strips(const std::optional<StripCost>& cost, const Graph& graph, const Plan& plan, CostEstimate& estimate,
                double& code, double& stack) {
  if (!streams(plan)) return;
  estimate.strips_unknown = !cost;
  if (!cost) return;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (segment_of(plan, i) == nullptr) continue;
    const StripWork work = strip_work_of(graph, plan, i);
    for (size_t k = 0; k < work.size(); ++k) estimate.step_instructions[i] += cost->instructions[k] * work[k];
    code += cost->step_code_bytes;
  }
  if (!plan.segments.empty()) stack += cost->stack_bytes;
  // A move runs in front of its step and takes as long a byte as a window's rows.
  for (const Move& move : plan.moves)
    estimate.step_instructions[move.step] +=
        cost->instructions[2] * static_cast<double>(plan.buffers[move.from].bytes);
}

}  // namespace

CostEstimate estimate_costs(const CostTable& table, const Graph& graph, const Plan& plan, Mode mode) {
  CostEstimate estimate;
  const std::vector<Variant> variants = variants_of(graph, plan, mode);
  std::set<std::string> outlined, libraries, unknown;
  double code = table.run_bytes + static_cast<double>(flash_data(plan).table_bytes), stack = 0;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const std::string& kernel = plan.steps[i].call.kernel;
    bool known = false;
    const KernelCost& cost = cost_of(table, variants[i], cost_name(kernel), known);
    if (!known) unknown.insert(kernel);
    const StepWork work = work_of(graph, plan.steps[i]);
    double instructions = 0;
    for (size_t k = 0; k < work.size(); ++k) instructions += cost.instructions[k] * work[k];
    estimate.step_instructions.push_back(instructions);
    code += table.run_step_bytes;
    if (is_shared(variants[i])) code += table.call_bytes[static_cast<size_t>(variants[i])];
    if (!is_shared(variants[i]) || outlined.insert(kernel).second) code += code_bytes_of(cost, work);
    stack = std::max(stack, cost.stack_bytes);
    libraries.insert(cost.libraries.begin(), cost.libraries.end());
  }
  for (const std::string& member : libraries) {
    const auto bytes = table.library_bytes.find(member);
    if (bytes != table.library_bytes.end()) code += bytes->second;
  }
  add_strips(mode == Mode::size ? table.size_strips : table.speed_strips, graph, plan, estimate, code, stack);
  for (const double instructions : estimate.step_instructions) estimate.instructions += instructions;
  estimate.code_bytes = std::llround(code);
  estimate.stack_bytes = std::llround(stack);
  estimate.unknown.assign(unknown.begin(), unknown.end());
  return estimate;
}

}  // namespace mote
