// SPDX-License-Identifier: Apache-2.0
#include "quantize/equalize.hpp"

#include <algorithm>
#include <cmath>

#include "quantize/constants.hpp"

namespace mote {

namespace {

struct Pair {
  size_t first = 0, second = 0;  // nodes
};

class Equalizer {
 public:
  Equalizer(Graph graph, const Scheme& scheme) : graph_(std::move(graph)), scheme_(scheme) {
    readers_.resize(graph_.tensors.size());
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const TensorId id : graph_.nodes[i].in) {
        if (id != no_tensor) readers_[id].push_back(i);
      }
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) find_pair(i);
  }

  Graph run() {
    constexpr int most_rounds = 40;
    constexpr double settled = 1e-4;
    for (int round = 0; round < most_rounds; ++round) {
      double moved = 0;
      for (const Pair& pair : pairs_) moved = std::max(moved, equalize(pair));
      if (moved < settled) break;
    }
    return std::move(graph_);
  }

 private:
  [[nodiscard]] const WeightedInputs* sum_of(size_t node) const {
    const auto& form = scheme_.forms[node];
    return form && form->sum ? &*form->sum : nullptr;
  }

  [[nodiscard]] bool is_output(TensorId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  // May the weights and the bias of the node be changed?
  [[nodiscard]] bool owns_constants(size_t node, const WeightedInputs& sum) const {
    const std::vector<TensorId>& in = graph_.nodes[node].in;
    const auto owned = [&](size_t input) {
      return input >= in.size() || in[input] == no_tensor || readers_[in[input]].size() == 1;
    };
    return owned(sum.weights) && owned(sum.bias);
  }

  void find_pair(size_t first) {
    const WeightedInputs* const sum = sum_of(first);
    if (sum == nullptr || !sum->keeps_scaling || !owns_constants(first, *sum)) return;
    TensorId id = graph_.nodes[first].out[0];
    while (!is_output(id) && readers_[id].size() == 1) {
      const size_t reader = readers_[id][0];
      if (const WeightedInputs* const next = sum_of(reader)) {
        const bool reads = graph_.nodes[reader].in[0] == id && owns_constants(reader, *next);
        if (reads && channels(first, sum->out_axis) == inputs_of_sum(reader, *next))
          pairs_.push_back({first, reader});
        return;
      }
      const auto& form = scheme_.forms[reader];
      if (!form || !form->keeps_channels) return;
      id = graph_.nodes[reader].out[0];
    }
  }

  [[nodiscard]] const Shape& weights_shape(size_t node) const {
    return graph_.tensors[graph_.nodes[node].in[sum_of(node)->weights]].type.shape;
  }
  [[nodiscard]] int64_t channels(size_t node, int axis) const {
    return weights_shape(node)[static_cast<size_t>(axis)];
  }

  // Along which axis of the weights the input's channels lie, one index each.
  static int input_axis(const WeightedInputs& sum) { return sum.in_axis < 0 ? sum.out_axis : sum.in_axis; }

  // 0: channels are grouped or multiplied.
  [[nodiscard]] int64_t inputs_of_sum(size_t node, const WeightedInputs& sum) const {
    const int64_t channels_in = graph_.tensors[graph_.nodes[node].in[0]].type.shape.back();
    const int64_t counted = channels(node, input_axis(sum));
    return counted == channels_in ? counted : 0;
  }

  [[nodiscard]] std::vector<double> largest(size_t node, int axis) const {
    const Tensor& weights = graph_.tensors[graph_.nodes[node].in[sum_of(node)->weights]];
    const std::vector<float> values = to_values<float>(weights.data);
    const std::vector<size_t> index = indices_along(weights.type.shape, axis);
    std::vector<double> result(static_cast<size_t>(channels(node, axis)), 0.0);
    for (size_t i = 0; i < values.size(); ++i)
      result[index[i]] = std::max(result[index[i]], static_cast<double>(std::abs(values[i])));
    return result;
  }

  void scale(TensorId id, int axis, const std::vector<double>& factors) {
    Tensor& tensor = graph_.tensors[id];
    std::vector<float> values = to_values<float>(tensor.data);
    const std::vector<size_t> index = indices_along(tensor.type.shape, axis);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(static_cast<double>(values[i]) * factors[index[i]]);
    tensor.data = to_bytes(values);
  }

  // Returns how far the factors are from 1.
  double equalize(const Pair& pair) {
    const WeightedInputs &first = *sum_of(pair.first), &second = *sum_of(pair.second);
    const std::vector<double> gives = largest(pair.first, first.out_axis);
    const std::vector<double> reads = largest(pair.second, input_axis(second));
    std::vector<double> down, up;
    double moved = 0;
    for (size_t i = 0; i < gives.size(); ++i) {
      const double factor = gives[i] > 0 && reads[i] > 0 ? std::sqrt(gives[i] / reads[i]) : 1.0;
      down.push_back(1 / factor);
      up.push_back(factor);
      moved = std::max(moved, std::abs(std::log(factor)));
    }
    const std::vector<TensorId>& in = graph_.nodes[pair.first].in;
    scale(in[first.weights], first.out_axis, down);
    if (first.bias < in.size() && in[first.bias] != no_tensor) {
      const auto rank = static_cast<int>(graph_.tensors[in[first.bias]].type.shape.size());
      scale(in[first.bias], rank - 1, down);
    }
    scale(graph_.nodes[pair.second].in[second.weights], input_axis(second), up);
    return moved;
  }

  Graph graph_;
  const Scheme& scheme_;
  std::vector<std::vector<size_t>> readers_;  // by tensor
  std::vector<Pair> pairs_;
};

}  // namespace

Graph equalize(Graph graph, const Scheme& scheme) { return Equalizer(std::move(graph), scheme).run(); }

}  // namespace mote
