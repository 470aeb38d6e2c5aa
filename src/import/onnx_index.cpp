// SPDX-License-Identifier: Apache-2.0
// Operators of ONNX that choose or mark elements by their place: GatherND, GatherElements, OneHot, Hardmax, Trilu.
#include <algorithm>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

TensorId cast(Builder& builder, TensorId id, DType to) {
  if (builder.tensor(id).type.dtype == to) return id;
  return builder.add("CAST", tfl::CastOptionsT{}, {id}, {{to, {}, {}}})[0];
}

// The indices in ONNX's order, constant ones as i32.
TensorId indices_of(Translator& t, size_t input, const Permutation& order) {
  Builder& builder = t.builder();
  const TensorId id = builder.stored(t.plain(input), order);
  return builder.tensor(id).constant() ? cast(builder, id, DType::i32) : id;
}

// The coordinates of each tuple in the batch, in front of the tuple.
TensorId with_batch(Builder& builder, TensorId tuples, size_t batch_dims) {
  const TensorType type = builder.tensor(tuples).type;
  Shape shape = type.shape;
  shape.back() = static_cast<int64_t>(batch_dims);
  std::vector<int32_t> coordinates;
  const int64_t batch = elements(Shape(shape.begin(), shape.begin() + shape.back()));
  for (int64_t i = 0; i < elements(shape); ++i) {
    const auto d = static_cast<size_t>(i % shape.back());
    int64_t inner = 1;
    for (size_t below = d + 1; below < batch_dims; ++below) inner *= shape[below];
    coordinates.push_back(static_cast<int32_t>(i / (elements(shape) / batch) / inner % shape[d]));
  }
  const TensorId front = cast(builder, builder.constant(shape, coordinates), type.dtype);
  tfl::ConcatenationOptionsT options;
  options.axis = static_cast<int32_t>(shape.size()) - 1;
  return builder.add("CONCATENATION", options, {front, tuples}, {{type.dtype, {}, {}}})[0];
}

void gather_nd(Translator& t) {
  Builder& builder = t.builder();
  const Value data = t.in(0);
  const Shape from = data.shape(), tuples = t.shape(1);
  const int64_t batch_dims = t.node().integer("batch_dims", 0);
  require(batch_dims >= 0 && batch_dims < std::min(std::ssize(from), std::ssize(tuples)) &&
              std::equal(from.begin(), from.begin() + batch_dims, tuples.begin()),
          "gathers from {} by tuples {} with {} dimensions of a batch", to_text(from), to_text(tuples),
          batch_dims);
  const TensorId source = builder.stored(data, identity(from.size()));
  TensorId indices = indices_of(t, 1, identity(tuples.size()));
  if (batch_dims > 0) indices = with_batch(builder, indices, static_cast<size_t>(batch_dims));
  const TensorId id =
      builder.add("GATHER_ND", tfl::GatherNdOptionsT{}, {source, indices}, {builder.tensor(source).type})[0];
  const Shape shape = builder.tensor(id).type.shape;
  t.give(0, {id, layout_of(shape, identity(shape.size())), data.meaning, data.unsigned_codes});
}

// Each row along the axis is gathered by indices of its own: the other dimensions are a batch.
void gather_elements(Translator& t) {
  Builder& builder = t.builder();
  const Value data = t.in(0);
  const Shape from = data.shape(), shape = t.shape(1);
  require(from.size() == shape.size() && !from.empty(), "gathers from {} by {}", to_text(from), to_text(shape));
  const size_t axis = t.axis(t.node().integer("axis", 0), from.size());
  for (size_t d = 0; d < from.size(); ++d) {
    require(d == axis || from[d] == shape[d], "gathers from {} by indices {}, which may differ along axis {} only",
            to_text(from), to_text(shape), axis);
  }
  Permutation order = identity(from.size());
  std::rotate(order.begin() + static_cast<std::ptrdiff_t>(axis),
              order.begin() + static_cast<std::ptrdiff_t>(axis) + 1, order.end());
  tfl::GatherOptionsT options;
  options.axis = static_cast<int32_t>(from.size()) - 1;
  options.batch_dims = options.axis;
  const TensorId source = builder.with_shape(builder.stored(data, order), permuted(from, order));
  const TensorId indices = builder.with_shape(indices_of(t, 1, order), permuted(shape, order));
  const TensorId id = builder.add("GATHER", options, {source, indices}, {builder.tensor(source).type})[0];
  t.give(0, {id, layout_of(shape, order), data.meaning, data.unsigned_codes});
}

TensorId element(Builder& builder, TensorId vector, int32_t index) {
  const std::vector<TensorId> in{vector, builder.constant({1}, std::vector<int32_t>{index}),
                                 builder.constant({1}, std::vector<int32_t>{index + 1}),
                                 builder.constant({1}, std::vector<int32_t>{1})};
  return builder.add("STRIDED_SLICE", tfl::StridedSliceOptionsT{}, in, {builder.tensor(vector).type})[0];
}

int64_t depth_of(Translator& t) {
  const Tensor& tensor = t.tensor(1);
  require(tensor.constant() && elements(tensor.type.shape) == 1,
          "computes its depth ('{}') at run time, which is not supported; export it as a constant",
          t.node().inputs[1]);
  if (tensor.type.dtype == DType::f32) {
    const float depth = to_values<float>(tensor.data)[0];
    return depth >= 0.0F && depth <= 1e6F ? static_cast<int64_t>(depth) : 0;
  }
  return t.integers(1, "depth").at(0);
}

// Indices from -depth to -1 count from the end, those outside give the off value everywhere.
TensorId wrapped_indices(Builder& builder, TensorId id, int64_t depth) {
  id = cast(builder, id, DType::i32);
  const Shape shape = builder.tensor(id).type.shape;
  const TensorId zero = builder.constant(Shape{}, std::vector<int32_t>{0});
  const TensorId extent = builder.constant(Shape{}, std::vector<int32_t>{narrow<int32_t>(depth)});
  const TensorId below = builder.add("LESS", {id, zero}, {{DType::boolean, {}, {}}})[0];
  const TensorId moved = builder.add("ADD", tfl::AddOptionsT{}, {id, extent}, {{DType::i32, {}, {}}})[0];
  // Of one element the operator gives a scalar, whatever the rank of what it chooses from.
  return builder.with_shape(builder.add("SELECT_V2", {below, moved, id}, {{DType::i32, {}, {}}})[0], shape);
}

void one_hot(Translator& t) {
  Builder& builder = t.builder();
  Shape shape = t.shape(0);
  const int64_t depth = depth_of(t);
  const size_t axis = t.axis(t.node().integer("axis", -1), shape.size() + 1);
  require(depth > 0 && elements(t.shape(2)) == 2, "has a depth of {} and {} values, it takes two", depth,
          elements(t.shape(2)));
  const TensorId indices = wrapped_indices(builder, builder.stored(t.plain(0), identity(shape.size())), depth);
  const TensorId values = builder.stored(t.plain(2), identity(1));
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  tfl::OneHotOptionsT options;
  options.axis = static_cast<int32_t>(axis);
  const TensorId count = builder.constant(Shape{}, std::vector<int32_t>{narrow<int32_t>(depth)});
  const TensorId on = builder.with_shape(element(builder, values, 1), {}),
                 off = builder.with_shape(element(builder, values, 0), {});
  const TensorId id = builder.add("ONE_HOT", options, {indices, count, on, off}, {builder.tensor(values).type})[0];
  t.give(0, {id, layout_of(shape, identity(shape.size()))});
}

// One where the first of the largest elements along the axis is.
void hardmax(Translator& t) {
  Builder& builder = t.builder();
  const Value value = t.plain(0);
  const Shape shape = value.shape();
  const size_t axis = t.axis(t.node().integer("axis", -1), shape.size());
  const Ordered source = builder.ordered(value);
  const auto place = static_cast<int32_t>(source.place(axis));
  const TensorId at = builder.constant(Shape{}, std::vector<int32_t>{place});
  tfl::ArgMaxOptionsT largest;
  largest.output_type = tfl::TensorType::INT32;
  const TensorId index = builder.add("ARG_MAX", largest, {source.id, at}, {{DType::i32, {}, {}}})[0];
  tfl::OneHotOptionsT options;
  options.axis = place;
  const std::vector<TensorId> in{
      index, builder.constant(Shape{}, std::vector<int32_t>{narrow<int32_t>(shape[axis])}),
      builder.constant(Shape{}, std::vector<float>{1.0F}), builder.constant(Shape{}, std::vector<float>{0.0F})};
  t.give(0, {builder.add("ONE_HOT", options, in, {{DType::f32, {}, {}}})[0], layout_of(shape, source.order)});
}

// The triangle that stays, as a mask; the rest becomes zero.
void triangle(Translator& t) {
  Builder& builder = t.builder();
  const Value value = t.plain(0);
  const Shape shape = value.shape();
  require(shape.size() >= 2, "has an input of rank {}; it needs two dimensions", shape.size());
  const bool upper = t.node().integer("upper", 1) != 0;
  const std::vector<int64_t> stated = t.has(1) ? t.integers(1, "k") : std::vector<int64_t>{0};
  require(stated.size() == 1, "has {} diagonals, it takes one", stated.size());
  const int64_t rows = shape[shape.size() - 2], columns = shape.back();
  const int64_t diagonal = std::clamp(stated[0], -rows - columns, rows + columns);
  std::vector<uint8_t> mask;
  for (int64_t i = 0; i < rows * columns; ++i) {
    const int64_t offset = i % columns - i / columns;
    mask.push_back(upper ? offset >= diagonal : offset <= diagonal);
  }
  const DType dtype = builder.tensor(value.id).type.dtype;
  const Shape plane{rows, columns};
  const Value keep{builder.add_tensor("mask", {DType::boolean, plane, {}}, to_bytes(mask)),
                   layout_of(plane, {0, 1})};
  const Value zero{builder.add_tensor("zero", {dtype, {}, {}}, Bytes(static_cast<size_t>(bits(dtype) / 8))),
                   Layout{}};
  Broadcast operands = broadcast(builder, {keep, value, zero});
  t.give(0, {builder.add("SELECT_V2", operands.ids, {{dtype, {}, {}}})[0], std::move(operands.layout)});
}

constexpr Translation table[] = {{"GatherElements", gather_elements},
                                 {"GatherND", gather_nd},
                                 {"Hardmax", hardmax},
                                 {"OneHot", one_hot},
                                 {"Trilu", triangle}};

}  // namespace

std::span<const Translation> index_translations() { return table; }

}  // namespace mote::onnx
