// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_translator.hpp"

#include <algorithm>
#include <cmath>

namespace mote::onnx {

Translator::Translator(Source& source, Builder& builder, size_t node)
    : source_(source), builder_(builder), node_(&source.nodes[node]) {
  if (!node_->outputs.empty()) first_output_ = node_->outputs[0];
}

bool Translator::has(size_t input) const { return input < node_->inputs.size() && !node_->inputs[input].empty(); }

const Value& Translator::in(size_t input) const {
  require(has(input), "lacks input {}; the file is incomplete, export it again", input);
  return *value(node_->inputs[input]);
}

const Value* Translator::value(const std::string& name) const {
  const auto found = source_.values.find(name);
  return found == source_.values.end() ? nullptr : &found->second;
}

bool Translator::constant(size_t input) const {
  return has(input) && builder_.constant(builder_.dequantised(in(input)));
}

std::vector<int64_t> Translator::integers(size_t input, std::string_view what) const {
  const Tensor& source = tensor(input);
  if (elements(source.type.shape) == 0) return {};
  require(source.constant(), "computes its {} ('{}') at run time, which is not supported; export it as a constant",
          what, node_->inputs[input]);
  const int64_t count = elements(source.type.shape);
  require(count <= 1024, "has {} numbers as its {}, which cannot be right; export the model again", count, what);
  if (source.type.dtype == DType::i64) return to_values<int64_t>(source.data);
  require(source.type.dtype == DType::i32, "has {} of data type {}; it must be an integer type", what,
          name(source.type.dtype));
  const std::vector<int32_t> values = to_values<int32_t>(source.data);
  return {values.begin(), values.end()};
}

std::vector<float> Translator::reals(size_t input, std::string_view what) const {
  const Tensor& source = builder_.tensor(plain(input).id);
  require(source.constant(), "computes its {} ('{}') at run time, which is not supported; export it as a constant",
          what, node_->inputs[input]);
  require(source.type.dtype == DType::f32, "has {} of data type {}; it must be float", what,
          name(source.type.dtype));
  return to_values<float>(source.data);
}

float Translator::real(size_t input, std::string_view what) const {
  const std::vector<float> values = reals(input, what);
  require(values.size() == 1, "has {} values as its {}, it takes one", values.size(), what);
  return values[0];
}

std::optional<std::vector<int64_t>> Translator::list(std::string_view attribute, size_t input) const {
  if (node_->has(attribute)) return node_->integers(attribute);
  if (has(input)) return integers(input, attribute);
  return std::nullopt;
}

size_t Translator::axis(int64_t number, size_t rank) const {
  const auto signed_rank = static_cast<int64_t>(rank);
  require(number >= -signed_rank && number < signed_rank, "names axis {} of a tensor of rank {}", number, rank);
  return static_cast<size_t>(number < 0 ? number + signed_rank : number);
}

const Node* Translator::only_reader(const std::string& output) const {
  if (source_.outputs.count(output) != 0) return nullptr;
  const auto readers = source_.readers.find(output);
  if (readers == source_.readers.end() || readers->second.size() != 1) return nullptr;
  const Node& next = source_.nodes[readers->second[0]];
  return next.outputs.empty() ? nullptr : &next;
}

const Node* Translator::follower() const { return only_reader(first_output_); }

std::vector<const Node*> Translator::followers(size_t most) const {
  std::vector<const Node*> result;
  for (const Node* next = follower(); next != nullptr && result.size() < most;
       next = only_reader(next->outputs[0])) {
    result.push_back(next);
  }
  return result;
}

void Translator::take_follower() {
  const Node& next = *follower();
  source_.done[source_.readers.find(first_output_)->second[0]] = true;
  source_.named.insert(next.outputs.begin(), next.outputs.end());
  first_output_ = next.outputs[0];
}

namespace {

std::optional<float> limit(const Translator& t, const Node& clip, size_t input, std::string_view attribute,
                           float otherwise) {
  if (clip.has(attribute)) return clip.real(attribute, otherwise);
  if (clip.inputs.size() <= input || clip.inputs[input].empty()) return otherwise;
  const Value* const value = t.value(clip.inputs[input]);
  if (value == nullptr || !t.builder().constant(*value)) return std::nullopt;
  const Tensor& tensor = t.builder().tensor(value->id);
  if (tensor.type.dtype != DType::f32 || tensor.data.size() != sizeof(float)) return std::nullopt;
  return to_values<float>(tensor.data)[0];
}

// The activation that a node computes, when it is one that can be fused; otherwise NONE.
FusedActivation activation_of(const Translator& t, const Node& node) {
  if (!node.domain.empty()) return FusedActivation::NONE;
  if (node.op == "Relu") return FusedActivation::RELU;
  if (node.op != "Clip") return FusedActivation::NONE;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto low = limit(t, node, 1, "min", -infinity), high = limit(t, node, 2, "max", infinity);
  if (!low || !high) return FusedActivation::NONE;
  if (*low == 0.0F && *high == 6.0F) return FusedActivation::RELU6;
  if (*low == -1.0F && *high == 1.0F) return FusedActivation::RELU_N1_TO_1;
  if (*low == 0.0F && *high >= std::numeric_limits<float>::max()) return FusedActivation::RELU;
  return FusedActivation::NONE;
}

}  // namespace

Mode Translator::mode(const std::vector<Value*>& inputs, bool fuses) {
  const auto quantised = [&](const Value* value) {
    return value->meaning == Value::Meaning::reals && builder_.tensor(value->id).type.dtype == DType::i8;
  };
  Mode mode;
  const Node* next = follower();
  const std::string start = first_output_;
  const FusedActivation activation =
      fuses && next != nullptr ? activation_of(*this, *next) : FusedActivation::NONE;
  if (std::all_of(inputs.begin(), inputs.end(), quantised)) {
    std::vector<size_t> taken;
    if (activation != FusedActivation::NONE) {
      taken.push_back(source_.readers.find(first_output_)->second[0]);
      first_output_ = next->outputs[0];
      next = follower();
    }
    if (next != nullptr && next->op == "QuantizeLinear" && next->inputs[0] == first_output_) {
      const Codes codes =
          read_codes(*next, [&](const std::string& name) { return value(name); }, builder_, {}, {});
      if (codes.quant.scale.size() == 1 && (codes.file_type == DType::i8 || codes.file_type == DType::u8)) {
        take_follower();
        for (const size_t node : taken) source_.done[node] = true;
        mode.type = {DType::i8, {}, codes.quant};
        mode.activation = activation;
        codes_ = Value{no_tensor, {}, Value::Meaning::codes, codes.file_type == DType::u8};
        return mode;
      }
    }
    first_output_ = start;
  }
  for (Value* const value : inputs) *value = builder_.dequantised(*value);
  mode.type = {inputs.empty() ? DType::f32 : builder_.tensor(inputs[0]->id).type.dtype, {}, {}};
  if (activation != FusedActivation::NONE && mode.type.dtype == DType::f32) {
    mode.activation = activation;
    take_follower();
  }
  return mode;
}

bool Translator::moves_quantised(const std::vector<Value*>& inputs) const {
  const Value& first = *inputs.at(0);
  if (first.meaning == Value::Meaning::plain) return false;
  return std::all_of(inputs.begin(), inputs.end(), [&](const Value* other) {
    return other->meaning == first.meaning && other->unsigned_codes == first.unsigned_codes &&
           builder_.tensor(other->id).type.quant == builder_.tensor(first.id).type.quant &&
           builder_.tensor(other->id).type.quant.scale.size() == 1;
  });
}

void Translator::give(size_t output, Value value) {
  if (output >= node_->outputs.size()) return;
  const std::string name = output_name(output);
  if (name.empty()) return;
  source_.values.insert_or_assign(name, std::move(value));
}

void Translator::give_transposed(Value value, const Permutation& order) {
  if (builder_.constant(value)) {
    value.id = builder_.stored(value, order);
    const Shape shape = builder_.tensor(value.id).type.shape;
    value.layout = layout_of(shape, identity(shape.size()));
  } else {
    value.layout = transposed(value.layout, order);
  }
  give(0, std::move(value));
}

void Translator::give_mode(const Mode& mode, TensorId id, Layout layout) {
  Value result{id, std::move(layout)};
  if (mode.integer() && codes_) {
    result.meaning = codes_->meaning;
    result.unsigned_codes = codes_->unsigned_codes;
  }
  give(0, std::move(result));
}

bool Translator::wanted(size_t output) const {
  if (output >= node_->outputs.size() || node_->outputs[output].empty()) return false;
  const std::string& name = node_->outputs[output];
  return source_.outputs.count(name) != 0 || source_.readers.count(name) != 0;
}

std::string Translator::output_name(size_t output) const {
  return output == 0 ? first_output_ : node_->outputs.at(output);
}

Codes read_codes(const Node& node, const std::function<const Value*(const std::string&)>& value,
                 const Builder& builder, const Shape& shape, std::optional<DType> data) {
  const auto constant = [&](size_t input, std::string_view what) -> const Tensor& {
    const Value* const found = value(node.inputs.at(input));
    require(found != nullptr && builder.constant(*found),
            "computes its {} at run time, which is not supported; quantise the model statically", what);
    return builder.tensor(found->id);
  };
  require(node.inputs.size() >= 2, "lacks its scale");
  const Tensor& scale = constant(1, "scale");
  require(scale.type.dtype == DType::f32, "has scales of type {}; only float is supported",
          name(scale.type.dtype));
  require(node.integer("block_size", 0) == 0,
          "is quantised in blocks, which is not supported; quantise per tensor or per channel");
  node.ignore("saturate");  // about float8 only
  Codes codes;
  codes.quant.scale = to_values<float>(scale.data);
  for (const float one : codes.quant.scale) {
    require(std::isfinite(one) && one > 0.0F, "has a scale of {}; scales must be positive", one);
  }
  codes.file_type = data.value_or(DType::u8);
  codes.quant.zero.assign(codes.quant.scale.size(), 0);
  if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
    const Tensor& zero = constant(2, "zero point");
    codes.file_type = zero.type.dtype;
    require(zero.type.dtype != DType::f32, "has zero points of type f32");
    const auto fill = [&](const auto& values) { codes.quant.zero.assign(values.begin(), values.end()); };
    switch (zero.type.dtype) {
      case DType::u8: fill(to_values<uint8_t>(zero.data)); break;
      case DType::i8: fill(to_values<int8_t>(zero.data)); break;
      case DType::i16: fill(to_values<int16_t>(zero.data)); break;
      case DType::i32: fill(to_values<int32_t>(zero.data)); break;
      case DType::i4:
      case DType::i64:
      case DType::u16:
      case DType::u32:
      case DType::u64:
      case DType::boolean:
      case DType::i2:
      case DType::f32: fail("has zero points of type {}", name(zero.type.dtype));
    }
    require(codes.quant.zero.size() == codes.quant.scale.size(), "has {} scales but {} zero points",
            codes.quant.scale.size(), codes.quant.zero.size());
  }
  if (codes.file_type == DType::u8) {
    for (int32_t& zero : codes.quant.zero) zero -= 128;
  }
  const int64_t axis = node.integer("axis", 1);
  if (codes.quant.scale.size() > 1) {
    const auto rank = static_cast<int64_t>(shape.size());
    require(axis >= -rank && axis < rank, "is quantised along axis {} of a tensor of rank {}", axis, rank);
    codes.quant.axis = static_cast<int>(axis < 0 ? axis + rank : axis);
    require(shape[static_cast<size_t>(codes.quant.axis)] == std::ssize(codes.quant.scale),
            "has {} scales for the {} indices of axis {}", codes.quant.scale.size(),
            shape[static_cast<size_t>(codes.quant.axis)], codes.quant.axis);
  }
  return codes;
}

}  // namespace mote::onnx
