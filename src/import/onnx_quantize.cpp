// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear: they say what quantisation a tensor has; most of them compute nothing.
#include <algorithm>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

// The constant with i8 codes: uint8 is moved down by 128, as its zero points were.
TensorId quantised_constant(Builder& builder, TensorId id, const Codes& codes) {
  const Tensor source = builder.tensor(id);
  TensorType type{source.type.dtype == DType::u8 ? DType::i8 : source.type.dtype, source.type.shape, codes.quant};
  Bytes data = source.data;
  if (source.type.dtype == DType::u8) {
    for (std::byte& code : data) code ^= std::byte{0x80};
  }
  return builder.add_tensor(source.name, std::move(type), std::move(data));
}

TensorType i8_type(const Quantization& quant) { return {DType::i8, {}, quant}; }

// Integers that the model takes from outside: DequantizeLinear tells their quantisation.
Value quantised_input(Translator& t, const Value& value, const Codes& codes) {
  Builder& builder = t.builder();
  const DType dtype = builder.tensor(value.id).type.dtype;
  Value result = value;
  result.meaning = Value::Meaning::codes;
  if (dtype == DType::i32) {
    const TensorId number =
        builder.add("CAST", tflite::schema::CastOptionsT{}, {value.id}, {{DType::f32, {}, {}}})[0];
    require(codes.quant.zero == std::vector<int32_t>{0},
            "has int32 codes with a zero point, which is not supported");
    const TensorId scale = builder.constant(Shape{}, codes.quant.scale);
    result.id = builder.add("MUL", tflite::schema::MulOptionsT{}, {number, scale}, {{DType::f32, {}, {}}})[0];
    result.meaning = Value::Meaning::plain;
    return result;
  }
  require(codes.quant.scale.size() == 1, "is quantised per channel, which only constants may be");
  if (dtype == DType::i8) {
    builder.graph.tensors[value.id].type.quant = codes.quant;
    return result;
  }
  require(dtype == DType::u8, "dequantises {}, which is not supported", name(dtype));
  builder.graph.tensors[value.id].type.quant = {codes.quant.scale, {codes.quant.zero[0] + 128}, -1};
  result.id = builder.add("QUANTIZE", {value.id}, {i8_type(codes.quant)})[0];
  result.unsigned_codes = true;
  return result;
}

Codes codes_of(Translator& t, std::optional<DType> data) {
  return read_codes(
      t.node(), [&](const std::string& name) { return t.value(name); }, t.builder(), t.shape(0), data);
}

bool scale_depends_on_data(const Translator& t) { return t.has(1) && !t.builder().constant(t.in(1)); }

// The scale, and the zero point as a real number.
std::pair<Value, Value> runtime_codes(Translator& t) {
  const Value scale = t.plain(1);
  require(elements(scale.shape()) == 1, "computes {} scales at run time, which is not supported; one is",
          elements(scale.shape()));
  FloatMath math(t.builder());
  if (!t.has(2)) return {scale, math.number(0.0F)};
  const Value zero = t.plain(2);
  return {scale,
          {t.builder().add("CAST", tflite::schema::CastOptionsT{}, {zero.id}, {{DType::f32, {}, {}}})[0],
           zero.layout}};
}

// By the definition, in float.
void quantize_at_run_time(Translator& t) {
  FloatMath math(t.builder());
  const auto [scale, zero] = runtime_codes(t);
  (void)t.node().integer("axis", 1), (void)t.node().integer("output_dtype", 0);
  t.node().ignore("saturate");  // about float8 only
  const DType dtype = t.has(2) ? t.tensor(2).type.dtype : DType::u8;
  require(dtype == DType::i8 || dtype == DType::u8, "quantises to {}, which is not supported; use int8 or uint8",
          name(dtype));
  const float low = dtype == DType::i8 ? -128.0F : 0.0F;
  const Value steps = math.add(math.unary("ROUND", math.divide(t.plain(0), scale)), zero);
  const Value code = math.minimum(math.maximum(steps, math.number(low)), math.number(low + 255.0F));
  t.give(0,
         {t.builder().add("CAST", tflite::schema::CastOptionsT{}, {code.id}, {{dtype, {}, {}}})[0], code.layout});
}

void dequantize_at_run_time(Translator& t) {
  FloatMath math(t.builder());
  const auto [scale, zero] = runtime_codes(t);
  (void)t.node().integer("axis", 1);
  const Value codes = t.plain(0);
  const Value number{
      t.builder().add("CAST", tflite::schema::CastOptionsT{}, {codes.id}, {{DType::f32, {}, {}}})[0],
      codes.layout};
  t.give(0, math.multiply(math.subtract(number, zero), scale));
}

void dequantize_linear(Translator& t) {
  if (scale_depends_on_data(t)) return dequantize_at_run_time(t);
  const Value source = t.in(0);
  const Tensor& tensor = t.tensor(0);
  const bool as_unsigned = source.meaning == Value::Meaning::codes && source.unsigned_codes;
  const Codes codes = codes_of(t, as_unsigned ? DType::u8 : tensor.type.dtype);
  require(codes.file_type == (as_unsigned ? DType::u8 : tensor.type.dtype),
          "has codes of type {} but zero points of type {}", name(tensor.type.dtype), name(codes.file_type));
  Value result = source;
  if (source.meaning == Value::Meaning::plain) {
    if (tensor.constant()) {
      result.id = quantised_constant(t.builder(), source.id, codes);
      result.meaning = Value::Meaning::codes;
    } else {
      result = quantised_input(t, source, codes);
    }
  }
  require(result.meaning != Value::Meaning::reals, "dequantises numbers that are not quantised");
  if (result.meaning == Value::Meaning::codes) {
    require(t.builder().tensor(result.id).type.quant == codes.quant,
            "dequantises with another scale or zero point than '{}' was quantised with; quantise the model again",
            t.node().inputs[0]);
    result.meaning = Value::Meaning::reals;
    result.unsigned_codes = false;
  }
  t.give(0, result);
}

void quantize_linear(Translator& t) {
  if (scale_depends_on_data(t)) return quantize_at_run_time(t);
  const Value source = t.in(0);
  const Tensor& tensor = t.tensor(0);
  const Codes codes = codes_of(t, std::nullopt);
  (void)t.node().integer("output_dtype", 0);
  require(codes.file_type == DType::i8 || codes.file_type == DType::u8,
          "quantises to {}, which is not supported; use int8 or uint8", name(codes.file_type));
  require(codes.quant.scale.size() == 1,
          "quantises what is computed at run time per channel, which is not supported; "
          "quantise activations per tensor");
  require(source.meaning != Value::Meaning::codes, "quantises what is quantised already");
  require(tensor.type.dtype == DType::f32 || source.meaning == Value::Meaning::reals,
          "quantises {}, which is not supported", name(tensor.type.dtype));
  Value result = source;
  result.meaning = Value::Meaning::codes;
  result.unsigned_codes = codes.file_type == DType::u8;
  const bool same = source.meaning == Value::Meaning::reals && tensor.type.dtype == DType::i8 &&
                    tensor.type.quant == codes.quant;
  if (!same) {
    const Value from = tensor.type.dtype == DType::i8 && tensor.type.quant.scale.size() == 1 ? source : t.plain(0);
    result.id = t.builder().add("QUANTIZE", {from.id}, {i8_type(codes.quant)})[0];
  }
  t.give(0, result);
}

constexpr Translation table[] = {{"DequantizeLinear", dequantize_linear}, {"QuantizeLinear", quantize_linear}};

}  // namespace

std::span<const Translation> quantize_translations() { return table; }

}  // namespace mote::onnx
