// SPDX-License-Identifier: Apache-2.0
#include "ir/fold.hpp"

#include <algorithm>
#include <cstring>

namespace mote {

namespace {

// Memory that any element type may live in.
class Block {
 public:
  explicit Block(int64_t bytes) : words_(static_cast<size_t>(bytes) / sizeof(std::max_align_t) + 1) {}
  explicit Block(const Bytes& bytes) : Block(static_cast<int64_t>(bytes.size())) {
    if (!bytes.empty()) std::memcpy(words_.data(), bytes.data(), bytes.size());
  }
  [[nodiscard]] void* data() { return words_.data(); }
  [[nodiscard]] Bytes first(int64_t bytes) const {
    const auto* begin = reinterpret_cast<const std::byte*>(words_.data());
    return {begin, begin + bytes};
  }

 private:
  std::vector<std::max_align_t> words_;
};

std::vector<Bytes> run(const Graph& graph, const Node& node, const Call& call) {
  std::vector<Block> blocks;  // of the arguments
  blocks.reserve(call.arguments.size());
  std::vector<void*> pointers;
  std::vector<size_t> place_of_output(node.out.size(), call.arguments.size());
  for (const Argument& argument : call.arguments) {
    switch (argument.kind) {
      case Argument::Kind::input: blocks.emplace_back(graph.tensors[node.in.at(argument.index)].data); break;
      case Argument::Kind::constant: blocks.emplace_back(call.constants.at(argument.index).data); break;
      case Argument::Kind::state: fail("internal: a state is no constant");
      case Argument::Kind::scratch: blocks.emplace_back(call.scratch_bytes); break;
      case Argument::Kind::output:
        place_of_output.at(argument.index) = blocks.size();
        blocks.emplace_back(byte_size(graph.tensors[node.out[argument.index]].type));
        break;
    }
    const bool absent = argument.kind == Argument::Kind::constant && call.constants[argument.index].data.empty();
    pointers.push_back(absent ? nullptr : blocks.back().data());
  }
  call.run(pointers);
  std::vector<Bytes> results;
  for (size_t i = 0; i < node.out.size(); ++i) {
    require(place_of_output[i] < blocks.size(), "internal: {} does not write output {}", call.kernel, i);
    results.push_back(blocks[place_of_output[i]].first(byte_size(graph.tensors[node.out[i]].type)));
  }
  return results;
}

}  // namespace

bool reads_only_constants(const Graph& graph, const Node& node) {
  return std::all_of(node.in.begin(), node.in.end(),
                     [&](TensorId id) { return id == no_tensor || graph.tensors[id].constant(); });
}

std::vector<Bytes> evaluate(const Graph& graph, const Node& node) {
  if (node.op->alias() == Alias::view) return {graph.tensors[node.in.at(0)].data};
  const Call call = node.op->lower(inputs_of(graph, node), output_types(graph, node));
  require(!call.empty(), "internal: {} is no view but has no kernel", node.op->name());
  return run(graph, node, call);
}

}  // namespace mote
