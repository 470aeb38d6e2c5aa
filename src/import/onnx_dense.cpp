// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul of ONNX. A flattened image stays as it is stored: the weights' rows are put into that order.
#include <algorithm>

#include "import/onnx_float.hpp"
#include "import/onnx_weights.hpp"
#include "ops/convolution.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// A matrix operand whose last dimension is stored innermost, its factors in the order `inner`.
struct Rows {
  TensorId id = no_tensor;
  Shape shape;        // ONNX's
  Shape factors;      // of the last dimension, in ONNX's order
  Permutation inner;  // places of `factors` as they are stored
};

Rows rows_of(Translator& t, const Value& value) {
  Rows rows;
  rows.shape = value.shape();
  const Layout& layout = value.layout;
  rows.factors = layout.dims.back();
  const size_t outer = layout.order.size() - rows.factors.size();
  bool in_order = true;
  for (size_t i = 0; i < outer; ++i) in_order = in_order && layout.order[i] == i;
  if (!in_order) {
    rows.id = t.builder().stored(value, identity(rows.shape.size()));
    rows.factors = {rows.shape.back()};
    rows.inner = {0};
    return rows;
  }
  rows.id = value.id;
  for (size_t i = outer; i < layout.order.size(); ++i) rows.inner.push_back(layout.order[i] - outer);
  return rows;
}

// [outputs][depth], the depth in the order in which the rows are stored.
TensorId ordered_weights(Translator& t, const Value& weights, bool by_output, const Rows& rows) {
  TensorId id = t.builder().stored(weights, by_output ? Permutation{0, 1} : Permutation{1, 0});
  if (rows.inner == identity(rows.inner.size())) return id;
  const Shape shape = t.builder().tensor(id).type.shape;
  Shape split{shape[0]};
  split.insert(split.end(), rows.factors.begin(), rows.factors.end());
  Permutation order{0};
  for (const size_t place : rows.inner) order.push_back(place + 1);
  return t.builder().permuted_constant(id, split, order, shape);
}

// x times constant weights, plus their bias. `by_output`: the weights are [outputs][depth].
Value product(Translator& t, const Value& x, const Weights& weights, bool by_output, const Mode& mode) {
  const Rows rows = rows_of(t, x);
  const Shape kernel = weights.weights().shape();
  const int64_t depth = kernel[by_output ? 1 : 0], outputs = kernel[by_output ? 0 : 1];
  require(rows.shape.back() == depth, "multiplies {} by {}", to_text(rows.shape), to_text(kernel));
  tfl::FullyConnectedOptionsT options;
  options.fused_activation_function = mode.activation;
  options.keep_num_dims = rows.shape.size() != 2;
  std::vector<TensorId> in{rows.id, ordered_weights(t, weights.weights(), by_output, rows)};
  if (options.keep_num_dims) in[0] = t.builder().with_shape(in[0], rows.shape);
  if (const auto bias = weights.bias(in[0])) in.push_back(*bias);
  Shape result = rows.shape;
  result.back() = outputs;
  return {t.builder().add("FULLY_CONNECTED", options, in, {mode.type})[0],
          layout_of(result, identity(result.size()))};
}

void dense(Translator& t, Value x, Weights& weights, bool by_output) {
  const Mode mode = weights.mode(x);
  const Value result = product(t, x, weights, by_output, mode);
  t.give_mode(mode, result.id, result.layout);
}

// Both operands computed at run time.
void batch_mat_mul(Translator& t, Value a, Value b) {
  const Mode mode = t.mode({&a, &b}, false);
  const Shape left = a.shape(), right = b.shape();
  const size_t rank = std::max(left.size(), right.size());
  require(left.size() >= 2 && right.size() >= 2, "multiplies {} by {}; both need two dimensions at least",
          to_text(left), to_text(right));
  const std::vector<TensorId> in{t.builder().stored(a, identity(left.size())),
                                 t.builder().stored(b, identity(right.size()))};
  const TensorId id = t.builder().add("BATCH_MATMUL", tfl::BatchMatMulOptionsT{}, in, {mode.type})[0];
  const Shape shape = t.builder().tensor(id).type.shape;
  require(shape.size() == rank, "multiplies {} by {}, which is not supported", to_text(left), to_text(right));
  t.give_mode(mode, id, layout_of(shape, identity(rank)));
}

void mat_mul(Translator& t) {
  require(t.count() == 2, "has {} inputs, it takes 2", t.count());
  const Value a = t.in(0), b = t.in(1);
  const bool flat = b.shape().size() == 2 && a.shape().size() >= 2;
  if (!flat || !t.constant(1) || t.constant(0)) return batch_mat_mul(t, a, b);
  Weights weights(t, 1, 2, 1);
  if (const auto bias = take_bias(t, b.shape()[1], 0)) weights.add_bias(*bias);
  dense(t, a, weights, false);
}

// Real activations that are quantised on the device, all with one scale, times i8 weights.
void dynamic_mat_mul(Translator& t) {
  Builder& builder = t.builder();
  Value x = t.plain(0);
  const Rows rows = rows_of(t, x);
  const Shape kernel = t.shape(1);
  require(kernel.size() == 2 && rows.shape.size() >= 2 && rows.shape.back() == kernel[0], "multiplies {} by {}",
          to_text(rows.shape), to_text(kernel));
  TensorId filter = ordered_weights(t, scaled_weights(t, 1), false, rows);
  for (int i = 0; i < 2; ++i) filter = builder.with_unit_dimension(filter, 1);
  const Shape image{1, 1, elements(rows.shape) / kernel[0], kernel[0]};
  std::vector<TensorId> in{builder.with_shape(rows.id, image), filter};
  auto bias = t.has(4) ? std::optional(t.reals(4, "bias")) : take_bias(t, kernel[1], 0);
  if (bias) in.push_back(builder.constant({kernel[1]}, *bias));
  SlidingWindow window;
  window.activation = activation_from_tflite(static_cast<int>(t.mode({&x}, true).activation));
  const TensorId id = builder.add(make_conv2d(window, true), in, {{DType::f32, {}, {}}})[0];
  Shape result = rows.shape;
  result.back() = kernel[1];
  t.give(0, {builder.with_shape(id, result), layout_of(result, identity(result.size()))});
}

// Absent when C is not one number a column: then it is added afterwards.
bool is_bias(Translator& t, int64_t outputs) {
  if (!t.has(2)) return true;
  const Shape shape = t.shape(2);
  const bool column = shape.empty() || (shape.back() == outputs || shape.back() == 1);
  return t.constant(2) && column && (elements(shape) == outputs || elements(shape) == 1) &&
         (shape.empty() || elements(shape) == shape.back());
}

void gemm(Translator& t) {
  const auto alpha = static_cast<double>(t.node().real("alpha", 1.0F)),
             beta = static_cast<double>(t.node().real("beta", 1.0F));
  const bool by_output = t.node().integer("transB", 0) != 0;
  Value a = t.in(0);
  require(a.shape().size() == 2 && t.shape(1).size() == 2, "multiplies {} by {}; both need two dimensions",
          to_text(a.shape()), to_text(t.shape(1)));
  if (t.node().integer("transA", 0) != 0) a.layout = transposed(a.layout, {1, 0});
  const int64_t outputs = t.shape(1)[by_output ? 0 : 1];
  const bool bias = is_bias(t, outputs);
  const bool one_number = bias && t.has(2) && elements(t.shape(2)) == 1 && outputs != 1;
  Weights weights(t, 1, bias && !one_number ? 2 : 99, by_output ? 0 : 1);
  if (one_number) weights.add_bias(t.reals(2, "bias"));
  weights.scale(alpha, beta);
  if (bias) return dense(t, a, weights, by_output);
  a = t.builder().dequantised(a);
  const Mode mode = weights.plain_mode();
  const Value sum = product(t, a, weights, by_output, mode);
  FloatMath math(t.builder());
  const Value c = t.plain(2);
  t.give(0, math.add(sum, beta == 1.0 ? c : math.multiply(c, static_cast<float>(beta))));
}

constexpr Translation table[] = {{"Gemm", gemm}, {"MatMul", mat_mul}, {"MatMulInteger", dynamic_mat_mul}};

}  // namespace

std::span<const Translation> dense_translations() { return table; }

}  // namespace mote::onnx
