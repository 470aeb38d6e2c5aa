// SPDX-License-Identifier: Apache-2.0
#include "quantize/scheme.hpp"

#include <algorithm>
#include <numeric>

namespace mote {

namespace {

void require_float(const Graph& graph) {
  for (const Tensor& tensor : graph.tensors) {
    require(tensor.type.quant.empty() || is_real(tensor),
            "is quantised already: '{}' is {} with a scale; give the float model", tensor.name,
            name(tensor.type.dtype));
  }
}

// Sets of tensors, joined step by step.
class Groups {
 public:
  explicit Groups(size_t count) : parent_(count), fixed_(count) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }

  size_t root(size_t id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }
  std::optional<Quantization>& fixed(size_t id) { return fixed_[root(id)]; }
  void join(size_t a, size_t b) {
    a = root(a), b = root(b);
    if (a == b) return;
    if (!fixed_[a]) fixed_[a] = fixed_[b];
    parent_[b] = a;
  }

 private:
  std::vector<size_t> parent_;
  std::vector<std::optional<Quantization>> fixed_;
};

class Chooser {
 public:
  Chooser(const Graph& graph, DType activations)
      : graph_(graph), activations_(activations), groups_(graph.tensors.size()) {
    scheme_.forms.resize(graph.nodes.size());
  }

  Scheme choose() {
    choose_forms();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) join(i);
    for (TensorId id = 0; id < graph_.tensors.size(); ++id) {
      scheme_.group.push_back(groups_.root(id));
      scheme_.fixed.push_back(groups_.fixed(id));
    }
    return std::move(scheme_);
  }

 private:
  [[nodiscard]] std::vector<TensorId> activations_of(const std::vector<TensorId>& ids) const {
    std::vector<TensorId> result;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(result),
                 [&](TensorId id) { return is_activation(graph_, id); });
    return result;
  }

  void choose_forms() {
    std::vector<bool> has_integers(graph_.tensors.size(), false);
    for (const TensorId id : graph_.inputs) has_integers[id] = true;
    bool any = false;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const std::vector<TensorId> real = activations_of(node.in);
      const bool state = std::any_of(node.in.begin(), node.in.end(),
                                     [&](TensorId id) { return id != no_tensor && graph_.tensors[id].state; });
      if (real.empty() || state) continue;
      std::optional<IntegerForm> form =
          node.op->integer_form(activations_, inputs_of(graph_, node), output_types(graph_, node));
      // What only moves values follows the operator that computes them.
      const bool follows = form && form->scale == IntegerForm::Scale::shared &&
                           std::none_of(real.begin(), real.end(), [&](TensorId id) { return has_integers[id]; });
      if (!form || follows) continue;
      any = any || form->scale != IntegerForm::Scale::shared;
      scheme_.forms[i] = std::move(form);
      for (const TensorId id : node.out) has_integers[id] = true;
    }
    require(any, "has no layer to quantise: no operator of it that computes reals has an integer form");
  }

  void join(size_t index) {
    if (!scheme_.forms[index]) return;
    const IntegerForm& form = *scheme_.forms[index];
    const Node& node = graph_.nodes[index];
    if (form.scale == IntegerForm::Scale::fixed) groups_.fixed(node.out[0]) = form.output;
    if (form.scale != IntegerForm::Scale::shared) return;
    const std::vector<TensorId> real = activations_of(node.in), out = activations_of(node.out);
    const std::optional<Quantization> first = groups_.fixed(real[0]);
    const bool all_equal =
        node.in.size() == real.size() &&
        std::all_of(real.begin(), real.end(), [&](TensorId id) { return groups_.fixed(id) == first; });
    for (size_t i = 0; i < node.in.size(); ++i) {
      if (!is_activation(graph_, node.in[i])) continue;
      // A quantisation that an operator insists on would clip the other inputs.
      if (real.size() > 1 && !all_equal && groups_.fixed(node.in[i])) {
        scheme_.requantised.emplace(index, i);
      } else if (!out.empty()) {
        groups_.join(node.in[i], out[0]);
      } else {
        groups_.join(node.in[i], real[0]);
      }
    }
  }

  const Graph& graph_;
  DType activations_;
  Groups groups_;
  Scheme scheme_;
};

}  // namespace

bool is_real(const Tensor& tensor) { return tensor.type.dtype == DType::f32; }

bool is_activation(const Graph& graph, TensorId id) {
  return id != no_tensor && is_real(graph.tensors[id]) && !graph.tensors[id].constant() &&
         !graph.tensors[id].state;
}

Scheme choose_scheme(const Graph& graph, DType activations) {
  require_float(graph);
  return Chooser(graph, activations).choose();
}

}  // namespace mote
