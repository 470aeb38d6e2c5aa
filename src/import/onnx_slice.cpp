// SPDX-License-Identifier: Apache-2.0
// Operators of ONNX that take parts of tensors or put parts together.
#include <algorithm>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

TensorId integers(Builder& builder, const std::vector<int64_t>& values) {
  std::vector<int32_t> narrow_values;
  for (const int64_t value : values) narrow_values.push_back(narrow<int32_t>(value));
  return builder.constant({std::ssize(narrow_values)}, narrow_values);
}

// The value with a result of the same meaning and quantisation.
Value alike(const Value& value, TensorId id, Layout layout) {
  return {id, std::move(layout), value.meaning, value.unsigned_codes};
}

void concat(Translator& t) {
  require(t.count() > 0, "has no input");
  std::vector<Value> values;
  std::vector<Value*> pointers;
  for (size_t i = 0; i < t.count(); ++i) {
    if (elements(t.shape(i)) > 0 || t.count() == 1) values.push_back(t.in(i));
  }
  for (Value& value : values) pointers.push_back(&value);
  Builder& builder = t.builder();
  const size_t rank = values.at(0).shape().size();
  const size_t axis = t.axis(t.node().integer("axis"), rank);
  const bool moves = t.moves_quantised(pointers);
  Mode mode;
  if (!moves) mode = t.mode(pointers, false);
  const auto leader =
      std::find_if(values.begin(), values.end(), [&](const Value& value) { return !builder.constant(value); });
  const Value& first = leader == values.end() ? values[0] : *leader;
  const Permutation order = builder.ordered(first).order;
  Shape shape = values[0].shape();
  shape[axis] = 0;
  std::vector<TensorId> in;
  for (const Value& value : values) {
    const Shape own = value.shape();
    require(own.size() == rank, "joins tensors of rank {} and {}", rank, own.size());
    shape[axis] += own[axis];
    in.push_back(builder.stored(value, order));
    // The operator requires one quantisation: each part is brought to that of the result.
    if (mode.integer() && !moves && builder.tensor(in.back()).type.quant != mode.type.quant) {
      in.back() = builder.add("QUANTIZE", {in.back()}, {mode.type})[0];
    }
  }
  tfl::ConcatenationOptionsT options;
  options.axis = static_cast<int32_t>(Ordered{in[0], order}.place(axis));
  const TensorType type = builder.tensor(in[0]).type;
  const TensorId id = in.size() == 1 ? in[0] : builder.add("CONCATENATION", options, in, {type})[0];
  if (moves) return t.give(0, alike(first, id, layout_of(shape, order)));
  t.give_mode(mode, id, layout_of(shape, order));
}

// begin, end and step of each stored dimension.
struct Span {
  int64_t begin = 0, end = 0, step = 1;
  [[nodiscard]] int64_t count() const {
    return std::max<int64_t>(0, step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step);
  }
};

Value sliced(Builder& builder, const Value& value, const std::vector<Span>& spans) {
  Shape shape;
  bool whole = true;
  for (size_t d = 0; d < spans.size(); ++d) {
    shape.push_back(spans[d].count());
    whole = whole && spans[d].step == 1 && shape[d] == value.shape()[d];
  }
  if (whole) return value;
  if (elements(shape) == 0)
    return alike(value, builder.add_tensor("empty", {builder.tensor(value.id).type.dtype, shape, {}}),
                 layout_of(shape, identity(shape.size())));
  const Ordered source = builder.ordered(value);
  std::vector<int64_t> begin(spans.size()), end(spans.size()), step(spans.size());
  tfl::StridedSliceOptionsT options;
  for (size_t d = 0; d < spans.size(); ++d) {
    const size_t place = source.place(d);
    begin[place] = spans[d].begin;
    end[place] = spans[d].end;
    step[place] = spans[d].step;
    if (spans[d].step < 0 && spans[d].end < 0) options.end_mask |= 1 << place;
  }
  const std::vector<TensorId> in{source.id, integers(builder, begin), integers(builder, end),
                                 integers(builder, step)};
  const TensorId id = builder.add("STRIDED_SLICE", options, in, {builder.tensor(source.id).type})[0];
  return alike(value, id, layout_of(shape, source.order));
}

std::vector<Span> whole_spans(const Shape& shape) {
  std::vector<Span> spans;
  for (const int64_t extent : shape) spans.push_back({0, extent, 1});
  return spans;
}

void slice(Translator& t) {
  const Shape shape = t.shape(0);
  const std::vector<int64_t> starts = t.integers(1, "starts"), ends = t.integers(2, "ends");
  std::vector<int64_t> axes, steps(starts.size(), 1);
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (t.has(3)) axes = t.integers(3, "axes");
  if (t.has(4)) steps = t.integers(4, "steps");
  require(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
          "has {} starts, {} ends, {} axes and {} steps", starts.size(), ends.size(), axes.size(), steps.size());
  std::vector<Span> spans = whole_spans(shape);
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t axis = t.axis(axes[i], shape.size());
    require(steps[i] != 0, "has a step of 0");
    const int64_t extent = shape[axis], step = std::clamp(steps[i], -extent - 1, extent + 1);  // beyond: the same
    if (extent == 0) continue;
    const auto from_front = [&](int64_t number) { return number < 0 ? number + extent : number; };
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    spans[axis] = {std::clamp(from_front(starts[i]), std::max<int64_t>(low, 0), high),
                   std::clamp(ends[i] < -extent ? low : from_front(ends[i]), low, high), step};
  }
  t.give(0, sliced(t.builder(), t.in(0), spans));
}

void split(Translator& t) {
  const Shape shape = t.shape(0);
  const size_t axis = t.axis(t.node().integer("axis", 0), shape.size());
  const auto stated = t.list("split", 1);
  const auto parts = std::ssize(t.node().outputs);
  const int64_t counted = t.node().integer("num_outputs", parts);
  require(counted == parts, "states {} outputs but has {}", counted, parts);
  const int64_t size = (shape[axis] + parts - 1) / parts;  // the last one is smaller when it does not fit
  std::vector<Span> spans = whole_spans(shape);
  int64_t begin = 0;
  const Value source = t.in(0);
  for (size_t i = 0; i < t.node().outputs.size(); ++i) {
    require(!stated || i < stated->size(), "states {} parts for {} outputs", stated ? stated->size() : 0, parts);
    const int64_t end = std::min(shape[axis], begin + (stated ? (*stated)[i] : size));
    spans[axis] = {begin, end, 1};
    begin = end;
    if (t.wanted(i)) t.give(i, sliced(t.builder(), source, spans));
  }
  require(begin == shape[axis], "splits {} of {}", begin, shape[axis]);
}

struct Margins {
  std::vector<int64_t> before, after;
};

Margins margins_of(const Translator& t, size_t rank) {
  const auto pads = t.list("pads", 1);
  require(pads.has_value(), "has no pads");
  std::vector<int64_t> axes;
  for (size_t d = 0; d < rank; ++d) axes.push_back(static_cast<int64_t>(d));
  if (t.has(3)) axes = t.integers(3, "axes");
  require(pads->size() == 2 * axes.size(), "has {} pads for {} axes", pads->size(), axes.size());
  Margins margins{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    margins.before[t.axis(axes[i], rank)] = (*pads)[i];
    margins.after[t.axis(axes[i], rank)] = (*pads)[axes.size() + i];
  }
  return margins;
}

// Negative pads cut off.
Value cropped(Translator& t, const Value& value, Margins& margins) {
  std::vector<Span> spans = whole_spans(value.shape());
  for (size_t d = 0; d < spans.size(); ++d) {
    spans[d].begin -= std::min<int64_t>(0, margins.before[d]);
    spans[d].end += std::min<int64_t>(0, margins.after[d]);
    margins.before[d] = std::max<int64_t>(0, margins.before[d]);
    margins.after[d] = std::max<int64_t>(0, margins.after[d]);
  }
  return sliced(t.builder(), value, spans);
}

// The padding value is real 0: none is stated, 0.0, or the code of 0 where the input is quantised.
bool pads_with_zero(const Translator& t) {
  if (!t.has(2)) return true;
  const Tensor& value = t.tensor(2);
  if (!value.constant() || elements(value.type.shape) != 1) return false;
  if (value.type.dtype == DType::f32) return to_values<float>(value.data)[0] == 0.0F;
  const Quantization& quant = t.tensor(0).type.quant;
  if (t.in(0).meaning != Value::Meaning::codes || quant.scale.size() != 1) return false;
  const bool as_unsigned = value.type.dtype == DType::u8;
  const int code = as_unsigned ? std::to_integer<int>(value.data[0]) - 128 : to_values<int8_t>(value.data).at(0);
  return (as_unsigned || value.type.dtype == DType::i8) && code == quant.zero[0];
}

// Repeats the border or the whole tensor: the elements of each padded dimension are gathered.
Value padded_by_index(Translator& t, Value value, const Margins& margins, bool wrap) {
  Builder& builder = t.builder();
  Shape shape = value.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (margins.before[d] == 0 && margins.after[d] == 0) continue;
    const int64_t extent = shape[d];
    shape[d] += margins.before[d] + margins.after[d];
    require(shape[d] <= 32767, "pads a dimension to {} elements; up to 32767 are supported", shape[d]);
    std::vector<int64_t> indices;
    for (int64_t i = -margins.before[d]; i < extent + margins.after[d]; ++i) {
      indices.push_back(wrap ? (i % extent + extent) % extent : std::clamp<int64_t>(i, 0, extent - 1));
    }
    const Ordered source = builder.ordered(value);
    tfl::GatherOptionsT options;
    options.axis = static_cast<int32_t>(source.place(d));
    const TensorType type = builder.tensor(source.id).type;
    const TensorId id = builder.add("GATHER", options, {source.id, integers(builder, indices)}, {type})[0];
    value = alike(value, id, layout_of(shape, source.order));
  }
  return value;
}

void pad(Translator& t) {
  const std::string kind = t.node().text("mode", "constant");
  const bool by_index = kind == "edge" || kind == "wrap";
  require(kind == "constant" || kind == "reflect" || by_index, "has mode '{}', which Mote does not know", kind);
  Builder& builder = t.builder();
  Margins margins = margins_of(t, t.shape(0).size());
  const bool zero = kind != "constant" || pads_with_zero(t);
  Value value = t.in(0);
  if (!(zero && t.moves_quantised({&value}))) value = builder.dequantised(value);
  value = cropped(t, value, margins);
  if (by_index) return t.give(0, padded_by_index(t, value, margins, kind == "wrap"));
  const Ordered source = builder.ordered(value);
  Shape shape = value.shape();
  std::vector<int32_t> list(2 * shape.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += margins.before[d] + margins.after[d];
    list[2 * source.place(d)] = narrow<int32_t>(margins.before[d]);
    list[2 * source.place(d) + 1] = narrow<int32_t>(margins.after[d]);
  }
  const TensorId pads = builder.constant({std::ssize(shape), 2}, list);
  const TensorType type = builder.tensor(source.id).type;
  TensorId id = source.id;
  if (std::any_of(list.begin(), list.end(), [](int32_t margin) { return margin != 0; })) {
    if (kind == "reflect") {
      id = builder.add("MIRROR_PAD", tfl::MirrorPadOptionsT{}, {source.id, pads}, {type})[0];  // REFLECT is 0
    } else if (zero) {
      id = builder.add("PAD", tfl::PadOptionsT{}, {source.id, pads}, {type})[0];
    } else {
      const TensorId number = builder.with_shape(t.plain(2).id, {1});
      id = builder.add("PADV2", tfl::PadV2OptionsT{}, {source.id, pads, number}, {type})[0];
    }
  }
  t.give(0, alike(value, id, layout_of(shape, source.order)));
}

// Constant indices as i32, counted from the front.
TensorId gather_indices(Translator& t, int64_t extent) {
  Builder& builder = t.builder();
  const Value value = t.in(1);
  const Shape shape = value.shape();
  if (!builder.constant(value)) return builder.stored(value, identity(shape.size()));
  std::vector<int32_t> indices;
  for (const int64_t index : t.integers(1, "indices")) {
    require(index >= -extent && index < extent, "takes index {} of {}", index, extent);
    indices.push_back(narrow<int32_t>(index < 0 ? index + extent : index));
  }
  return builder.constant(shape, indices);
}

void gather(Translator& t) {
  const Value value = t.in(0);
  const Shape shape = value.shape(), indices = t.shape(1);
  const size_t axis = t.axis(t.node().integer("axis", 0), shape.size());
  const Ordered source = t.builder().ordered(value);
  // The axis is replaced by the indices' dimensions, in ONNX's order and in memory alike.
  Shape result = shape;
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis), indices.begin(), indices.end());
  Permutation order;
  for (const size_t dim : source.order) {
    if (dim != axis) {
      order.push_back(dim < axis ? dim : dim + indices.size() - 1);
    } else {
      for (size_t i = 0; i < indices.size(); ++i) order.push_back(axis + i);
    }
  }
  tfl::GatherOptionsT options;
  options.axis = static_cast<int32_t>(source.place(axis));
  const std::vector<TensorId> in{source.id, gather_indices(t, shape[axis])};
  const TensorId id = t.builder().add("GATHER", options, in, {t.builder().tensor(source.id).type})[0];
  t.give(0, alike(value, id, layout_of(result, order)));
}

constexpr Translation table[] = {
    {"Concat", concat}, {"Gather", gather}, {"Pad", pad}, {"Slice", slice}, {"Split", split}};

}  // namespace

std::span<const Translation> slice_translations() { return table; }

}  // namespace mote::onnx
