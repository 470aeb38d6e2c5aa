// SPDX-License-Identifier: Apache-2.0
// Reductions of ONNX, also those over the whole image; sorting out the largest element.
#include <algorithm>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// Axes that a reduction folds, and whether they stay with extent 1.
struct Folded {
  std::vector<bool> axes;
  bool keep = true;
  bool nothing = false;  // the input is the result
};

Folded folded_axes(const Translator& t) {
  const Shape shape = t.shape(0);
  Folded folded{std::vector<bool>(shape.size(), false), t.node().integer("keepdims", 1) != 0, false};
  const bool empty_means_none = t.node().integer("noop_with_empty_axes", 0) != 0;
  const std::vector<int64_t> axes = t.list("axes", 1).value_or(Shape{});
  for (const int64_t number : axes) folded.axes[t.axis(number, shape.size())] = true;
  if (!axes.empty()) return folded;
  folded.nothing = empty_means_none;
  folded.axes.assign(shape.size(), true);
  return folded;
}

struct Reduced {
  TensorId id = no_tensor;
  Layout layout;
};

Reduced reduced(Builder& builder, std::string_view op, const Value& value, const Folded& folded,
                const TensorType& type) {
  const Ordered source = builder.ordered(value);
  const Shape shape = value.shape();
  tfl::ReducerOptionsT options;
  options.keep_dims = folded.keep;
  std::vector<int32_t> places;
  std::vector<size_t> kept;  // ONNX dimensions
  Shape result;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (folded.axes[d]) places.push_back(static_cast<int32_t>(source.place(d)));
    if (folded.axes[d] && !folded.keep) continue;
    kept.push_back(d);
    result.push_back(folded.axes[d] ? 1 : shape[d]);
  }
  std::sort(places.begin(), places.end());
  Permutation order;
  for (const size_t dim : source.order) {
    const auto found = std::find(kept.begin(), kept.end(), dim);
    if (found != kept.end()) order.push_back(static_cast<size_t>(found - kept.begin()));
  }
  const TensorId list = builder.constant({std::ssize(places)}, places);
  return {builder.add(op, options, {source.id, list}, {type})[0], layout_of(result, order)};
}

// Of truths, as integers: the largest is "any", the smallest "all".
void reduce_boolean(Translator& t, std::string_view op, const Value& value, const Folded& folded) {
  const auto cast = [&](TensorId id, DType to) {
    return t.builder().add("CAST", tfl::CastOptionsT{}, {id}, {{to, {}, {}}})[0];
  };
  const Value numbers{cast(value.id, DType::i32), value.layout};
  Reduced result = reduced(t.builder(), op, numbers, folded, {DType::i32, {}, {}});
  t.give(0, {cast(result.id, DType::boolean), std::move(result.layout)});
}

void reduce_with(Translator& t, std::string_view op, const Folded& folded, bool keeps_scale) {
  if (folded.nothing) return t.give(0, t.in(0));
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  if (mode.type.dtype == DType::boolean) return reduce_boolean(t, op, value, folded);
  TensorType type = mode.type;
  if (mode.integer() && keeps_scale) type.quant = t.builder().tensor(value.id).type.quant;
  Reduced result = reduced(t.builder(), op, value, folded, type);
  if (mode.integer() && type.quant != mode.type.quant) {
    result.id = t.builder().add("QUANTIZE", {result.id}, {mode.type})[0];
  }
  t.give_mode(mode, result.id, std::move(result.layout));
}

void reduce_mean(Translator& t) { reduce_with(t, "MEAN", folded_axes(t), false); }
void reduce_sum(Translator& t) { reduce_with(t, "SUM", folded_axes(t), false); }
void reduce_max(Translator& t) { reduce_with(t, "REDUCE_MAX", folded_axes(t), true); }
void reduce_min(Translator& t) { reduce_with(t, "REDUCE_MIN", folded_axes(t), true); }
void reduce_product(Translator& t) { reduce_with(t, "REDUCE_PROD", folded_axes(t), false); }

// Sums of something element by element, and something of the sum.
void reduce_composed(Translator& t) {
  const Folded folded = folded_axes(t);
  FloatMath math(t.builder());
  const std::string& op = t.node().op;
  Value x = t.plain(0);
  if (op == "ReduceL1") x = math.unary("ABS", x);
  if (op == "ReduceL2" || op == "ReduceSumSquare") x = math.multiply(x, x);
  if (op == "ReduceLogSumExp") x = math.unary("EXP", x);
  const TensorType type{t.builder().tensor(x.id).type.dtype, {}, {}};
  if (!folded.nothing) {
    Reduced sum = reduced(t.builder(), "SUM", x, folded, type);
    x = {sum.id, std::move(sum.layout)};
  }
  if (op == "ReduceL2") x = math.unary("SQRT", x);
  if (op == "ReduceLogSum" || op == "ReduceLogSumExp") x = math.unary("LOG", x);
  t.give(0, x);
}

Folded spatial(const Translator& t) {
  const size_t rank = t.shape(0).size();
  require(rank >= 3, "has an input of rank {}; it needs a batch, channels and an image", rank);
  Folded folded{std::vector<bool>(rank, true), true, false};
  folded.axes[0] = folded.axes[1] = false;
  return folded;
}

void global_maximum(Translator& t) { reduce_with(t, "REDUCE_MAX", spatial(t), true); }

void arg(Translator& t) {
  const Value value = t.plain(0);
  const Shape shape = value.shape();
  const size_t axis = t.axis(t.node().integer("axis", 0), shape.size());
  const bool keep = t.node().integer("keepdims", 1) != 0;
  const bool last = t.node().integer("select_last_index", 0) != 0;
  Ordered source = t.builder().ordered(value);
  const bool maximum = t.node().op == "ArgMax";
  const TensorId place =
      t.builder().constant(Shape{}, std::vector<int32_t>{static_cast<int32_t>(source.place(axis))});
  const TensorType type{DType::i64, {}, {}};
  TensorId id = no_tensor;
  if (last) {  // of equal elements: the first from the end
    const TensorId places =
        t.builder().constant({1}, std::vector<int32_t>{static_cast<int32_t>(source.place(axis))});
    source.id = t.builder().add("REVERSE_V2", tfl::ReverseV2OptionsT{}, {source.id, places},
                                {t.builder().tensor(source.id).type})[0];
  }
  if (maximum) {
    tfl::ArgMaxOptionsT options;
    options.output_type = tfl::TensorType::INT64;
    id = t.builder().add("ARG_MAX", options, {source.id, place}, {type})[0];
  } else {
    tfl::ArgMinOptionsT options;
    options.output_type = tfl::TensorType::INT64;
    id = t.builder().add("ARG_MIN", options, {source.id, place}, {type})[0];
  }
  if (last) {
    const TensorId end = t.builder().constant_value({}, {shape[axis] - 1}).id;
    id = t.builder().add("SUB", tfl::SubOptionsT{}, {end, id}, {type})[0];
  }
  Shape with_one = shape;
  with_one[axis] = 1;
  Value result{id, layout_of(with_one, source.order)};  // an extent of 1 takes no place in memory
  if (!keep) {
    Shape without = shape;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(axis));
    result.layout = reshaped(result.layout, without).value();
  }
  t.give(0, result);
}

// Sorted values and their places, along one axis.
void top_k(Translator& t) {
  const Value value = t.plain(0);
  const Shape shape = value.shape();
  const size_t axis = t.axis(t.node().integer("axis", -1), shape.size());
  const bool smallest = t.node().integer("largest", 1) == 0;  // they are the largest of the negative numbers
  (void)t.node().integer("sorted", 1);  // sorted is one of the orders that are allowed without it
  Permutation order = t.builder().ordered(value).order;
  const auto place = std::find(order.begin(), order.end(), axis);
  std::rotate(place, place + 1, order.end());
  const std::vector<int64_t> count = t.integers(1, "k");
  require(count.size() == 1 && count[0] > 0 && count[0] <= shape[axis], "takes {} of {} elements",
          count.empty() ? 0 : count[0], shape[axis]);
  Builder& builder = t.builder();
  const auto negative = [&](TensorId id) {
    return smallest ? builder.add("NEG", {id}, {{builder.tensor(id).type.dtype, {}, {}}})[0] : id;
  };
  const TensorId in = negative(builder.stored(value, order));
  const TensorId k = builder.constant(Shape{}, std::vector<int32_t>{narrow<int32_t>(count[0])});
  const std::vector<TensorId> out = builder.add("TOPK_V2", tfl::TopKV2OptionsT{}, {in, k},
                                                {{builder.tensor(in).type.dtype, {}, {}}, {DType::i32, {}, {}}});
  Shape result = shape;
  result[axis] = count[0];
  t.give(0, {negative(out[0]), layout_of(result, order)});
  if (!t.wanted(1)) return;
  const TensorId places = builder.add("CAST", tfl::CastOptionsT{}, {out[1]}, {{DType::i64, {}, {}}})[0];
  t.give(1, {places, layout_of(result, order)});
}

void cumulative_sum(Translator& t) {
  const Value value = t.plain(0);
  const std::vector<int64_t> axis = t.integers(1, "axis");
  require(axis.size() == 1, "has {} axes, it takes one", axis.size());
  const Ordered source = t.builder().ordered(value);
  const size_t place = source.place(t.axis(axis[0], value.shape().size()));
  const TensorId at = t.builder().constant(Shape{}, std::vector<int32_t>{static_cast<int32_t>(place)});
  tfl::CumsumOptionsT options;
  options.exclusive = t.node().integer("exclusive", 0) != 0;
  options.reverse = t.node().integer("reverse", 0) != 0;
  const TensorType type{t.builder().tensor(source.id).type.dtype, {}, {}};
  t.give(0,
         {t.builder().add("CUMSUM", options, {source.id, at}, {type})[0], layout_of(value.shape(), source.order)});
}

constexpr Translation table[] = {
    {"ArgMax", arg},
    {"ArgMin", arg},
    {"CumSum", cumulative_sum},
    {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global_maximum},
    {"ReduceL1", reduce_composed},
    {"ReduceL2", reduce_composed},
    {"ReduceLogSum", reduce_composed},
    {"ReduceLogSumExp", reduce_composed},
    {"ReduceMax", reduce_max},
    {"ReduceMean", reduce_mean},
    {"ReduceMin", reduce_min},
    {"ReduceProd", reduce_product},
    {"ReduceSum", reduce_sum},
    {"ReduceSumSquare", reduce_composed},
    {"TopK", top_k},
};

}  // namespace

void global_average(Translator& t) { reduce_with(t, "MEAN", spatial(t), false); }

std::span<const Translation> reduce_translations() { return table; }

}  // namespace mote::onnx
