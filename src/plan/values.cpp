// SPDX-License-Identifier: Apache-2.0
#include "plan/values.hpp"

#include <algorithm>

namespace mote {

namespace {

int64_t align_of(const TensorType& type, int64_t least_align) {
  return std::max<int64_t>(least_align, bits(type.dtype) / 8);
}

void add_value(const Graph& graph, TensorId id, int64_t least_align, Values& values) {
  const Tensor& tensor = graph.tensors[id];
  values.of_tensor[id] = values.values.size();
  values.values.push_back({tensor.name, byte_size(tensor.type), align_of(tensor.type, least_align)});
}

void add_view(const Graph& graph, const Node& node, int64_t least_align, Values& values) {
  require(!node.in.empty() && node.in[0] != no_tensor && values.of_tensor[node.in[0]] != no_value,
          "{}: a view of a constant; fold constants before planning", node.origin);
  require(!graph.tensors[node.in[0]].state, "{}: a view of a state, which its readers would see change",
          node.origin);
  const TensorType& type = graph.tensors[node.out.at(0)].type;
  const size_t shown = values.of_tensor[node.in[0]];
  values.of_tensor[node.out[0]] = shown;
  Value& value = values.values[shown];
  require(byte_size(type) <= value.bytes, "{}: shows {} bytes of a tensor of {}", node.origin, byte_size(type),
          value.bytes);
  value.align = std::max(value.align, align_of(type, least_align));
}

}  // namespace

Values find_values(const Graph& graph, int64_t least_align) {
  Values values;
  values.of_tensor.assign(graph.tensors.size(), no_value);
  for (const TensorId id : graph.inputs) add_value(graph, id, least_align, values);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].state) add_value(graph, id, least_align, values);
  }
  for (const Node& node : graph.nodes) {
    if (node.op->alias() == Alias::view) {
      add_view(graph, node, least_align, values);
    } else {
      for (const TensorId id : node.out) add_value(graph, id, least_align, values);
    }
  }
  for (const TensorId id : graph.outputs) {
    require(values.of_tensor[id] != no_value,
            "graph output '{}' is a constant that no kernel computes; remove it from the model's outputs",
            graph.tensors[id].name);
  }
  return values;
}

std::vector<size_t> values_read(const Values& values, const Node& node) {
  std::vector<size_t> read;
  for (const TensorId id : node.in) {
    if (id == no_tensor || values.of_tensor[id] == no_value) continue;
    if (std::find(read.begin(), read.end(), values.of_tensor[id]) == read.end())
      read.push_back(values.of_tensor[id]);
  }
  return read;
}

}  // namespace mote
