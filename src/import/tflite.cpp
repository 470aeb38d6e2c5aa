// SPDX-License-Identifier: Apache-2.0
#include "import/tflite.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/identifier.hpp"
#include "formats/tflite_view.hpp"
#include "import/signed_model.hpp"
#include "import/unsupported.hpp"
#include "import/variables.hpp"
#include "ir/fold.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

// Exporters join the names of fused layers with ';': the first one is enough to find the layer.
std::string short_name(std::string_view name) {
  constexpr size_t longest = 80;
  const std::string_view first = name.substr(0, name.find(';'));
  return first.size() <= longest ? std::string(first) : std::string(first.substr(0, longest)) + "...";
}

// Builds the graph tensor by tensor and node by node, and keeps going after a problem so that all come to light.
class Importer {
 public:
  Importer(tflite::Model model, std::span<const OpDef* const> operators)
      : model_(std::move(model)), operators_(operators), ids_(model_.tensors.size(), no_tensor) {}

  Graph import(std::string_view name);

 private:
  void check_tensors();
  void note_other_subgraphs();
  void add_node(size_t index);
  std::vector<Node> make_nodes(const tflite::FileOperator& source, const std::string& origin);
  bool touches_empty(const Node& node) const;
  void infer(const Node& node);
  void fold(std::span<const size_t> outputs, const Node& node);
  void compute_outputs();
  const TfliteEntry* find(std::string_view operator_name) const;
  TensorId tensor(size_t index);
  void count_state(const Tensor& state);
  TensorId add_state(Tensor state, std::string_view owner);
  std::vector<std::string> supported() const;
  void report() const;

  tflite::Model model_;  // tensors that are computed from constants become constants as nodes are added
  std::span<const OpDef* const> operators_;
  std::vector<TensorId> ids_;  // of the file's tensors, once they are used
  Graph graph_;
  std::vector<std::string> problems_;
  int64_t state_bytes_ = 0;
  bool unknown_operators_ = false;
};

Graph Importer::import(std::string_view name) {
  graph_.name = to_identifier(name);
  check_tensors();
  for (const size_t index : model_.inputs) graph_.inputs.push_back(tensor(index));
  for (size_t i = 0; i < model_.operators.size(); ++i) add_node(i);
  for (const size_t index : model_.outputs) graph_.outputs.push_back(tensor(index));
  note_other_subgraphs();
  report();
  compute_outputs();
  verify(graph_);
  return std::move(graph_);
}

void Importer::check_tensors() {
  for (const tflite::FileTensor& source : model_.tensors) {
    if (source.problem.empty()) continue;
    problems_.push_back(fmt::format("tensor '{}': {}", short_name(source.tensor.name), source.problem));
  }
}

void Importer::note_other_subgraphs() {
  const auto calls = std::count_if(model_.operators.begin(), model_.operators.end(),
                                   [](const auto& one) { return one.view.name == "CALL_ONCE"; });
  if (std::ssize(model_.called) <= calls) return;
  graph_.notes.push_back(fmt::format("The file has {} subgraphs; the first is compiled, with what it calls.",
                                     model_.called.size() + 1));
}

void Importer::add_node(size_t index) {
  const tflite::FileOperator& source = model_.operators[index];
  if (source.done) return;
  const std::string output = source.view.outputs.empty() ? "no output" : short_name(source.view.outputs[0]->name);
  const std::string origin = fmt::format("{} #{} ({})", source.view.name, index, output);
  try {
    size_t first_output = 0;
    for (Node& node : make_nodes(source, origin)) {
      const auto outputs = std::span(source.out).subspan(first_output, node.out.size());
      first_output += node.out.size();
      if (touches_empty(node)) continue;
      infer(node);
      if (reads_only_constants(graph_, node)) {
        fold(outputs, node);
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
  } catch (const Error& error) {
    problems_.push_back(fmt::format("{}: {}", origin, error.what()));
  }
}

// No node when a tensor of it was reported already.
std::vector<Node> Importer::make_nodes(const tflite::FileOperator& source, const std::string& origin) {
  require(source.problem.empty(), "{}", source.problem);
  const TfliteEntry* const entry = find(source.view.name);
  unknown_operators_ = unknown_operators_ || entry == nullptr;
  require(entry != nullptr, "{}", why_unsupported(source.view.name));
  require(!source.out.empty() || source.gives_nothing, "has no output");
  const auto usable = [&](size_t index) {
    return index == tflite::absent || model_.tensors[index].problem.empty();
  };
  if (!std::all_of(source.in.begin(), source.in.end(), usable)) return {};
  if (!std::all_of(source.out.begin(), source.out.end(), usable)) return {};
  const Made made = entry->make(source.view);
  std::vector<TensorId> in, out;
  for (const size_t input : made.inputs) {
    require(input < source.in.size(), "has {} inputs; input {} is missing", source.in.size(), input);
    const size_t index = source.in[input];
    in.push_back(index == tflite::absent ? no_tensor : tensor(index));
  }
  for (const Tensor& state : made.states) in.push_back(add_state(state, source.view.outputs[0]->name));
  for (const size_t index : source.out) out.push_back(tensor(index));
  if (made.others.empty()) return {{made.op, in, out, origin}};
  require(made.others.size() + 1 == out.size(), "has {} outputs in the file; {} gives {}", out.size(),
          made.op->name(), made.others.size() + 1);
  std::vector<Node> nodes{{made.op, in, {out[0]}, origin}};
  for (size_t i = 1; i < out.size(); ++i) nodes.push_back({made.others[i - 1], in, {out[i]}, origin});
  return nodes;
}

// Operators need not think of extents of zero: such tensors are reported by tensor().
bool Importer::touches_empty(const Node& node) const {
  const auto empty = [&](TensorId id) { return id != no_tensor && elements(graph_.tensors[id].type.shape) == 0; };
  return std::any_of(node.in.begin(), node.in.end(), empty) ||
         std::any_of(node.out.begin(), node.out.end(), empty);
}

void Importer::infer(const Node& node) {
  const Types stated = output_types(graph_, node);
  const Types inferred = node.op->infer(inputs_of(graph_, node), stated);
  require(inferred.size() == stated.size(), "has {} outputs in the file; {} gives {}", stated.size(),
          node.op->name(), inferred.size());
  for (size_t i = 0; i < stated.size(); ++i) {
    require(inferred[i].dtype == stated[i].dtype && inferred[i].shape == stated[i].shape,
            "computes {} {} from its inputs, but the file states {} {} for output {}", name(inferred[i].dtype),
            to_text(inferred[i].shape), name(stated[i].dtype), to_text(stated[i].shape), i);
    require(inferred[i].quant == stated[i].quant, "needs another quantisation of output {} than the file states",
            i);
  }
}

// What is known without running the model is a constant for all that follows: shapes above all.
void Importer::fold(std::span<const size_t> outputs, const Node& node) {
  std::vector<Bytes> results = evaluate(graph_, node);
  for (size_t i = 0; i < node.out.size(); ++i) {
    require(!graph_.tensors[node.out[i]].constant(), "writes '{}', which is already defined",
            graph_.tensors[node.out[i]].name);
    graph_.tensors[node.out[i]].data = results[i];
    model_.tensors[outputs[i]].tensor.data = std::move(results[i]);
  }
}

// The caller reads outputs from the arena: a constant has to get there.
void Importer::compute_outputs() {
  for (TensorId& id : graph_.outputs) {
    if (!graph_.tensors[id].constant()) continue;
    const Tensor copy{graph_.tensors[id].name, graph_.tensors[id].type, {}};
    graph_.tensors.push_back(copy);
    graph_.nodes.push_back({op::make_copy(copy.type.shape),
                            {id},
                            {graph_.tensors.size() - 1},
                            fmt::format("copy of the constant ({})", short_name(copy.name))});
    id = graph_.tensors.size() - 1;
  }
}

const TfliteEntry* Importer::find(std::string_view operator_name) const {
  for (const OpDef* const definition : operators_) {
    for (const TfliteEntry& entry : definition->tflite) {
      if (entry.op == operator_name) return &entry;
    }
  }
  return nullptr;
}

TensorId Importer::tensor(size_t index) {
  if (ids_[index] != no_tensor) return ids_[index];
  const Tensor& source = model_.tensors[index].tensor;
  if (model_.tensors[index].problem.empty() && elements(source.type.shape) == 0) {
    problems_.push_back(fmt::format("tensor '{}': has no elements (shape {})", short_name(source.name),
                                    to_text(source.type.shape)));
  }
  ids_[index] = graph_.tensors.size();
  graph_.tensors.push_back(source);
  if (source.state) {
    count_state(source);
    if (source.data.empty()) graph_.tensors.back().data = initial_state(source.type);
  }
  return ids_[index];
}

void Importer::count_state(const Tensor& state) {
  constexpr int64_t most_bytes = int64_t{1} << 26;
  state_bytes_ += byte_size(state.type);
  require(state_bytes_ <= most_bytes, "has more than {} bytes of state ('{}'); no microcontroller holds as much",
          most_bytes, short_name(state.name));
}

// What an operator remembers without a tensor of the file.
TensorId Importer::add_state(Tensor state, std::string_view owner) {
  state.name = fmt::format("{} of {}", state.name, short_name(owner));
  state.state = true;
  require(static_cast<int64_t>(state.data.size()) == byte_size(state.type), "internal: {} has no content",
          state.name);
  count_state(state);
  graph_.tensors.push_back(std::move(state));
  return graph_.tensors.size() - 1;
}

std::vector<std::string> Importer::supported() const {
  std::set<std::string> names;
  for (const OpDef* const definition : operators_) {
    for (const TfliteEntry& entry : definition->tflite) names.emplace(entry.op);
  }
  return {names.begin(), names.end()};
}

void Importer::report() const {
  if (problems_.empty()) return;
  std::string text = problems_.front();
  if (problems_.size() > 1)
    text = fmt::format("{} problems:\n  {}", problems_.size(), fmt::join(problems_, "\n  "));
  if (unknown_operators_) text += fmt::format("\nsupported operators: {}", fmt::join(supported(), ", "));
  throw Error(text);
}

}  // namespace

Graph import_tflite(ByteSpan bytes, std::string_view name, std::span<const OpDef* const> operators) {
  tflite::Model model = tflite::parse(bytes);
  resolve_variables(model);
  const UnsignedBorder border = make_signed(model);
  return with_unsigned_border(Importer(std::move(model), operators).import(name), border);
}

Graph import_tflite(ByteSpan bytes, std::string_view name) { return import_tflite(bytes, name, op::all()); }

}  // namespace mote
