// SPDX-License-Identifier: Apache-2.0
#include "fit/narrow_weights.hpp"

#include <set>

#include "codegen/codegen.hpp"
#include "ir/operator.hpp"
#include "plan/tasks.hpp"

namespace mote {

namespace {

// Weights that are constants of bytes, brought to [-7, 7] or [-1, 1].
bool narrow_constant(Tensor& weights, int bits) {
  if (!weights.constant() || weights.type.dtype != DType::i8 || weights.type.quant.empty()) return false;
  const int most = bits == 4 ? 7 : 1;
  for (std::byte& value : weights.data) {
    value = static_cast<std::byte>(std::to_integer<int8_t>(value) * most / 128);
  }
  return true;
}

int64_t constant_bytes(const Call& call) {
  int64_t bytes = 0;
  for (const Constant& constant : call.constants) {
    if (constant.weight) bytes += static_cast<int64_t>(constant.data.size());
  }
  return bytes;
}

}  // namespace

int64_t narrow_weight_bytes(const Graph& graph, const Plan& plan, const Core& core, int bits) {
  int64_t bytes = flash_data(plan).weight_bytes;
  std::set<size_t> seen;
  for (const Step& step : plan.steps) {
    const Node& node = graph.nodes[step.node];
    if (!seen.insert(step.node).second || node.in.size() < 2) continue;
    std::vector<const Tensor*> in = inputs_of(graph, node);
    if (in[1] == nullptr) continue;
    Tensor weights = *in[1];
    if (!narrow_constant(weights, bits)) continue;
    const Types out = output_types(graph, node);
    const int64_t now = constant_bytes(lower_node(node, *node.op, core, in, out));
    in[1] = &weights;
    bytes += constant_bytes(lower_node(node, *node.op, core, in, out)) - now;
  }
  return bytes;
}

}  // namespace mote
