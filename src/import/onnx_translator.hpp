// SPDX-License-Identifier: Apache-2.0
// What a function that translates one ONNX operator sees: the node, its inputs as values, and what follows it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx_view.hpp"
#include "import/onnx_builder.hpp"

namespace mote::onnx {

using FusedActivation = tflite::schema::ActivationFunctionType;

// The file's nodes and what has become of its values so far.
struct Source {
  std::vector<Node> nodes;
  std::map<std::string, std::vector<size_t>, std::less<>> readers;  // nodes, by the name of the value they read
  std::set<std::string, std::less<>> outputs;                       // of the graph
  std::map<std::string, Value, std::less<>> values;
  std::set<std::string, std::less<>> named;  // values that were computed, or whose problem is known
  std::vector<bool> done;                    // nodes that were translated, maybe with an earlier one
};

// How a node is computed: the type of its result, and the activation that is computed with it.
struct Mode {
  TensorType type{DType::f32, {}, {}};  // without a shape
  FusedActivation activation = FusedActivation::NONE;
  [[nodiscard]] bool integer() const { return type.dtype == DType::i8 && !type.quant.empty(); }
};

class Translator {
 public:
  Translator(Source& source, Builder& builder, size_t node);

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] Builder& builder() const { return builder_; }

  // Inputs. A value's shape is ONNX's.
  [[nodiscard]] size_t count() const { return node_->inputs.size(); }
  [[nodiscard]] bool has(size_t input) const;
  [[nodiscard]] const Value& in(size_t input) const;  // must be there
  [[nodiscard]] Shape shape(size_t input) const { return in(input).shape(); }
  [[nodiscard]] const Tensor& tensor(size_t input) const { return builder_.tensor(in(input).id); }
  [[nodiscard]] Value plain(size_t input) const { return builder_.dequantised(in(input)); }
  [[nodiscard]] bool constant(size_t input) const;                                         // there, and known now
  [[nodiscard]] std::vector<int64_t> integers(size_t input, std::string_view what) const;  // of a constant
  [[nodiscard]] std::vector<float> reals(size_t input, std::string_view what) const;
  [[nodiscard]] float real(size_t input, std::string_view what) const;
  // A list that is an attribute in older opsets and an input in newer ones; absent in both: nothing.
  [[nodiscard]] std::optional<std::vector<int64_t>> list(std::string_view attribute, size_t input) const;
  [[nodiscard]] size_t axis(int64_t number, size_t rank) const;  // counted from behind when negative

  // Integer arithmetic when all `inputs` are quantised and a QuantizeLinear follows, at most behind an activation;
  // otherwise the inputs become plain. `fuses`: the operator can compute an activation with its result. What is
  // computed with the node belongs to it from then on: give() gives its output.
  [[nodiscard]] Mode mode(const std::vector<Value*>& inputs, bool fuses);

  // For operators that only move values: quantised inputs of one quantisation stay as they are.
  [[nodiscard]] bool moves_quantised(const std::vector<Value*>& inputs) const;

  // The node that alone reads output 0, or nothing.
  [[nodiscard]] const Node* follower() const;
  // The nodes that read one after the other, each alone, beginning with follower(); at most `most`.
  [[nodiscard]] std::vector<const Node*> followers(size_t most) const;
  void take_follower();  // computes it with this node
  [[nodiscard]] const Value* value(const std::string& name) const;

  // The result. Its type says what it is; quantised results in integer mode are QuantizeLinear's codes.
  void give(size_t output, Value value);
  // Output 0 is `value` with its dimensions in this order: constants are permuted, of others the layout.
  void give_transposed(Value value, const Permutation& order);
  void give_mode(const Mode& mode, TensorId id, Layout layout);  // of output 0
  [[nodiscard]] bool wanted(size_t output) const;                // somebody reads it
  [[nodiscard]] std::string output_name(size_t output) const;

 private:
  [[nodiscard]] const Node* only_reader(const std::string& output) const;

  Source& source_;
  Builder& builder_;
  const Node* node_;
  std::string first_output_;    // of this node, or of the last one that is computed with it
  std::optional<Value> codes_;  // template of the result in integer mode
};

// The quantisation that the inputs 1 and 2 of QuantizeLinear and DequantizeLinear state, for i8 codes.
struct Codes {
  Quantization quant;
  DType file_type = DType::u8;  // what the file has
};
[[nodiscard]] Codes read_codes(const Node& node, const std::function<const Value*(const std::string&)>& value,
                               const Builder& builder, const Shape& shape, std::optional<DType> data);

using Translate = void (*)(Translator&);
struct Translation {
  std::string_view op;
  Translate translate;
};

// A function of one value, element by element: in float, or, between DequantizeLinear and QuantizeLinear, as a
// table of what `function` gives for each of the 256 codes. `function` gets plain values, constant ones for the
// table.
void elementwise(Translator& t, const std::function<Value(const Value&)>& function);

// The table alone, where the mode is known and integer; `value` is quantised.
void tabulate(Translator& t, const Mode& mode, const Value& value,
              const std::function<Value(const Value&)>& function);

void global_average(Translator& t);  // GlobalAveragePool, and an AveragePool over the whole image

// Each family's operators of the standard domain, sorted by name within a family.
[[nodiscard]] std::span<const Translation> window_translations();
[[nodiscard]] std::span<const Translation> dense_translations();
[[nodiscard]] std::span<const Translation> elementwise_translations();
[[nodiscard]] std::span<const Translation> unary_translations();
[[nodiscard]] std::span<const Translation> shape_translations();
[[nodiscard]] std::span<const Translation> slice_translations();
[[nodiscard]] std::span<const Translation> reduce_translations();
[[nodiscard]] std::span<const Translation> quantize_translations();
[[nodiscard]] std::span<const Translation> normalization_translations();
[[nodiscard]] std::span<const Translation> activation_translations();
[[nodiscard]] std::span<const Translation> resize_translations();
[[nodiscard]] std::span<const Translation> recurrent_translations();
[[nodiscard]] std::span<const Translation> index_translations();
[[nodiscard]] std::span<const Translation> einsum_translations();
[[nodiscard]] std::span<const Translation> scatter_translations();
[[nodiscard]] std::span<const Translation> pool_translations();

}  // namespace mote::onnx
