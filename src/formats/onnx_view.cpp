// SPDX-License-Identifier: Apache-2.0
#include "formats/onnx_view.hpp"

#include <fmt/ranges.h>
#include <google/protobuf/io/coded_stream.h>

#include "formats/onnx_tensor.hpp"

namespace mote::onnx {

namespace {

// The schema's numbers of attribute types.
enum AttributeType : int {
  undefined = 0,
  real_type = 1,
  integer_type = 2,
  text_type = 3,
  tensor_type = 4,
  reals_type = 6,
  integers_type = 7,
  texts_type = 8
};

std::string attribute_type_name(int type) {
  static constexpr const char* names[] = {"nothing", "a real",          "an integer",     "a text", "a tensor",
                                          "a graph", "reals",           "integers",       "texts",  "tensors",
                                          "graphs",  "a sparse tensor", "sparse tensors", "a type", "types"};
  return type >= 0 && type < 15 ? names[type] : fmt::format("type number {}", type);
}

}  // namespace

bool Node::has(std::string_view attribute) const { return attributes_.find(attribute) != attributes_.end(); }

const schema::Attribute* Node::find(std::string_view attribute, int type) const {
  read_.emplace(attribute);
  const auto found = attributes_.find(attribute);
  if (found == attributes_.end()) return nullptr;
  require(found->second.type() == type, "has {} as attribute {}, it must be {}",
          attribute_type_name(found->second.type()), attribute, attribute_type_name(type));
  return &found->second;
}

int64_t Node::integer(std::string_view attribute, int64_t otherwise) const {
  const schema::Attribute* const found = find(attribute, integer_type);
  return found == nullptr ? otherwise : found->i();
}

int64_t Node::integer(std::string_view attribute) const {
  const schema::Attribute* const found = find(attribute, integer_type);
  require(found != nullptr, "lacks its attribute {}; the file is incomplete, export it again", attribute);
  return found->i();
}

float Node::real(std::string_view attribute, float otherwise) const {
  const schema::Attribute* const found = find(attribute, real_type);
  return found == nullptr ? otherwise : found->f();
}

std::string Node::text(std::string_view attribute, std::string_view otherwise) const {
  const schema::Attribute* const found = find(attribute, text_type);
  return clean_name(found == nullptr ? std::string(otherwise) : found->s());
}

std::vector<int64_t> Node::integers(std::string_view attribute) const {
  const schema::Attribute* const found = find(attribute, integers_type);
  if (found == nullptr) return {};
  return {found->ints().begin(), found->ints().end()};
}

std::vector<float> Node::reals(std::string_view attribute) const {
  const schema::Attribute* const found = find(attribute, reals_type);
  if (found == nullptr) return {};
  return {found->floats().begin(), found->floats().end()};
}

std::vector<std::string> Node::texts(std::string_view attribute) const {
  const schema::Attribute* const found = find(attribute, texts_type);
  std::vector<std::string> result;
  if (found == nullptr) return result;
  for (const std::string& text : found->strings()) result.push_back(clean_name(text));
  return result;
}

std::optional<FileTensor> Node::tensor(std::string_view attribute) const {
  const schema::Attribute* const found = find(attribute, tensor_type);
  if (found == nullptr) return std::nullopt;
  return read_tensor(found->t(), fmt::format("{}.{}", label, attribute), folder);
}

void Node::ignore(std::string_view attribute) const { read_.emplace(attribute); }

void Node::require_all_read() const {
  std::vector<std::string> unread;
  for (const auto& [attribute, unused] : attributes_) {
    if (read_.find(attribute) == read_.end()) unread.push_back(clean_name(attribute));
  }
  require(unread.empty(), "has attributes that Mote does not know for {}: {}; remove them or export another opset",
          op, fmt::join(unread, ", "));
}

void Node::set(std::string_view attribute, int64_t value) {
  schema::Attribute message;
  message.set_type(integer_type);
  message.set_i(value);
  attributes_[std::string(attribute)] = message;
}

void Node::set(std::string_view attribute, float value) {
  schema::Attribute message;
  message.set_type(real_type);
  message.set_f(value);
  attributes_[std::string(attribute)] = message;
}

void Node::set(std::string_view attribute, const std::vector<int64_t>& values) {
  schema::Attribute message;
  message.set_type(integers_type);
  for (const int64_t value : values) message.add_ints(value);
  attributes_[std::string(attribute)] = message;
}

void Node::add(schema::Attribute attribute) {
  require_known(attribute.unknown_fields(), "an attribute");
  std::string key = attribute.name();
  require(!attribute.has_ref_attr_name(),
          "takes its attribute {} from a function, which is not supported; inline it", clean_name(key));
  const bool fresh = attributes_.emplace(key, std::move(attribute)).second;
  require(fresh, "has its attribute {} twice", clean_name(key));
}

namespace {

ValueInfo read_value(const schema::ValueInfo& message) {
  require_known(message.unknown_fields(), "an input or output");
  ValueInfo value;
  value.name = message.name();
  require(!value.name.empty(), "has an input or output without a name");
  try {
    const schema::Type& type = message.type();
    require_known(type.unknown_fields(), "a type");
    require(type.has_tensor_type(), "is no tensor (a sequence, map or optional), which is not supported");
    value.dtype = to_dtype(type.tensor_type().elem_type());
    require_known(type.tensor_type().unknown_fields(), "a tensor type");
    if (!type.tensor_type().has_shape()) return value;
    value.shape.emplace();
    for (const schema::Dimension& dimension : type.tensor_type().shape().dim()) {
      require_known(dimension.unknown_fields(), "a dimension");
      Extent extent{-1, clean_name(dimension.dim_param())};
      if (dimension.has_dim_value() && dimension.dim_value() >= 0) extent.value = dimension.dim_value();
      value.shape->push_back(extent);
    }
    require(value.shape->size() <= 8, "has rank {}; the limit is 8", value.shape->size());
  } catch (const Error& error) {
    value.problem = error.what();
  }
  return value;
}

std::map<std::string, int64_t> read_opsets(const schema::Model& model) {
  std::map<std::string, int64_t> opsets;
  for (const schema::OperatorSet& set : model.opset_import()) {
    const std::string domain = set.domain() == "ai.onnx" ? "" : set.domain();
    opsets[domain] = set.version();
    if (!domain.empty()) continue;
    require(set.version() >= lowest_opset && set.version() <= highest_opset,
            "uses opset {} of the ONNX operators; Mote reads opsets {} to {}. Export the model with "
            "opset_version={}, or convert it with onnx.version_converter",
            set.version(), lowest_opset, highest_opset, 17);
  }
  require(opsets.count("") != 0, "states no opset for the ONNX operators; export it again");
  return opsets;
}

// By the node's own name, or where it has none by that of its first output.
std::string label_of(const schema::Node& message, size_t index) {
  std::string name = message.name();
  if (name.empty()) name = message.output_size() > 0 ? message.output(0) : "no output";
  return fmt::format("{} #{} ({})", clean_name(message.op_type()), index, clean_name(name));
}

Node read_node(const schema::Node& message, size_t index, const std::map<std::string, int64_t>& opsets,
               const std::filesystem::path& folder) {
  Node node;
  node.op = clean_name(message.op_type());
  node.domain = message.domain() == "ai.onnx" ? "" : clean_name(message.domain());
  node.label = label_of(message, index);
  node.folder = folder;
  const auto opset = opsets.find(node.domain);
  node.opset = opset == opsets.end() ? 0 : opset->second;
  node.inputs.assign(message.input().begin(), message.input().end());
  node.outputs.assign(message.output().begin(), message.output().end());
  try {
    require_known(message.unknown_fields(), "a node");
    require(message.overload().empty() && message.device_configurations_size() == 0,
            "is bound to a function or device, which is not supported");
    for (const schema::Attribute& attribute : message.attribute()) node.add(attribute);
  } catch (const Error& error) {
    fail("{}: {}", node.label, error.what());
  }
  return node;
}

void check_graph(const schema::Model& model) {
  require_known(model.unknown_fields(), "the model");
  require(model.has_graph(), "is not an .onnx model: it has no graph");
  require_known(model.graph().unknown_fields(), "the graph");
  require(model.functions_size() == 0,
          "defines functions of its own, which is not supported; inline them with "
          "onnx.inliner.inline_local_functions");
  require(model.graph().sparse_initializer_size() == 0,
          "has sparse constants, which is not supported; save them dense");
  require(model.graph().quantization_annotation_size() == 0,
          "has quantization annotations, which is not supported; export it in the QDQ format");
  require(model.graph().output_size() > 0, "has no outputs; there is nothing to compute");
}

}  // namespace

bool looks_like_onnx(ByteSpan bytes) {
  // ir_version (field 1, a varint) comes first in every file that ONNX's own library writes; some exporters begin
  // with the producer (2, a string) or the graph (7, a message).
  if (bytes.empty()) return false;
  const int first = std::to_integer<int>(bytes[0]);
  return first == 0x08 || first == 0x12 || first == 0x3A;
}

namespace {

// What people have in a file called .onnx that is none.
std::string why_unreadable(ByteSpan bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("version https://git-lfs"))
    return "is a pointer of Git LFS, not the model itself; fetch the model with git lfs pull";
  if (text.starts_with("PK\x03\x04"))
    return "is a zip archive (a PyTorch checkpoint is one), no .onnx model; export the model with "
           "torch.onnx.export";
  const auto printable = [](char letter) {
    return (letter >= ' ' && letter <= '~') || letter == '\n' || letter == '\r' || letter == '\t';
  };
  const std::string_view start = text.substr(0, 64);
  if (std::all_of(start.begin(), start.end(), printable))
    return "holds text, no .onnx model; if it was fetched from the web, look what the server sent instead";
  return "is damaged or cut short, or no .onnx model; fetch or export it again";
}

}  // namespace

Model parse(ByteSpan bytes, const std::filesystem::path& folder) {
  require(bytes.size() < (size_t{1} << 31), "has {} bytes; the limit is 2 GB, keep the weights as external data",
          bytes.size());
  require(!bytes.empty(), "is empty; an .onnx model was expected");
  schema::Model file;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  require(file.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage(), "{}", why_unreadable(bytes));
  check_graph(file);
  const auto opsets = read_opsets(file);
  Model model;
  for (const schema::Tensor& tensor : file.graph().initializer()) {
    const bool fresh =
        model.initialisers.emplace(tensor.name(), read_tensor(tensor, clean_name(tensor.name()), folder)).second;
    require(fresh, "defines the constant '{}' twice", clean_name(tensor.name()));
  }
  for (const schema::Node& node : file.graph().node()) {
    model.nodes.push_back(read_node(node, model.nodes.size(), opsets, folder));
  }
  for (const schema::ValueInfo& value : file.graph().input()) {
    if (model.initialisers.count(value.name()) == 0) model.inputs.push_back(read_value(value));
  }
  for (const schema::ValueInfo& value : file.graph().output()) model.outputs.push_back(read_value(value));
  return model;
}

}  // namespace mote::onnx
