// SPDX-License-Identifier: Apache-2.0
#include "quantize/round_layers.hpp"

#include <algorithm>
#include <cmath>

#include "ops/convolution.hpp"
#include "quantize/observe.hpp"

namespace mote {

namespace {

constexpr int64_t most_taps = 2048;                // of a sum: its matrices grow by the square
constexpr int64_t value_bytes = int64_t{1} << 29;  // of all tensors that are alive at a time, over all samples

// The values of all tensors that later nodes read, by sample, and one node's step on them.
class Stream {
 public:
  Stream(const Graph& graph, size_t samples) : graph_(graph), values_(graph.tensors.size()) {
    for (std::vector<Bytes>& values : values_) values.resize(samples);
  }

  [[nodiscard]] std::vector<Bytes>& of(TensorId id) { return values_[id]; }
  [[nodiscard]] Values reals(TensorId id) const {
    Values result;
    for (const Bytes& bytes : values_[id]) result.push_back(to_values<float>(bytes));
    return result;
  }

  // Computes the node's outputs, with `constants` in the place of those that it reads.
  void step(Node node, const std::vector<std::pair<size_t, Tensor>>& constants = {}) {
    Graph one = graph_of(node);
    for (const auto& [input, tensor] : constants) {
      node.in.resize(std::max(node.in.size(), input + 1), no_tensor);
      node.in[input] = one.tensors.size();
      one.tensors.push_back(tensor);
    }
    one.nodes = {node};
    SampleRunner runner(one);
    for (size_t sample = 0; sample < values_[node.out.at(0)].size(); ++sample) {
      std::vector<Bytes> inputs;
      for (const TensorId id : one.inputs) inputs.push_back(values_[id][sample]);
      std::vector<Bytes> outputs = runner.run(inputs);
      for (size_t i = 0; i < outputs.size(); ++i) values_[node.out[i]][sample] = std::move(outputs[i]);
    }
  }

  void forget(TensorId id) {
    for (Bytes& bytes : values_[id]) bytes = Bytes();
  }

 private:
  // The tensors keep their numbers.
  [[nodiscard]] Graph graph_of(const Node& node) const {
    Graph one;
    one.name = graph_.name;
    one.tensors = graph_.tensors;
    for (const TensorId id : node.in) {
      const bool given = id != no_tensor && !one.tensors[id].constant() && !one.tensors[id].state;
      if (given && std::find(one.inputs.begin(), one.inputs.end(), id) == one.inputs.end())
        one.inputs.push_back(id);
    }
    one.outputs = node.out;
    return one;
  }

  const Graph& graph_;
  std::vector<std::vector<Bytes>> values_;  // [tensor][sample]
};

// As integers and back.
void snap(std::vector<Bytes>& samples, const Quantization& quant, DType dtype) {
  const Range ends = covered(quant, dtype);
  const auto scale = static_cast<double>(quant.scale.at(0));
  for (Bytes& bytes : samples) {
    std::vector<float> values = to_values<float>(bytes);
    for (float& value : values) {
      const double clamped = std::clamp(static_cast<double>(value), ends.low, ends.high);
      value = static_cast<float>(scale * std::nearbyint(clamped / scale));
    }
    bytes = to_bytes(values);
  }
}

Tensor as_reals(const Tensor& integers) {
  const Quantization& quant = integers.type.quant;
  const bool several = quant.scale.size() > 1;
  const std::vector<size_t> channel =
      several ? indices_along(integers.type.shape, quant.axis) : std::vector<size_t>{};
  std::vector<float> reals;
  const auto fill = [&](const auto& values) {
    for (size_t i = 0; i < values.size(); ++i)
      reals.push_back(quant.scale[several ? channel[i] : 0] * static_cast<float>(values[i]));
  };
  const DType dtype = integers.type.dtype;
  if (dtype == DType::i8) fill(to_values<int8_t>(integers.data));
  if (dtype == DType::i32) fill(to_values<int32_t>(integers.data));
  if (dtype == DType::i64) fill(to_values<int64_t>(integers.data));
  return {integers.name, {DType::f32, integers.type.shape, {}}, to_bytes(reals)};
}

class Rounder {
 public:
  Rounder(const Graph& graph, const Scheme& scheme, const Observed& observed, const QuantizeOptions& options,
          const Samples& samples)
      : graph_(graph),
        scheme_(scheme),
        observed_(observed),
        options_(options),
        count_(sample_count(samples.inputs.size())),
        wanted_(graph, count_),
        seen_(graph, count_),
        layers_(graph.nodes.size()) {
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      for (size_t sample = 0; sample < count_; ++sample) {
        const size_t chosen = sample * samples.inputs.size() / count_;
        wanted_.of(graph.inputs[i])[sample] = seen_.of(graph.inputs[i])[sample] = samples.inputs[chosen][i];
      }
      if (is_activation(graph, graph.inputs[i])) snap_seen(graph.inputs[i]);
    }
  }

  std::vector<std::optional<LayerConstants>> run(std::vector<std::string>& notes) {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (node.out.empty()) continue;
      wanted_.step(node);
      seen_.step(node, rounded(i, notes));
      for (const TensorId id : node.out) {
        if (scheme_.integer(i) && is_activation(graph_, id)) snap_seen(id);
      }
      forget_after(i);
    }
    return std::move(layers_);
  }

 private:
  // So many that all values of a layer have room.
  [[nodiscard]] size_t sample_count(size_t given) const {
    int64_t most = 1;
    for (const Node& node : graph_.nodes) {
      int64_t bytes = 0;
      for (const std::vector<TensorId>* ids : {&node.in, &node.out}) {
        for (const TensorId id : *ids) {
          if (id != no_tensor && !graph_.tensors[id].constant()) bytes += byte_size(graph_.tensors[id].type);
        }
      }
      most = std::max(most, bytes);
    }
    const auto room = static_cast<size_t>(std::max<int64_t>(value_bytes / (4 * most), 1));
    return std::min(given, room);
  }

  void snap_seen(TensorId id) {
    const Quantization& quant = observed_.quants[scheme_.group[id]];
    if (!quant.empty()) snap(seen_.of(id), quant, options_.activations);
  }

  [[nodiscard]] const WeightedSum* calibrated_sum(const Node& node, std::vector<std::string>& notes) const {
    const auto* const sum = dynamic_cast<const WeightedSum*>(node.op.get());
    if (sum == nullptr) return nullptr;
    const convolution::Problem problem = sum->problem(inputs_of(graph_, node), output_types(graph_, node));
    const int64_t taps =
        int64_t{problem.shape.kernel_height} * problem.shape.kernel_width * problem.shape.group_channels;
    if (problem.transposed || taps > most_taps) {
      notes.push_back(fmt::format("{} has its weights rounded to the nearest: {}.", node.origin,
                                  problem.transposed
                                      ? "it is a transposed convolution"
                                      : fmt::format("it sums over {} inputs, more than {}", taps, most_taps)));
      return nullptr;
    }
    return sum;
  }

  // The node's weights and bias as reals, once they are rounded, each with the number of its input.
  std::vector<std::pair<size_t, Tensor>> rounded(size_t index, std::vector<std::string>& notes) {
    if (!scheme_.integer(index) || !scheme_.forms[index]->sum) return {};
    const Node& node = graph_.nodes[index];
    const WeightedInputs& sum = *scheme_.forms[index]->sum;
    const bool wanted = options_.rounding == WeightRounding::calibrated ||
                        weight_kind(graph_, node, sum, options_) != WeightKind::bytes;
    std::optional<LayerMoments> moments;
    if (const WeightedSum* const op = wanted ? calibrated_sum(node, notes) : nullptr) {
      const nn::Conv2d shape = op->problem(inputs_of(graph_, node), output_types(graph_, node)).shape;
      moments = input_moments(shape, wanted_.reals(node.in[0]), seen_.reals(node.in[0]));
    }
    const LayerConstants made =
        layer_constants(graph_, scheme_, observed_, options_, index, moments ? &*moments : nullptr);
    std::vector<std::pair<size_t, Tensor>> reals{{sum.weights, as_reals(made.weights)}};
    if (made.bias) reals.emplace_back(sum.bias, as_reals(*made.bias));
    if (moments) layers_[index] = made;
    return reals;
  }

  void forget_after(size_t index) {
    const auto read_later = [&](TensorId id) {
      return std::any_of(
          graph_.nodes.begin() + static_cast<ptrdiff_t>(index) + 1, graph_.nodes.end(),
          [&](const Node& node) { return std::find(node.in.begin(), node.in.end(), id) != node.in.end(); });
    };
    for (const std::vector<TensorId>* ids : {&graph_.nodes[index].in, &graph_.nodes[index].out}) {
      for (const TensorId id : *ids) {
        if (id == no_tensor || read_later(id)) continue;
        wanted_.forget(id);
        seen_.forget(id);
      }
    }
  }

  const Graph& graph_;
  const Scheme& scheme_;
  const Observed& observed_;
  const QuantizeOptions& options_;
  size_t count_;
  Stream wanted_, seen_;
  std::vector<std::optional<LayerConstants>> layers_;
};

}  // namespace

std::vector<std::optional<LayerConstants>> round_layers(const Graph& graph, const Scheme& scheme,
                                                        const Observed& observed, const QuantizeOptions& options,
                                                        const Samples& samples, std::vector<std::string>& notes) {
  return Rounder(graph, scheme, observed, options, samples).run(notes);
}

}  // namespace mote
