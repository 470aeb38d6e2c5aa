// SPDX-License-Identifier: Apache-2.0
#include "ir/graph.hpp"

#include <fmt/ranges.h>

namespace mote {

std::vector<const Tensor*> inputs_of(const Graph& graph, const Node& node) {
  std::vector<const Tensor*> inputs;
  inputs.reserve(node.in.size());
  for (const TensorId id : node.in) inputs.push_back(id == no_tensor ? nullptr : &graph.tensors[id]);
  return inputs;
}

Types output_types(const Graph& graph, const Node& node) {
  Types types;
  for (const TensorId id : node.out) types.push_back(graph.tensors[id].type);
  return types;
}

namespace {

void verify_node(const Graph& graph, const Node& node, std::vector<bool>& defined) {
  require(node.op != nullptr, "{}: has no operator", node.origin);
  for (const TensorId id : node.in) {
    if (id == no_tensor) continue;
    require(id < graph.tensors.size(), "{}: reads tensor {}, which does not exist", node.origin, id);
    require(defined[id], "{}: reads '{}' before it is computed", node.origin, graph.tensors[id].name);
  }
  for (const TensorId id : node.out) {
    require(id < graph.tensors.size(), "{}: writes tensor {}, which does not exist", node.origin, id);
    require(!defined[id], "{}: writes '{}', which is already defined", node.origin, graph.tensors[id].name);
    require(!graph.tensors[id].state, "{}: writes the state '{}' as an output", node.origin,
            graph.tensors[id].name);
    defined[id] = true;
  }
  const Types stated = output_types(graph, node);
  const Types inferred = node.op->infer(inputs_of(graph, node), stated);
  require(inferred.size() == stated.size(), "{}: has {} outputs, {} needs {}", node.origin, stated.size(),
          node.op->name(), inferred.size());
  for (size_t i = 0; i < stated.size(); ++i) {
    require(inferred[i] == stated[i], "{}: output {} is {} {} in the graph but {} {} by its operator", node.origin,
            i, name(stated[i].dtype), to_text(stated[i].shape), name(inferred[i].dtype),
            to_text(inferred[i].shape));
  }
}

std::string type_text(const TensorType& type) {
  std::string text = fmt::format("{}[{}]", name(type.dtype), to_text(type.shape));
  if (type.quant.scale.size() == 1) {
    text += fmt::format("@{:g}{:+}", type.quant.scale[0], type.quant.zero[0]);
  } else if (!type.quant.empty()) {
    text += fmt::format("@axis{}", type.quant.axis);
  }
  return text;
}

}  // namespace

void verify(const Graph& graph) {
  std::vector<bool> defined(graph.tensors.size(), false);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.data.empty()) continue;
    require(static_cast<int64_t>(tensor.data.size()) == byte_size(tensor.type),
            "'{}': holds {} bytes, its type {} {}", tensor.name, tensor.data.size(), name(tensor.type.dtype),
            to_text(tensor.type.shape));
    defined[id] = true;
  }
  for (const TensorId id : graph.inputs) {
    require(id < graph.tensors.size() && !defined[id], "graph input {} is not a fresh tensor", id);
    defined[id] = true;
  }
  for (const Node& node : graph.nodes) verify_node(graph, node, defined);
  for (const TensorId id : graph.outputs) {
    require(id < graph.tensors.size() && defined[id], "graph output {} is never computed", id);
  }
}

std::string dump(const Graph& graph) {
  std::string text;
  for (const TensorId id : graph.inputs) {
    text += fmt::format("%{} = input '{}' {}\n", id, graph.tensors[id].name, type_text(graph.tensors[id].type));
  }
  for (const Node& node : graph.nodes) {
    std::vector<std::string> arguments;
    for (const TensorId id : node.in) {
      if (id == no_tensor) {
        arguments.emplace_back("-");
      } else if (graph.tensors[id].constant()) {
        arguments.push_back("const " + type_text(graph.tensors[id].type));
      } else if (graph.tensors[id].state) {
        arguments.push_back(fmt::format("state %{} {}", id, type_text(graph.tensors[id].type)));
      } else {
        arguments.push_back(fmt::format("%{}", id));
      }
    }
    const std::string parameters = node.op->parameters();
    const std::string result = node.out.empty() ? "" : fmt::format("%{} = ", fmt::join(node.out, ",%"));
    text += fmt::format("{}{}{}({}){}\n", result, node.op->name(),
                        parameters.empty() ? "" : "{" + parameters + "}", fmt::join(arguments, ", "),
                        node.out.empty() ? "" : " " + type_text(graph.tensors[node.out[0]].type));
  }
  text += fmt::format("output %{}\n", fmt::join(graph.outputs, ", %"));
  return text;
}

}  // namespace mote
