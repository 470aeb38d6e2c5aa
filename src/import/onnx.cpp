// SPDX-License-Identifier: Apache-2.0
#include "import/onnx.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "base/identifier.hpp"
#include "import/onnx_dynamic.hpp"
#include "import/onnx_inputs.hpp"
#include "import/onnx_qoperator.hpp"
#include "import/onnx_translator.hpp"
#include "import/unsupported.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace onnx {

namespace {

std::vector<Translation> all_translations() {
  std::vector<Translation> all;
  for (const auto& family :
       {window_translations(), dense_translations(), elementwise_translations(), unary_translations(),
        shape_translations(), slice_translations(), reduce_translations(), quantize_translations(),
        normalization_translations(), activation_translations(), resize_translations(), recurrent_translations(),
        index_translations(), einsum_translations(), scatter_translations(), pool_translations()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  std::sort(all.begin(), all.end(), [](const Translation& a, const Translation& b) { return a.op < b.op; });
  return all;
}

// Operators that read an image with its channels in dimension 1.
bool reads_channels(const Node& node) {
  static constexpr std::string_view ops[] = {"Conv",
                                             "ConvTranspose",
                                             "MaxPool",
                                             "AveragePool",
                                             "GlobalAveragePool",
                                             "GlobalMaxPool",
                                             "BatchNormalization",
                                             "InstanceNormalization"};
  return std::find(std::begin(ops), std::end(ops), node.op) != std::end(ops);
}

// Translates node by node, and keeps going after a problem so that all come to light.
class Importer {
 public:
  Importer(Model model, const ImportOptions& options, std::span<const OpDef* const> operators)
      : model_(std::move(model)), options_(options), builder_(operators), translations_(all_translations()) {}

  Graph import(std::string_view name);

 private:
  void read_nodes();
  void add_inputs();
  [[nodiscard]] bool feeds_channels(const std::string& name) const;
  void add_constants();
  void translate(size_t index);
  void check_absorbed();
  bool inputs_known(const Node& node) const;
  void name_outputs(const Node& node, const Translator& translator);
  void add_output(const ValueInfo& info);
  TensorId interface_tensor(const Value& value);
  void report() const;

  Model model_;
  const ImportOptions& options_;
  Builder builder_;
  std::vector<Translation> translations_;
  Source source_;
  std::vector<std::string> problems_;
  bool unknown_operators_ = false;
};

Graph Importer::import(std::string_view name) {
  builder_.graph.name = to_identifier(name);
  read_nodes();
  add_constants();
  add_inputs();
  report();
  for (size_t i = 0; i < source_.nodes.size(); ++i) {
    if (source_.nodes[i].op == "Constant" && source_.nodes[i].domain.empty()) translate(i);
  }
  for (size_t i = 0; i < source_.nodes.size(); ++i) {
    if (!source_.done[i]) translate(i);
  }
  check_absorbed();
  for (const ValueInfo& output : model_.outputs) add_output(output);
  report();
  verify(builder_.graph);
  return std::move(builder_.graph);
}

void Importer::read_nodes() {
  for (const ValueInfo& output : model_.outputs) source_.outputs.insert(output.name);
  source_.nodes = expand_dynamic(expand_qoperators(std::move(model_.nodes)), model_.initialisers, source_.outputs);
  source_.done.assign(source_.nodes.size(), false);
  std::set<std::string> written;
  for (size_t i = 0; i < source_.nodes.size(); ++i) {
    for (const std::string& output : source_.nodes[i].outputs) {
      if (output.empty() || written.insert(output).second) continue;
      problems_.push_back(
          fmt::format("{}: computes '{}', which an earlier node computes, too; the file is damaged",
                      source_.nodes[i].label, output));
    }
    for (const std::string& input : source_.nodes[i].inputs) {
      if (!input.empty()) source_.readers[input].push_back(i);
    }
  }
}

void Importer::add_constants() {
  for (auto& [name, file] : model_.initialisers) {
    source_.named.insert(name);
    if (source_.readers.count(name) == 0 && source_.outputs.count(name) == 0) continue;
    if (!file.problem.empty()) {
      problems_.push_back(fmt::format("constant '{}': {}", file.tensor.name, file.problem));
      continue;
    }
    const Shape shape = file.tensor.type.shape;
    const TensorId id = builder_.add_tensor(file.tensor.name, file.tensor.type, std::move(file.tensor.data));
    source_.values[name] = {id, layout_of(shape, identity(shape.size()))};
  }
}

// Quantisation in between does not matter.
bool Importer::feeds_channels(const std::string& name) const {
  const auto readers = source_.readers.find(name);
  if (readers == source_.readers.end()) return false;
  return std::any_of(readers->second.begin(), readers->second.end(), [&](size_t index) {
    const Node& node = source_.nodes[index];
    const bool quantises = node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
    if (quantises) return !node.outputs.empty() && node.inputs[0] == name && feeds_channels(node.outputs[0]);
    return reads_channels(node);
  });
}

void Importer::add_inputs() {
  const std::vector<Shape> shapes =
      resolve_shapes(model_.inputs, options_.shapes, builder_.graph.notes, problems_);
  for (size_t i = 0; i < model_.inputs.size(); ++i) {
    const ValueInfo& info = model_.inputs[i];
    source_.named.insert(info.name);
    if (shapes[i].empty() && !problems_.empty()) continue;
    const size_t rank = shapes[i].size();
    bool channels = rank == 4;
    if (rank == 3 || rank == 5) channels = feeds_channels(info.name);
    const Permutation order = channels ? channels_last(rank) : identity(rank);
    if (channels) builder_.graph.notes.push_back(layout_note("input", info.name, shapes[i]));
    const TensorId id = builder_.add_tensor(info.name, {info.dtype, permuted(shapes[i], order), {}});
    builder_.graph.inputs.push_back(id);
    source_.values[info.name] = {id, layout_of(shapes[i], order)};
  }
}

bool Importer::inputs_known(const Node& node) const {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](const std::string& name) { return name.empty() || source_.values.count(name) != 0; });
}

void Importer::translate(size_t index) {
  const Node& node = source_.nodes[index];
  source_.done[index] = true;
  builder_.origin = node.label;
  try {
    const auto found = std::find_if(translations_.begin(), translations_.end(),
                                    [&](const Translation& one) { return one.op == node.op; });
    const bool known = node.domain.empty() && found != translations_.end();
    unknown_operators_ = unknown_operators_ || !known;
    require(known, "{}", why_unsupported_onnx(node.domain, node.op));
    require(std::any_of(node.outputs.begin(), node.outputs.end(),
                        [](const std::string& name) { return !name.empty(); }),
            "has no output");
    if (!inputs_known(node)) {  // what computes them was reported already, or nothing does
      for (const std::string& name : node.inputs) {
        require(name.empty() || source_.named.count(name) != 0,
                "reads '{}', which nothing before it computes; the file is damaged", name);
      }
      source_.named.insert(node.outputs.begin(), node.outputs.end());
      return;
    }
    Translator translator(source_, builder_, index);
    found->translate(translator);
    node.require_all_read();
    name_outputs(node, translator);
  } catch (const Error& error) {
    problems_.push_back(fmt::format("{}: {}", builder_.origin, error.what()));
  } catch (const std::out_of_range&) {  // of at(): what every node of its kind has is not there
    problems_.push_back(
        fmt::format("{}: has fewer inputs, outputs or dimensions than its operator takes; the file is "
                    "damaged, export it again",
                    builder_.origin));
  }
  source_.named.insert(node.outputs.begin(), node.outputs.end());
}

// Nodes that were computed with an earlier one have no turn of their own to be asked whether they were understood.
void Importer::check_absorbed() {
  if (!problems_.empty()) return;
  for (size_t i = 0; i < source_.nodes.size(); ++i) {
    try {
      source_.nodes[i].require_all_read();
    } catch (const Error& error) {
      problems_.push_back(fmt::format("{}: {}", source_.nodes[i].label, error.what()));
    }
  }
}

// Tensors are called as the file calls them, except those that the importer put in between.
void Importer::name_outputs(const Node& node, const Translator& translator) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string name = translator.output_name(i);
    const auto value = source_.values.find(name);
    if (value == source_.values.end()) continue;
    const TensorId id = value->second.id;
    const bool is_input =
        std::find(builder_.graph.inputs.begin(), builder_.graph.inputs.end(), id) != builder_.graph.inputs.end();
    const bool made_here = !builder_.graph.nodes.empty() && builder_.graph.nodes.back().out[0] == id;
    if (!is_input && made_here) builder_.rename(id, name);
  }
}

void Importer::report() const {
  if (problems_.empty()) return;
  std::string text = problems_.front();
  if (problems_.size() > 1)
    text = fmt::format("{} problems:\n  {}", problems_.size(), fmt::join(problems_, "\n  "));
  if (unknown_operators_) {
    std::vector<std::string_view> names;
    for (const Translation& one : translations_) names.push_back(one.op);
    text += fmt::format("\nsupported operators: {}", fmt::join(names, ", "));
  }
  throw Error(text);
}

// What leaves the model: real numbers, or the integers that the file has.
TensorId Importer::interface_tensor(const Value& value) {
  const bool constant = builder_.constant(value);
  require(!constant, "is a constant; there is nothing to compute");
  if (value.meaning == Value::Meaning::reals) return builder_.dequantised(value).id;
  if (value.meaning == Value::Meaning::codes && value.unsigned_codes) {
    const Quantization& quant = builder_.tensor(value.id).type.quant;
    return builder_.add("QUANTIZE", {value.id}, {{DType::u8, {}, {quant.scale, {quant.zero[0] + 128}, -1}}})[0];
  }
  return value.id;
}

void Importer::add_output(const ValueInfo& info) {
  const auto found = source_.values.find(info.name);
  if (found == source_.values.end()) {
    if (problems_.empty()) problems_.push_back(fmt::format("output '{}': nothing computes it", info.name));
    return;
  }
  builder_.origin = fmt::format("output '{}'", info.name);
  try {
    Value value = found->second;
    value.id = interface_tensor(value);
    value.meaning = Value::Meaning::plain;
    const Shape shape = value.shape();
    check_stated_shape(info, shape);
    const size_t rank = shape.size();
    const std::optional<Permutation> now = stored_order(value.layout, builder_.tensor(value.id).type.shape);
    const bool channels = rank == 4 || ((rank == 3 || rank == 5) && now == channels_last(rank));
    if (channels) builder_.graph.notes.push_back(layout_note("output", info.name, shape));
    const TensorId id = builder_.stored(value, channels ? channels_last(rank) : identity(rank));
    builder_.rename(id, info.name);
    builder_.graph.outputs.push_back(id);
  } catch (const Error& error) {
    problems_.push_back(fmt::format("{}: {}", builder_.origin, error.what()));
  }
}

}  // namespace

}  // namespace onnx

Graph import_onnx(ByteSpan bytes, std::string_view name, const ImportOptions& options,
                  std::span<const OpDef* const> operators) {
  onnx::Model model = onnx::parse(
      bytes, options.path.empty() ? options.path : std::filesystem::absolute(options.path).parent_path());
  return onnx::Importer(std::move(model), options, operators).import(name);
}

Graph import_onnx(ByteSpan bytes, std::string_view name, const ImportOptions& options) {
  return import_onnx(bytes, name, options, op::all());
}

}  // namespace mote
