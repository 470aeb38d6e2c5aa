// SPDX-License-Identifier: Apache-2.0
// Builds a graph for the ONNX importer: operators by their TFLite names, tensors in the order that is wanted.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tflite_view.hpp"
#include "import/onnx_layout.hpp"
#include "ir/graph.hpp"

namespace mote::onnx {

// A value of the ONNX graph: a tensor of Mote's graph, how ONNX sees it, and what its numbers mean.
struct Value {
  enum class Meaning {
    plain,  // themselves
    codes,  // quantised integers; unsigned ones are stored as i8, 128 lower
    reals,  // real numbers, stored quantised: a DequantizeLinear that was not carried out
  };
  TensorId id = no_tensor;
  Layout layout;
  Meaning meaning = Meaning::plain;
  bool unsigned_codes = false;  // codes only: the file has uint8

  [[nodiscard]] Shape shape() const { return shape_of(layout); }  // in ONNX's order
};

// A tensor together with the order of ONNX dimensions that its own dimensions have, one for one.
struct Ordered {
  TensorId id = no_tensor;
  Permutation order;

  [[nodiscard]] size_t place(size_t dim) const;  // of an ONNX dimension
};

class Builder {
 public:
  explicit Builder(std::span<const OpDef* const> operators) : operators_(operators) {}

  Graph graph;
  std::string origin;  // of the nodes that are added

  [[nodiscard]] const Tensor& tensor(TensorId id) const { return graph.tensors[id]; }
  [[nodiscard]] bool constant(const Value& value) const { return tensor(value.id).constant(); }

  TensorId add_tensor(std::string name, TensorType type, Bytes data = {});
  [[nodiscard]] TensorId constant(const Shape& shape, const std::vector<int32_t>& values);
  [[nodiscard]] TensorId constant(const Shape& shape, const std::vector<float>& values);
  [[nodiscard]] Value constant_value(const Shape& shape, const std::vector<int64_t>& values);

  // Adds the operator that TFLite calls `op`. `out` are its outputs' data types and quantisations; the shapes are
  // computed. What reads constants only is computed at once.
  template <class Options>
  std::vector<TensorId> add(std::string_view op, const Options& options, const std::vector<TensorId>& in,
                            Types out) {
    flatbuffers::FlatBufferBuilder buffer;
    const auto offset = Options::TableType::Pack(buffer, &options);
    tflite::OpView view;
    view.options_table = flatbuffers::GetTemporaryPointer(buffer, offset);
    view.options_type = tflite::schema::BuiltinOptionsTraits<typename Options::TableType>::enum_value;
    return add(op, std::move(view), in, std::move(out));
  }
  std::vector<TensorId> add(std::string_view op, const std::vector<TensorId>& in, Types out) {
    return add(op, tflite::OpView{}, in, std::move(out));
  }
  std::vector<TensorId> add(OperatorPtr op, std::vector<TensorId> in, const Types& out);
  [[nodiscard]] bool knows(std::string_view op) const { return find(op) != nullptr; }

  // The tensor's elements, in their order, under another shape.
  [[nodiscard]] TensorId with_shape(TensorId id, const Shape& shape);

  // The value with its ONNX dimensions stored in `order`: data moves only if it has to.
  [[nodiscard]] TensorId stored(const Value& value, const Permutation& order);

  // As it is stored, if each ONNX dimension is one piece of memory; otherwise in ONNX's order.
  [[nodiscard]] Ordered ordered(const Value& value);

  // An operand for element-wise work with `leader`: broadcast against leader's tensor.
  [[nodiscard]] TensorId like(const Value& value, const Value& leader);

  // The same with dimensions in one piece each and a tensor shape that element-wise operators can use.
  [[nodiscard]] Value canonical(const Value& value);

  [[nodiscard]] Value dequantised(const Value& value);  // meaning plain

  // A constant's elements in another order of its dimensions; `shape` may split them. The quantisation stays.
  [[nodiscard]] TensorId permuted_constant(TensorId id, const Shape& shape, const Permutation& order,
                                           const Shape& result);

  // A constant with one more dimension, of extent 1, at place `at`.
  [[nodiscard]] TensorId with_unit_dimension(TensorId id, size_t at);

  void rename(TensorId id, const std::string& name);

 private:
  std::vector<TensorId> add(std::string_view op, tflite::OpView view, const std::vector<TensorId>& in, Types out);
  const TfliteEntry* find(std::string_view op) const;
  void spend(const Node& node, const Types& types);
  TensorId moved(TensorId id, const Shape& from, const Permutation& order);

  std::span<const OpDef* const> operators_;
  std::map<std::pair<TensorId, Shape>, TensorId> reshaped_;  // so that two readers share one conversion
  std::map<TensorId, TensorId> reshaped_from_;
  std::map<std::tuple<TensorId, Shape, Permutation>, TensorId> moved_;
  std::map<TensorId, TensorId> dequantised_;
  int64_t folded_bytes_ = 0;  // of constants that were computed
};

}  // namespace mote::onnx
