// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite_view.hpp"

#include <algorithm>
#include <iterator>

#include "formats/tflite_tensor.hpp"

namespace mote::tflite {

std::vector<int64_t> OpView::integers(size_t input, std::string_view what) const {
  const Tensor* const tensor = input < inputs.size() ? inputs[input] : nullptr;
  require(tensor != nullptr, "has no {} (input {})", what, input);
  if (elements(tensor->type.shape) == 0) return {};
  require(tensor->constant(),
          "computes its {} ('{}') at run time, which is not supported; export it as a constant", what,
          tensor->name);
  if (tensor->type.dtype == DType::i64) return to_values<int64_t>(tensor->data);
  require(tensor->type.dtype == DType::i32, "has {} ('{}') of data type {}; it must be i32 or i64", what,
          tensor->name, mote::name(tensor->type.dtype));
  const std::vector<int32_t> values = to_values<int32_t>(tensor->data);
  return {values.begin(), values.end()};
}

std::string OpView::options_type_name() const {
  const std::string text = schema::EnumNameBuiltinOptions(options_type);
  return text.empty() ? fmt::format("number {}", static_cast<int>(options_type)) : text;
}

namespace {

constexpr size_t max_tables = 200'000;  // bounds the verifier's time on files that share tables

const schema::Model& verified_root(const Bytes& file) {
  require(!file.empty(), "is empty; a .tflite model was expected");
  const auto* const data = reinterpret_cast<const uint8_t*>(file.data());
  require(file.size() >= 8 && schema::ModelBufferHasIdentifier(data),
          "is not a .tflite model: the bytes 'TFL3' are missing at position 4");
  require(file.size() < FLATBUFFERS_MAX_BUFFER_SIZE, "has {} bytes; the limit is 2 GB", file.size());
  flatbuffers::Verifier verifier(data, file.size(), 64, max_tables);
  require(schema::VerifyModelBuffer(verifier),
          "is damaged or cut short: parts of it lie outside its {} bytes; fetch or convert it again", file.size());
  const schema::Model& model = *schema::GetModel(data);
  require(model.version() == 3, "has TFLite schema version {}; only version 3 is supported", model.version());
  const int field = unknown_field(&model, schema::ModelTypeTable());
  require(field < 0, "sets field {} of the model, which Mote does not know", field);
  return model;
}

// Tensor indices of an operator or of the graph; -1 becomes `absent` where that is allowed.
std::vector<size_t> read_indices(const flatbuffers::Vector<int32_t>* indices, size_t tensors, bool may_be_absent,
                                 std::string_view what, Budget& budget) {
  std::vector<size_t> result;
  if (indices == nullptr) return result;
  budget.spend(indices->size() * 2 * sizeof(size_t));  // the index here and the pointer in OpView
  for (const int32_t index : *indices) {
    if (index == -1 && may_be_absent) {
      result.push_back(absent);
      continue;
    }
    require(index >= 0 && static_cast<size_t>(index) < tensors, "is damaged: {} name tensor {} of {}", what, index,
            tensors);
    result.push_back(static_cast<size_t>(index));
  }
  return result;
}

bool is_builtin_name(std::string_view text) {
  const auto& values = schema::EnumValuesBuiltinOperator();
  return std::any_of(std::begin(values), std::end(values), [&](schema::BuiltinOperator value) {
    return text == schema::EnumNameBuiltinOperator(value);
  });
}

void read_code(const schema::OperatorCode& code, FileOperator& result, Budget& budget) {
  const int number =
      std::max(static_cast<int>(code.deprecated_builtin_code()), static_cast<int>(code.builtin_code()));
  result.view.version = code.version();
  if (number == static_cast<int>(schema::BuiltinOperator::CUSTOM)) {
    result.view.name = clean_name(code.custom_code(), budget);
    // Otherwise a custom operator could pass for a builtin one and be taken for it.
    if (result.view.name.empty() || is_builtin_name(result.view.name))
      result.view.name = "CUSTOM:" + result.view.name;
    return;
  }
  result.view.name = schema::EnumNameBuiltinOperator(static_cast<schema::BuiltinOperator>(number));
  if (result.view.name.empty()) result.view.name = fmt::format("operator code {}", number);
}

// The type table of one member of the options union, or nullptr for a type that the schema does not list.
const flatbuffers::TypeTable* options_schema(schema::BuiltinOptions type) {
  const flatbuffers::TypeTable* const all = schema::BuiltinOptionsTypeTable();
  for (size_t i = 1; i < all->num_elems; ++i) {
    if (all->values[i] == static_cast<int64_t>(type)) return all->type_refs[all->type_codes[i].sequence_ref]();
  }
  return nullptr;
}

void read_options(const schema::Operator& table, FileOperator& result) {
  OpView& view = result.view;
  view.options_type = table.builtin_options_type();
  view.options_table = table.builtin_options();
  if (view.options_type == schema::BuiltinOptions::NONE) view.options_table = nullptr;
  if (const flatbuffers::Vector<uint8_t>* const custom = table.custom_options(); custom != nullptr) {
    view.custom_options = std::as_bytes(std::span(custom->Data(), custom->size()));
  }
  if (table.large_custom_options_offset() != 0 || table.large_custom_options_size() != 0) {
    result.problem = "keeps its options behind the FlatBuffer, which is not supported";
  } else if (table.builtin_options_2_type() != 0 || table.builtin_options_2() != nullptr) {
    result.problem = fmt::format("carries options of the second kind (type {}), which Mote does not know",
                                 table.builtin_options_2_type());
  } else if (const int field = unknown_field(&table, schema::OperatorTypeTable()); field >= 0) {
    result.problem = fmt::format("sets field {} of the operator, which Mote does not know", field);
  }
  if (!result.problem.empty() || view.options_table == nullptr) return;
  const flatbuffers::TypeTable* const options = options_schema(view.options_type);
  if (options == nullptr) {
    result.problem = fmt::format("carries options of type {}, which Mote does not know", view.options_type_name());
  } else if (const int field = unknown_field(view.options_table, options); field >= 0) {
    result.problem =
        fmt::format("sets field {} of its {}, which Mote does not know", field, view.options_type_name());
  }
}

std::vector<const Tensor*> pointers(const SubGraph& graph, const std::vector<size_t>& indices) {
  std::vector<const Tensor*> result;
  for (const size_t index : indices) {
    result.push_back(index == absent ? nullptr : &graph.tensors[index].tensor);
  }
  return result;
}

FileOperator read_operator(const schema::Model& file, const schema::Operator& table, const SubGraph& graph,
                           const std::string& place, Budget& budget) {
  budget.spend(sizeof(FileOperator));
  FileOperator result;
  const size_t codes = file.operator_codes() == nullptr ? 0 : file.operator_codes()->size();
  require(table.opcode_index() < codes, "is damaged: {} uses operator code {} of {}", place, table.opcode_index(),
          codes);
  read_code(*file.operator_codes()->Get(table.opcode_index()), result, budget);
  const size_t tensors = graph.tensors.size();
  result.in = read_indices(table.inputs(), tensors, true, "inputs of " + place, budget);
  result.out = read_indices(table.outputs(), tensors, false, "outputs of " + place, budget);
  result.view.inputs = pointers(graph, result.in);
  result.view.outputs = pointers(graph, result.out);
  result.view.intermediates =
      pointers(graph, read_indices(table.intermediates(), tensors, true, "intermediates of " + place, budget));
  read_options(table, result);
  return result;
}

// `of`: " of subgraph 2", for messages.
void read_subgraph(const schema::Model& file, const schema::SubGraph& table, const std::string& of, Budget& budget,
                   SubGraph& graph) {
  const int field = unknown_field(&table, schema::SubGraphTypeTable());
  require(field < 0, "sets field {} of the subgraph, which Mote does not know", field);
  const size_t tensors = table.tensors() == nullptr ? 0 : table.tensors()->size();
  for (unsigned i = 0; i < tensors; ++i) {
    graph.tensors.push_back(read_tensor(file, *table.tensors()->Get(i), i, budget));
  }
  const size_t operators = table.operators() == nullptr ? 0 : table.operators()->size();
  for (unsigned i = 0; i < operators; ++i) {
    graph.operators.push_back(
        read_operator(file, *table.operators()->Get(i), graph, fmt::format("operator #{}{}", i, of), budget));
  }
  const std::string whose = of.empty() ? "the model's" : "the";
  graph.inputs = read_indices(table.inputs(), tensors, false, fmt::format("{} inputs{}", whose, of), budget);
  graph.outputs = read_indices(table.outputs(), tensors, false, fmt::format("{} outputs{}", whose, of), budget);
}

}  // namespace

Model parse(ByteSpan bytes) {
  Model model;
  model.file.assign(bytes.begin(), bytes.end());  // a vector's memory is aligned as FlatBuffers wants it
  const schema::Model& file = verified_root(model.file);
  const size_t subgraphs = file.subgraphs() == nullptr ? 0 : file.subgraphs()->size();
  require(subgraphs > 0, "has no subgraph; there is nothing to compute");
  Budget budget(bytes.size());
  read_subgraph(file, *file.subgraphs()->Get(0), "", budget, model);
  require(!model.outputs.empty(), "has no outputs; there is nothing to compute");
  for (unsigned i = 1; i < subgraphs; ++i) {
    budget.spend(sizeof(SubGraph));
    model.called.emplace_back();
    read_subgraph(file, *file.subgraphs()->Get(i), fmt::format(" of subgraph {}", i), budget, model.called.back());
  }
  return model;
}

}  // namespace mote::tflite
