// SPDX-License-Identifier: Apache-2.0
#include "quantize/observe.hpp"

#include <algorithm>
#include <cmath>

namespace mote {

namespace {

constexpr size_t bins = 4096;

// The range of everything in each group, constants that its operators read included.
class GroupRanges {
 public:
  GroupRanges(const Graph& graph, const Scheme& scheme)
      : graph_(graph), scheme_(scheme), ranges_(graph.tensors.size()), seen_(graph.tensors.size(), false) {}

  void see(TensorId id, std::span<const float> values) {
    const size_t group = scheme_.group[id];
    for (const float value : values) {
      if (!std::isfinite(value))
        fail("computes {} in '{}' on the calibration set", value, graph_.tensors[id].name);
      ranges_[group].low = std::min(ranges_[group].low, static_cast<double>(value));
      ranges_[group].high = std::max(ranges_[group].high, static_cast<double>(value));
    }
    seen_[group] = true;
  }

  void see_constants() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!scheme_.integer(i) || scheme_.forms[i]->scale != IntegerForm::Scale::shared) continue;
      for (const TensorId id : node.in) {
        if (id == no_tensor || !is_real(graph_.tensors[id]) || !graph_.tensors[id].constant()) continue;
        const size_t group = scheme_.group[node.out[0]];
        for (const float value : to_values<float>(graph_.tensors[id].data)) {
          ranges_[group].low = std::min(ranges_[group].low, static_cast<double>(value));
          ranges_[group].high = std::max(ranges_[group].high, static_cast<double>(value));
        }
      }
    }
  }

  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  [[nodiscard]] bool seen(size_t group) const { return seen_[group]; }

 private:
  const Graph& graph_;
  const Scheme& scheme_;
  std::vector<Range> ranges_;
  std::vector<bool> seen_;
};

// The groups that need a range of their own.
std::vector<bool> wanted_groups(const Graph& graph, const Scheme& scheme) {
  std::vector<bool> wanted(graph.tensors.size(), false);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (is_activation(graph, id) && !scheme.fixed[scheme.group[id]]) wanted[scheme.group[id]] = true;
  }
  return wanted;
}

}  // namespace

SampleRunner::SampleRunner(const Graph& graph)
    : graph_(graph), views_(graph.tensors.size()), plan_(make_plan(graph)), simulator_(graph, plan_) {
  for (const Node& node : graph.nodes) {
    if (node.op->alias() == Alias::view && node.in.at(0) != no_tensor)
      views_[node.in[0]].push_back(node.out.at(0));
  }
}

void SampleRunner::show(TensorId id, ByteSpan content, const Visit& visit) const {
  visit(id, content);
  for (const TensorId view : views_[id]) show(view, content, visit);
}

std::vector<Bytes> SampleRunner::run(const std::vector<Bytes>& inputs, const Visit& visit) {
  SimulateOptions options;
  if (visit) {
    for (size_t i = 0; i < inputs.size(); ++i) show(graph_.inputs[i], inputs[i], visit);
    options.after_step = [&](const Step& step, ByteSpan output) {
      if (!graph_.nodes[step.node].out.empty()) show(graph_.nodes[step.node].out[0], output, visit);
    };
  }
  simulator_.reset();
  return simulator_.run(inputs, options);
}

std::vector<std::vector<Bytes>> run_samples(const Graph& graph, const Samples& samples, const Visit& visit) {
  SampleRunner runner(graph);
  std::vector<std::vector<Bytes>> outputs;
  for (const std::vector<Bytes>& inputs : samples.inputs) outputs.push_back(runner.run(inputs, visit));
  return outputs;
}

std::vector<Quantization> quantizations(const Graph& graph, const Scheme& scheme, const Samples& samples,
                                        const QuantizeOptions& options) {
  GroupRanges observed(graph, scheme);
  const auto reals = [&](const auto& use) {
    return [&graph, use](TensorId id, ByteSpan content) {
      if (is_activation(graph, id)) use(id, to_values<float>(content));
    };
  };
  (void)run_samples(graph, samples,
                    reals([&](TensorId id, const std::vector<float>& values) { observed.see(id, values); }));
  observed.see_constants();
  const std::vector<bool> wanted = wanted_groups(graph, scheme);
  std::vector<Histogram> histograms(graph.tensors.size());
  for (size_t group = 0; group < wanted.size(); ++group) {
    if (!wanted[group]) continue;
    histograms[group] = {observed.ranges()[group].low, observed.ranges()[group].high, std::vector<uint64_t>(bins)};
  }
  if (options.range.method != RangeMethod::minmax) {
    (void)run_samples(graph, samples, reals([&](TensorId id, const std::vector<float>& values) {
                        const size_t group = scheme.group[id];
                        if (!wanted[group]) return;
                        for (const float value : values) histograms[group].add(static_cast<double>(value));
                      }));
  }
  std::vector<Quantization> result(graph.tensors.size());
  for (size_t group = 0; group < result.size(); ++group) {
    if (scheme.fixed[group]) {
      result[group] = *scheme.fixed[group];
    } else if (wanted[group] && observed.seen(group)) {
      result[group] = quantization_of(choose_range(histograms[group], options.range, options.activations),
                                      options.activations, options.power_of_two);
    }
  }
  return result;
}

namespace {

// How many means the node's input has; 0: none are of use.
size_t mean_count(const Graph& graph, const Node& node, const std::optional<IntegerForm>& form) {
  if (!form || !form->sum) return 0;
  const Shape& weights = graph.tensors[node.in[form->sum->weights]].type.shape;
  const Shape& in = graph.tensors[node.in[0]].type.shape;
  const int64_t taps = elements(weights) / weights[static_cast<size_t>(form->sum->out_axis)];
  const int64_t outputs = elements(graph.tensors[node.out[0]].type.shape);
  const bool all_taps = node.op->work(inputs_of(graph, node), output_types(graph, node)).macs == outputs * taps;
  return !all_taps ? 0 : static_cast<size_t>(weights.size() == 2 ? weights[1] : in.back());
}

}  // namespace

std::vector<std::vector<double>> input_means(const Graph& graph, const Scheme& scheme, const Samples& samples) {
  std::vector<std::vector<double>> means(graph.nodes.size());
  std::vector<std::vector<size_t>> readers(graph.tensors.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    means[i].assign(mean_count(graph, graph.nodes[i], scheme.forms[i]), 0.0);
    if (!means[i].empty()) readers[graph.nodes[i].in[0]].push_back(i);
  }
  (void)run_samples(graph, samples, [&](TensorId id, ByteSpan content) {
    if (readers[id].empty()) return;
    const std::vector<float> values = to_values<float>(content);
    for (const size_t node : readers[id]) {
      const size_t count = means[node].size();
      const double share = static_cast<double>(count) / static_cast<double>(values.size() * samples.inputs.size());
      for (size_t i = 0; i < values.size(); ++i) means[node][i % count] += static_cast<double>(values[i]) * share;
    }
  });
  return means;
}

}  // namespace mote
