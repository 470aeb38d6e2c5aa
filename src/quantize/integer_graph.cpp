// SPDX-License-Identifier: Apache-2.0
#include "quantize/integer_graph.hpp"

#include <algorithm>

#include "ir/packed_i4.hpp"
#include "ops/convolution.hpp"
#include "ops/dequantize.hpp"
#include "ops/quantize.hpp"

namespace mote {

namespace {

class Builder {
 public:
  Builder(const Graph& graph, const Scheme& scheme, const Observed& observed, const QuantizeOptions& options)
      : from_(graph),
        scheme_(scheme),
        observed_(observed),
        options_(options),
        real_(graph.tensors.size(), no_tensor) {
    result_.integer.assign(graph.tensors.size(), no_tensor);
    result_.graph.name = graph.name;
    result_.graph.notes = graph.notes;
  }

  IntegerGraph build() {
    for (const TensorId id : from_.inputs) add_input(id);
    for (size_t i = 0; i < from_.nodes.size(); ++i) {
      try {
        add_node(i);
      } catch (const Error& problem) {
        fail("{}: {}", from_.nodes[i].origin, problem.what());
      }
    }
    for (const TensorId id : from_.outputs) add_output(id);
    verify(to());
    return std::move(result_);
  }

 private:
  Graph& to() { return result_.graph; }

  TensorId add(Tensor tensor) {
    to().tensors.push_back(std::move(tensor));
    return to().tensors.size() - 1;
  }

  [[nodiscard]] TensorType integer_type(TensorId id, const Quantization& quant) const {
    require(!quant.empty(), "internal: '{}' was never observed", from_.tensors[id].name);
    return {options_.activations, from_.tensors[id].type.shape, quant};
  }
  [[nodiscard]] const Quantization& quant_of(TensorId id) const { return observed_.quants[scheme_.group[id]]; }

  // The form that an operator or the caller gives keeps the name, the converted one gets another; but outputs keep
  // theirs.
  [[nodiscard]] std::string name_of(TensorId id, bool integer, bool converted) const {
    const std::string& name = from_.tensors[id].name;
    const bool output = std::find(from_.outputs.begin(), from_.outputs.end(), id) != from_.outputs.end();
    const bool renamed = output && options_.keep_float_io ? integer : converted;
    return renamed ? name + (integer ? "_integer" : "_real") : name;
  }

  // Does a node that stays real read it, and no other?
  [[nodiscard]] bool only_real_readers(TensorId id) const {
    bool real = false;
    for (size_t i = 0; i < from_.nodes.size(); ++i) {
      const std::vector<TensorId>& in = from_.nodes[i].in;
      if (std::find(in.begin(), in.end(), id) == in.end()) continue;
      if (scheme_.integer(i)) return false;
      real = true;
    }
    return real;
  }

  void add_input(TensorId id) {
    const Tensor& tensor = from_.tensors[id];
    const bool stays = !is_activation(from_, id) || options_.keep_float_io || only_real_readers(id);
    if (stays) {
      real_[id] = add({tensor.name, tensor.type, {}});
    } else {
      result_.integer[id] = add({tensor.name, integer_type(id, quant_of(id)), {}});
    }
    to().inputs.push_back(stays ? real_[id] : result_.integer[id]);
  }

  void add_output(TensorId id) {
    if (result_.integer[id] != no_tensor && !(options_.keep_float_io && is_activation(from_, id)))
      return to().outputs.push_back(result_.integer[id]);
    to().outputs.push_back(real_form(id));
  }

  void convert(OperatorPtr op, const char* what, TensorId from, TensorId made) {
    to().nodes.push_back({std::move(op), {from}, {made}, fmt::format("{} ({})", what, to().tensors[made].name)});
    result_.source.push_back(no_node);
  }

  TensorId integer_form(TensorId id) {
    if (result_.integer[id] == no_tensor) {
      require(real_[id] != no_tensor, "internal: '{}' is not there yet", from_.tensors[id].name);
      result_.integer[id] = add({name_of(id, true, true), integer_type(id, quant_of(id)), {}});
      convert(make_quantize(), "QUANTIZE", real_[id], result_.integer[id]);
    }
    return result_.integer[id];
  }

  // Of constants, states, integers and reals alike: as the float graph has it.
  TensorId real_form(TensorId id) {
    if (real_[id] != no_tensor) return real_[id];
    const Tensor& tensor = from_.tensors[id];
    if (tensor.constant() || tensor.state) return real_[id] = add(tensor);
    require(result_.integer[id] != no_tensor, "internal: '{}' is not there yet", tensor.name);
    real_[id] = add({name_of(id, false, true), tensor.type, {}});
    convert(make_dequantize(), "DEQUANTIZE", result_.integer[id], real_[id]);
    return real_[id];
  }

  void add_node(size_t index) {
    const Node& node = from_.nodes[index];
    Node made{node.op, {}, {}, node.origin};
    if (!scheme_.integer(index)) {
      for (const TensorId id : node.in) made.in.push_back(id == no_tensor ? no_tensor : real_form(id));
      for (const TensorId id : node.out) {
        real_[id] = add({name_of(id, false, false), from_.tensors[id].type, {}});
        made.out.push_back(real_[id]);
      }
    } else {
      const IntegerForm& form = *scheme_.forms[index];
      made.in = integer_inputs(index, form);
      for (const TensorId id : node.out) made.out.push_back(add_integer_output(id));
      if (form.op) made.op = form.op(to().tensors[made.out[0]].type);
      check(made);
    }
    to().nodes.push_back(std::move(made));
    result_.source.push_back(index);
  }

  TensorId add_integer_output(TensorId id) {
    const Tensor& tensor = from_.tensors[id];
    if (!is_activation(from_, id)) return real_[id] = add({tensor.name, tensor.type, {}});
    return result_.integer[id] = add({name_of(id, true, false), integer_type(id, quant_of(id)), {}});
  }

  // Does the operator take these types, and has it a kernel for them?
  void check(const Node& made) {
    const std::vector<const Tensor*> inputs = inputs_of(to(), made);
    const Types types = made.op->infer(inputs, output_types(to(), made));
    if (made.op->alias() != Alias::view) static_cast<void>(made.op->lower(inputs, types));
  }

  std::vector<TensorId> integer_inputs(size_t index, const IntegerForm& form) {
    const Node& node = from_.nodes[index];
    std::vector<TensorId> inputs;
    for (size_t i = 0; i < node.in.size(); ++i) {
      const TensorId id = node.in[i];
      const bool layer_constant = form.sum && (i == form.sum->weights || i == form.sum->bias);
      if (id == no_tensor || layer_constant) {
        inputs.push_back(no_tensor);
      } else if (!is_real(from_.tensors[id])) {
        inputs.push_back(real_form(id));
      } else if (from_.tensors[id].constant()) {
        inputs.push_back(add(integer_constant(from_.tensors[id], node, form)));
      } else if (scheme_.requantised.count({index, i}) > 0) {
        inputs.push_back(requantised(id, quant_of(node.out[0])));
      } else {
        inputs.push_back(integer_form(id));
      }
    }
    if (form.sum) add_layer_constants(index, *form.sum, inputs);
    return inputs;
  }

  [[nodiscard]] Tensor integer_constant(const Tensor& tensor, const Node& node, const IntegerForm& form) const {
    if (form.scale == IntegerForm::Scale::shared)
      return quantize_constant(tensor, options_.activations, quant_of(node.out[0]));
    Range range;
    for (const float value : to_values<float>(tensor.data)) {
      range.low = std::min(range.low, static_cast<double>(value));
      range.high = std::max(range.high, static_cast<double>(value));
    }
    return quantize_constant(tensor, options_.activations,
                             quantization_of(range, options_.activations, options_.power_of_two));
  }

  TensorId requantised(TensorId id, const Quantization& quant) {
    const TensorId from = integer_form(id);
    const TensorId made = add({from_.tensors[id].name + "_requantised", integer_type(id, quant), {}});
    convert(make_quantize(), "QUANTIZE", from, made);
    return made;
  }

  [[nodiscard]] bool written_as_int4(const Node& node, const TensorType& input, const TensorType& weights) const {
    const auto* const sum = dynamic_cast<const WeightedSum*>(node.op.get());
    const Int4Readers readers = sum == nullptr ? Int4Readers::none : sum->int4_readers(input, weights);
    switch (options_.int4) {
      case Int4Tensors::none: return false;
      case Int4Tensors::common: return readers == Int4Readers::all;
      case Int4Tensors::litert: return readers != Int4Readers::none;
    }
    fail("unknown choice of INT4 tensors {}", static_cast<int>(options_.int4));
  }

  void add_layer_constants(size_t index, const WeightedInputs& sum, std::vector<TensorId>& inputs) {
    const Node& node = from_.nodes[index];
    const bool rounded = !observed_.layers.empty() && observed_.layers[index].has_value();
    LayerConstants made =
        rounded ? *observed_.layers[index] : layer_constants(from_, scheme_, observed_, options_, index);
    const bool packs = weight_kind(from_, node, sum, options_) != WeightKind::bytes &&
                       written_as_int4(node, to().tensors[inputs[0]].type, made.weights.type);
    inputs[sum.weights] = add(packs ? packed_i4(std::move(made.weights)) : std::move(made.weights));
    if (!made.bias) return;
    if (inputs.size() <= sum.bias) inputs.resize(sum.bias + 1, no_tensor);
    inputs[sum.bias] = add(*std::move(made.bias));
  }

  const Graph& from_;
  const Scheme& scheme_;
  const Observed& observed_;
  const QuantizeOptions& options_;
  IntegerGraph result_;
  std::vector<TensorId> real_;  // by tensor of the float graph: its form there, or no_tensor
};

}  // namespace

IntegerGraph integer_graph(const Graph& graph, const Scheme& scheme, const Observed& observed,
                           const QuantizeOptions& options) {
  return Builder(graph, scheme, observed, options).build();
}

}  // namespace mote
