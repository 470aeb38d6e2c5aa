// SPDX-License-Identifier: Apache-2.0
// Which nodes of a float graph become integers, and which of its tensors share one quantisation.
#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

struct Scheme {
  // By node: its integer form; nullopt: it stays as it is.
  std::vector<std::optional<IntegerForm>> forms;
  // By tensor: the group of tensors with one quantisation.
  std::vector<size_t> group;
  // By group: the quantisation that operators insist on.
  std::vector<std::optional<Quantization>> fixed;
  // (node, input) of inputs whose quantisation is another than the node's, which joins them: to be requantised.
  std::set<std::pair<size_t, size_t>> requantised;

  [[nodiscard]] bool integer(size_t node) const { return forms[node].has_value(); }
};

[[nodiscard]] bool is_real(const Tensor& tensor);  // f32

// Is the tensor there when the model runs (no constant), and real?
[[nodiscard]] bool is_activation(const Graph& graph, TensorId id);

// Throws Error when the model holds quantised tensors already, or when nothing in it has an integer form.
[[nodiscard]] Scheme choose_scheme(const Graph& graph, DType activations);

}  // namespace mote
