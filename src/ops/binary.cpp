// SPDX-License-Identifier: Apache-2.0
#include "ops/binary.hpp"

#include <cmath>

#include "ops/sampling.hpp"
#include "ops/unary.hpp"
#include "ops/window_tflite.hpp"

namespace mote::op {

namespace {

// As the kernels' integers do; u8 is only chosen from, never computed.
long double wrap(long double value, DType dtype) {
  if (dtype == DType::u8) return value;
  const long double numbers = std::exp2l(static_cast<long double>(bits(dtype)));
  const long double rest = std::fmod(value, numbers);
  if (rest >= numbers / 2) return rest - numbers;
  return rest < -numbers / 2 ? rest + numbers : rest;
}

bool is_whole(const TensorType& type) {
  return type.dtype != DType::f32 && type.dtype != DType::boolean && type.quant.empty();
}

}  // namespace

std::string Binary::parameters() const {
  return activation_ == Activation::none ? "" : fmt::format("activation={}", mote::name(activation_));
}

Types Binary::infer(Inputs in, const Types& declared) const {
  require(in.size() == 2, "has {} inputs, it takes 2", in.size());
  const TensorType& a = input_type(in, 0);
  const TensorType& b = input_type(in, 1);
  require_one_of(kind_.dtypes, a.dtype);
  const DType second = kind_.second == nullptr ? a.dtype : kind_.second(a.dtype);
  require(
      b.dtype == second, "has inputs of types {} and {}; {}", mote::name(a.dtype), mote::name(b.dtype),
      second == a.dtype ? "both must have one type" : fmt::format("the second must be {}", mote::name(second)));
  TensorType output = declared_type(declared, kind_.gives_boolean ? DType::boolean : a.dtype);
  output.shape = broadcast_shape(a.shape, b.shape);
  (void)kind_.call({in, output, activation_});
  return {output};
}

Reals Binary::reference(Inputs in, const Types& out, const Reals& x) const {
  std::vector<double> result(static_cast<size_t>(elements(out[0].shape)));
  const bool whole = is_whole(in[0]->type);
  for (size_t i = 0; i < result.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    const auto a = static_cast<long double>(x[0][broadcast_index(index, out[0].shape, in[0]->type.shape)]);
    const auto b = static_cast<long double>(x[1][broadcast_index(index, out[0].shape, in[1]->type.shape)]);
    long double value = kind_.real(a, b, whole);
    if (whole && !kind_.gives_boolean) value = wrap(value, in[0]->type.dtype);
    result[i] = apply(activation_, static_cast<double>(value));
  }
  return {result};
}

Region Binary::needs(size_t input, const Region& region, Inputs in, const Types&) const {
  return broadcast_needs(region, in[input]->type.shape);
}

OperatorPtr Binary::absorb(const Operator& next, Inputs, Inputs, const TensorType&) const {
  const Activation clamp = clamp_of(next);
  if (!kind_.takes_activation || activation_ != Activation::none || clamp == Activation::none) return nullptr;
  return std::make_shared<Binary>(kind_, clamp);
}

Call Binary::lower_for(const Core& core, Inputs in, const Types& out) const {
  Call call = kind_.call({in, out[0], activation_, core});
  call.order = element_by_element(out[0].shape);
  return call;
}

// A constant that differs from row to row would have to be cut, too.
OperatorPtr Binary::rows(const RowStrip&, Inputs in, const Types& out) const {
  for (const Tensor* const input : in) {
    const Shape& shape = input->type.shape;
    const size_t missing = out[0].shape.size() - shape.size();
    if (input->constant() && missing < 2 && shape[1 - missing] != 1) return nullptr;
  }
  return std::make_shared<Binary>(*this);
}

namespace {

template <class Options>
Options with_activation(Activation activation) {
  Options options;
  options.fused_activation_function = to_tflite(activation);
  return options;
}

}  // namespace

void Binary::to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const {
  namespace schema = tflite::schema;
  const schema::BuiltinOperator code = tflite::builtin_operator(kind_.name);
  const bool wide = in[0]->type.dtype == DType::i16;
  const int version = tflite::usual_version(in[0]->type.dtype);
  if (code == schema::BuiltinOperator::ADD) {
    auto options = with_activation<schema::AddOptionsT>(activation_);
    options.pot_scale_int16 = !wide;
    file.add(code, version, options);
  } else if (code == schema::BuiltinOperator::SUB) {
    auto options = with_activation<schema::SubOptionsT>(activation_);
    options.pot_scale_int16 = !wide;
    file.add(code, version, options);
  } else if (code == schema::BuiltinOperator::MUL) {
    file.add(code, version, with_activation<schema::MulOptionsT>(activation_));
  } else if (code == schema::BuiltinOperator::DIV) {
    file.add(code, version, with_activation<schema::DivOptionsT>(activation_));
  } else {
    file.add(code, version);
  }
}

std::optional<IntegerForm> Binary::integer_form(DType dtype, Inputs, const Types&) const {
  if (kind_.integer_form != nullptr) return kind_.integer_form(dtype);
  return kind_.gives_boolean && dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt;
}

RandomOperands random_operands(std::mt19937& random, DType dtype) {
  const Shape whole = random_shape(random, 0, 5, 4);
  RandomOperands operands;
  const bool broadcast = !whole.empty() && chance(random, 60);
  if (!broadcast) operands.shape = whole;
  const int64_t constant = random_integer(random, 0, 5);  // which of the two, if any
  for (int64_t i = 0; i < 2; ++i) {
    Shape shape = whole;
    if (broadcast) {
      for (int64_t& extent : shape) extent = chance(random, 30) ? 1 : extent;
      if (chance(random, 30))
        shape.erase(shape.begin(), shape.begin() + random_integer(random, 0, std::ssize(shape)));
      operands.shape = broadcast_shape(operands.shape, shape);
    }
    TensorType type = random_type(random, dtype, shape);
    if (dtype != DType::i8 && dtype != DType::i16) type.quant = {};
    operands.in.push_back(variable(type));
    if (i == constant) make_constant(*operands.in.back(), random);
  }
  return operands;
}

}  // namespace mote::op
