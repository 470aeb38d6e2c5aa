// SPDX-License-Identifier: Apache-2.0
#include "onnx_mutate.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace mote::fuzz {

namespace {

namespace schema = onnx::schema;

class Mutation {
 public:
  Mutation(schema::Model& model, uint32_t seed) : graph_(*model.mutable_graph()), model_(model), random_(seed) {}

  void apply() {
    switch (below(8)) {
      case 0:
      case 1: return change_node();
      case 2:
      case 3: return change_attribute();
      case 4:
      case 5: return change_constant();
      case 6: return change_interface();
      case 7: return change_order();
      default: return;
    }
  }

 private:
  int below(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  template <class Repeated>
  auto* any(Repeated& list) {
    return list.empty() ? nullptr : list.Mutable(below(list.size()));
  }

  int64_t integer() {
    static constexpr int64_t corners[] = {0,
                                          1,
                                          2,
                                          3,
                                          4,
                                          7,
                                          8,
                                          15,
                                          127,
                                          128,
                                          255,
                                          32767,
                                          65536,
                                          INT32_MAX,
                                          INT64_MAX,
                                          int64_t{1} << 32,
                                          int64_t{1} << 40};
    const int64_t number = corners[below(std::size(corners))];
    return below(3) == 0 ? -number - below(2) : number;
  }

  float real() {
    static constexpr float corners[] = {0.0F, -0.0F, 1.0F, -1.0F, 0.5F, 1e-30F, 1e30F, -1e30F, 256.0F};
    const int choice = below(static_cast<int>(std::size(corners)) + 2);
    if (choice == std::size(corners)) return std::numeric_limits<float>::quiet_NaN();
    return choice > static_cast<int>(std::size(corners)) ? std::numeric_limits<float>::infinity()
                                                         : corners[choice];
  }

  // A value of this model, or none.
  std::string value() {
    std::vector<std::string> names{"", "nowhere"};
    for (const schema::Node& node : graph_.node())
      names.insert(names.end(), node.output().begin(), node.output().end());
    for (const schema::Tensor& tensor : graph_.initializer()) names.push_back(tensor.name());
    for (const schema::ValueInfo& input : graph_.input()) names.push_back(input.name());
    return names[static_cast<size_t>(below(static_cast<int>(names.size())))];
  }

  void change_names(google::protobuf::RepeatedPtrField<std::string>& names) {
    const int choice = below(4);
    if (choice == 0) return names.Add(value());
    if (names.empty()) return;
    if (choice == 1) return names.RemoveLast();
    if (choice == 2) return names.SwapElements(below(names.size()), below(names.size()));
    *any(names) = value();
  }

  void change_node() {
    schema::Node* const node = any(*graph_.mutable_node());
    if (node == nullptr) return;
    static const char* const ops[] = {"Conv",
                                      "ConvTranspose",
                                      "MatMul",
                                      "Gemm",
                                      "Reshape",
                                      "Transpose",
                                      "Slice",
                                      "Gather",
                                      "Concat",
                                      "Split",
                                      "Pad",
                                      "Resize",
                                      "LSTM",
                                      "GRU",
                                      "Einsum",
                                      "TopK",
                                      "ReduceSum",
                                      "MaxPool",
                                      "Softmax",
                                      "QLinearConv",
                                      "Tile",
                                      "Expand",
                                      "OneHot",
                                      "ArgMax",
                                      "Constant",
                                      "BatchNormalization",
                                      "QuantizeLinear",
                                      "DequantizeLinear",
                                      "Where"};
    switch (below(5)) {
      case 0: node->set_op_type(ops[below(std::size(ops))]); break;
      case 1: change_names(*node->mutable_output()); break;
      case 2:
        if (node->attribute_size() > 0) node->mutable_attribute()->RemoveLast();
        break;
      default: change_names(*node->mutable_input()); break;
    }
  }

  void change_attribute() {
    schema::Node* const node = any(*graph_.mutable_node());
    schema::Attribute* const attribute = node == nullptr ? nullptr : any(*node->mutable_attribute());
    if (attribute == nullptr) return;
    auto& integers = *attribute->mutable_ints();
    switch (attribute->type()) {
      case 1: attribute->set_f(real()); break;
      case 2: attribute->set_i(integer()); break;
      case 4: change(*attribute->mutable_t()); break;
      case 7:
        if (const int choice = below(4); choice == 0 || integers.empty()) {
          integers.Add(integer());
        } else if (choice == 1) {
          integers.RemoveLast();
        } else {
          integers.Set(below(integers.size()), integer());
        }
        break;
      default: attribute->set_type(below(9)); break;
    }
  }

  void change(schema::Tensor& tensor) {
    auto& dims = *tensor.mutable_dims();
    std::string& raw = *tensor.mutable_raw_data();
    switch (below(6)) {
      case 0: dims.Add(integer()); break;
      case 1:
        if (!dims.empty()) dims.Set(below(dims.size()), integer());
        break;
      case 2:
        if (!dims.empty()) dims.RemoveLast();
        break;
      case 3: tensor.set_data_type(below(24)); break;
      case 4: write(raw); break;
      default: reshape(tensor); break;
    }
  }

  // A number of the data, as what it may be: an index, a size or a real.
  void write(std::string& raw) {
    if (raw.size() < 8) return;
    const size_t at = static_cast<size_t>(below(static_cast<int>(raw.size() / 8))) * 8;
    const int64_t number = integer();
    const float numbers[] = {real(), real()};
    raw.replace(at, 8, reinterpret_cast<const char*>(below(2) == 0 ? static_cast<const void*>(&number) : numbers),
                8);
  }

  // Another small shape, with as many bytes as it needs for elements of four or eight.
  void reshape(schema::Tensor& tensor) {
    tensor.clear_dims();
    int64_t count = 1;
    for (int rank = below(5); rank > 0; --rank) {
      tensor.add_dims(below(5));
      count *= tensor.dims(tensor.dims_size() - 1);
    }
    tensor.mutable_raw_data()->resize(static_cast<size_t>(count) * (tensor.data_type() == 7 ? 8 : 4));
  }

  void change_constant() {
    if (schema::Tensor* const tensor = any(*graph_.mutable_initializer())) change(*tensor);
  }

  void change_interface() {
    auto& values = below(2) == 0 ? *graph_.mutable_input() : *graph_.mutable_output();
    schema::ValueInfo* const info = any(values);
    if (info == nullptr) return;
    schema::TensorType& type = *info->mutable_type()->mutable_tensor_type();
    schema::Dimension* const dimension = any(*type.mutable_shape()->mutable_dim());
    switch (below(5)) {
      case 0: type.set_elem_type(below(24)); break;
      case 1: type.mutable_shape()->add_dim()->set_dim_value(integer()); break;
      case 2: info->set_name(value()); break;
      case 3:
        if (dimension != nullptr) dimension->set_dim_param("n");
        break;
      default:
        if (dimension != nullptr) dimension->set_dim_value(integer());
        break;
    }
  }

  void change_order() {
    auto& nodes = *graph_.mutable_node();
    if (nodes.empty()) return;
    switch (below(4)) {
      case 0: nodes.SwapElements(below(nodes.size()), below(nodes.size())); break;
      case 1: nodes.RemoveLast(); break;
      case 2: *nodes.Add() = nodes.Get(below(nodes.size())); break;
      default:
        if (model_.opset_import_size() > 0) model_.mutable_opset_import(0)->set_version(below(24));
        break;
    }
  }

  schema::Graph& graph_;
  schema::Model& model_;
  std::mt19937 random_;
};

}  // namespace

void mutate(schema::Model& model, uint32_t seed) {
  Mutation mutation(model, seed);
  for (uint32_t changes = seed % 4 + 1; changes > 0; --changes) mutation.apply();
}

}  // namespace mote::fuzz
