// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_float.hpp"

#include <algorithm>

#include "formats/onnx_tensor.hpp"

namespace mote::onnx {

namespace tfl = tflite::schema;

namespace {

Shape common_shape(const std::vector<Value>& values) {
  Shape result;
  for (const Value& value : values) {
    const Shape shape = value.shape();
    if (shape.size() > result.size()) result.insert(result.begin(), shape.size() - result.size(), 1);
    for (size_t i = 1; i <= shape.size(); ++i) {
      int64_t& extent = result[result.size() - i];
      const int64_t own = shape[shape.size() - i];
      require(extent == own || extent == 1 || own == 1, "cannot broadcast shapes {} and {}", to_text(result),
              to_text(shape));
      if (extent == 1) extent = own;
    }
  }
  return result;
}

// The operand in whose layout the result is computed: the largest that is computed at run time.
const Value& choose_leader(const Builder& builder, const std::vector<Value>& values) {
  const auto rank = [&](const Value& value) {
    return std::pair(!builder.constant(value), elements(value.shape()));
  };
  return *std::max_element(values.begin(), values.end(),
                           [&](const Value& a, const Value& b) { return rank(a) < rank(b); });
}

Value with_rank(const Value& value, size_t rank) {
  Value result = value;
  result.layout.dims.insert(result.layout.dims.begin(), rank - result.layout.dims.size(), {});
  return result;
}

}  // namespace

Broadcast broadcast(Builder& builder, const std::vector<Value>& values) {
  const Shape shape = common_shape(values);
  const Value leader = choose_leader(builder, values);
  Broadcast result;
  if (elements(leader.shape()) == elements(shape)) {
    const Value frame = builder.canonical(with_rank(leader, shape.size()));
    for (const Value& value : values) {
      result.ids.push_back(value.id == leader.id && value.layout == leader.layout ? frame.id
                                                                                  : builder.like(value, frame));
    }
    result.layout = frame.layout;
    return result;
  }
  // No operand has the result's shape: each is stored in the leader's order of dimensions.
  const Value frame = with_rank(leader, shape.size());
  const Permutation order = builder.ordered(frame).order;
  for (const Value& value : values) result.ids.push_back(builder.stored(with_rank(value, shape.size()), order));
  result.layout = layout_of(shape, order);
  return result;
}

float value_scale(const Builder& builder, const Value& value) {
  return tensor_scale(builder.tensor(value.id).type, "input");
}

DType dtype_of_attribute(int64_t number) { return to_dtype(narrow<int32_t>(number)); }

Value FloatMath::number(float value) { return {builder_.constant(Shape{}, std::vector<float>{value}), Layout{}}; }

Value FloatMath::unary(std::string_view op, const Value& a) {
  return {builder_.add(op, {a.id}, {{DType::f32, {}, {}}})[0], a.layout};
}

template <class Options>
Value FloatMath::binary(std::string_view op, const Value& a, const Value& b) {
  Broadcast operands = broadcast(builder_, {a, b});
  return {builder_.add(op, Options{}, operands.ids, {{DType::f32, {}, {}}})[0], std::move(operands.layout)};
}

Value FloatMath::add(const Value& a, const Value& b) { return binary<tfl::AddOptionsT>("ADD", a, b); }
Value FloatMath::subtract(const Value& a, const Value& b) { return binary<tfl::SubOptionsT>("SUB", a, b); }
Value FloatMath::multiply(const Value& a, const Value& b) { return binary<tfl::MulOptionsT>("MUL", a, b); }
Value FloatMath::divide(const Value& a, const Value& b) { return binary<tfl::DivOptionsT>("DIV", a, b); }
Value FloatMath::maximum(const Value& a, const Value& b) {
  return binary<tfl::MaximumMinimumOptionsT>("MAXIMUM", a, b);
}
Value FloatMath::minimum(const Value& a, const Value& b) {
  return binary<tfl::MaximumMinimumOptionsT>("MINIMUM", a, b);
}

Value FloatMath::mean(const Value& a, const std::vector<size_t>& axes) {
  const Ordered source = builder_.ordered(a);
  std::vector<int32_t> places;
  Shape shape = a.shape();
  for (const size_t axis : axes) {
    places.push_back(static_cast<int32_t>(source.place(axis)));
    shape[axis] = 1;
  }
  tfl::ReducerOptionsT options;
  options.keep_dims = true;
  const TensorId list = builder_.constant({std::ssize(places)}, places);
  return {builder_.add("MEAN", options, {source.id, list}, {{DType::f32, {}, {}}})[0],
          layout_of(shape, source.order)};
}

}  // namespace mote::onnx
