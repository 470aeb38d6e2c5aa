// SPDX-License-Identifier: Apache-2.0
// A model as a graph of plain values: tensors and nodes refer to each other by index.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "ir/operator.hpp"
#include "ir/types.hpp"

namespace mote {

using TensorId = size_t;
constexpr TensorId no_tensor = std::numeric_limits<TensorId>::max();  // an optional input that is absent

struct Node {
  OperatorPtr op;
  std::vector<TensorId> in, out;
  std::string origin;  // "CONV_2D #7 (name of its output)": what messages call it
};

struct Graph {
  std::string name;  // a C identifier
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<TensorId> inputs, outputs;
  std::vector<std::string> notes;  // what the importer decided and the user should know, a sentence each
};

// The node's inputs as operators want them; the pointers live as long as the graph's tensors stay in place.
[[nodiscard]] std::vector<const Tensor*> inputs_of(const Graph& graph, const Node& node);
[[nodiscard]] Types output_types(const Graph& graph, const Node& node);

// Throws Error unless ids are in range, every tensor is defined before its use and once, data sizes fit their
// types, and every node's infer() agrees with the types that the graph states.
void verify(const Graph& graph);

// One line a tensor-producing thing, stable: for tests of passes and for `inspect --dump`.
[[nodiscard]] std::string dump(const Graph& graph);

}  // namespace mote
