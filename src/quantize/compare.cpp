// SPDX-License-Identifier: Apache-2.0
#include "quantize/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "quantize/observe.hpp"
#include "quantize/values.hpp"

namespace mote {

namespace {

constexpr double marked_from_db = 3;
constexpr double infinity = std::numeric_limits<double>::infinity();

// What is summed up for one tensor of the float model.
struct Sums {
  Range values{infinity, -infinity};
  double signal = 0, noise = 0, count = 0, outside = 0;

  [[nodiscard]] double decibels() const { return noise == 0 ? infinity : 10 * std::log10(signal / noise); }
};

class Comparison {
 public:
  Comparison(const Graph& model, const IntegerGraph& integer)
      : model_(model), integer_(integer), sums_(model.tensors.size()) {
    for (size_t i = 0; i < model.inputs.size(); ++i) original_[integer.graph.inputs[i]] = model.inputs[i];
    for (size_t i = 0; i < integer.graph.nodes.size(); ++i) {
      const std::vector<TensorId>& out = integer.graph.nodes[i].out;
      if (integer.source[i] != no_node && !out.empty()) original_[out[0]] = model.nodes[integer.source[i]].out[0];
    }
  }

  void run(const Samples& samples) {
    SampleRunner real(model_), whole(integer_.graph);
    for (const std::vector<Bytes>& inputs : samples.inputs) {
      std::map<TensorId, std::vector<double>> expected;
      (void)real.run(inputs, [&](TensorId id, ByteSpan content) {
        if (is_activation(model_, id)) expected[id] = real_values(model_.tensors[id].type, content);
      });
      (void)whole.run(integer_inputs(integer_.graph, model_, inputs), [&](TensorId id, ByteSpan content) {
        const auto original = original_.find(id);
        if (original == original_.end() || expected.count(original->second) == 0) return;
        const TensorType& type = integer_.graph.tensors[id].type;
        add(expected.at(original->second), real_values(type, content), type, sums_[original->second]);
      });
    }
  }

  [[nodiscard]] const Sums& sums(TensorId id) const { return sums_[id]; }

 private:
  static void add(const std::vector<double>& expected, const std::vector<double>& found, const TensorType& type,
                  Sums& sums) {
    const bool integer = !type.quant.empty();
    const Range ends = integer ? covered(type.quant, type.dtype) : Range{-infinity, infinity};
    const double half = integer ? static_cast<double>(type.quant.scale[0]) / 2 : 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      sums.values.low = std::min(sums.values.low, expected[i]);
      sums.values.high = std::max(sums.values.high, expected[i]);
      sums.signal += expected[i] * expected[i];
      sums.noise += (expected[i] - found[i]) * (expected[i] - found[i]);
      sums.outside += expected[i] < ends.low - half || expected[i] > ends.high + half ? 1 : 0;
    }
    sums.count += static_cast<double>(expected.size());
  }

  const Graph& model_;
  const IntegerGraph& integer_;
  std::map<TensorId, TensorId> original_;  // of the integer graph's tensors in the float graph
  std::vector<Sums> sums_;                 // by tensor of the float graph
};

void mark_worst(std::vector<LayerFigures>& layers, size_t marked) {
  std::vector<LayerFigures*> order;
  for (LayerFigures& layer : layers) order.push_back(&layer);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->lost_db > b->lost_db; });
  for (size_t i = 0; i < std::min(marked, order.size()); ++i)
    order[i]->worst = order[i]->lost_db >= marked_from_db;
}

// The class, and whether others are as large.
struct Answer {
  int64_t answer = 0;
  bool tie = false, saturated = false;
};

Answer answer_of(const TensorType& type, ByteSpan output) {
  const std::vector<double> values = real_values(type, output);
  const auto largest = std::max_element(values.begin(), values.end());
  const double top = type.quant.empty() ? infinity : covered(type.quant, type.dtype).high;
  return {largest - values.begin(), std::count(values.begin(), values.end(), *largest) > 1, *largest >= top};
}

void count(const Answer& answer, int64_t label, Answers& answers) {
  answers.right += answer.answer == label ? 1 : 0;
  answers.ties += answer.tie ? 1 : 0;
  answers.saturated += answer.saturated ? 1 : 0;
}

}  // namespace

std::vector<LayerFigures> compare_layers(const Graph& model, const IntegerGraph& integer, const Samples& samples,
                                         size_t marked) {
  Comparison comparison(model, integer);
  comparison.run(samples);
  std::vector<LayerFigures> layers;
  for (const Node& node : model.nodes) {
    if (node.out.empty()) continue;
    const TensorId id = node.out[0];
    const Sums& sums = comparison.sums(id);
    if (sums.count == 0 || node.op->alias() == Alias::view) continue;
    LayerFigures layer{node.origin, integer.integer[id] != no_tensor, sums.values,     {},
                       {},          sums.outside / sums.count,        sums.decibels(), 0,
                       false};
    if (layer.integer) {
      const TensorType& type = integer.graph.tensors[integer.integer[id]].type;
      layer.quant = type.quant;
      layer.covered = covered(type.quant, type.dtype);
    }
    // What a tensor of full range keeps when it is rounded: no integer layer can do better.
    const double best =
        layer.integer ? 6.02 * bits(integer.graph.tensors[integer.integer[id]].type.dtype) + 1.76 : infinity;
    double before = best;
    for (const TensorId in : node.in) {
      if (in != no_tensor && comparison.sums(in).count > 0)
        before = std::min(before, comparison.sums(in).decibels());
    }
    if (std::isfinite(before) && std::isfinite(layer.signal_to_noise_db))
      layer.lost_db = before - layer.signal_to_noise_db;
    layers.push_back(std::move(layer));
  }
  mark_worst(layers, marked);
  return layers;
}

Accuracy evaluate(const Graph& model, const Graph& integer, const Samples& labelled) {
  const TensorType& real_type = model.tensors[model.outputs.at(0)].type;
  const TensorType& integer_type = integer.tensors[integer.outputs.at(0)].type;
  const int64_t classes = elements(real_type.shape);
  require(classes > 1 && real_type.shape.back() == classes,
          "gives {} as its first output; accuracy needs one row of two classes or more", to_text(real_type.shape));
  require_labels(labelled, classes);
  SampleRunner real(model), whole(integer);
  Accuracy accuracy;
  accuracy.samples = labelled.inputs.size();
  for (size_t i = 0; i < labelled.inputs.size(); ++i) {
    const Answer expected = answer_of(real_type, real.run(labelled.inputs[i])[0]);
    const Answer found = answer_of(integer_type, whole.run(integer_inputs(integer, model, labelled.inputs[i]))[0]);
    count(expected, labelled.labels[i], accuracy.real);
    count(found, labelled.labels[i], accuracy.integer);
    accuracy.agree += expected.answer == found.answer ? 1 : 0;
  }
  return accuracy;
}

}  // namespace mote
