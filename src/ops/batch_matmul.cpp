// SPDX-License-Identifier: Apache-2.0
// Batched matrix multiplication: everything the compiler knows about it.
#include "ops/batch_matmul.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ops/broadcast.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {

void quantise_product(nn::BatchMatmul& params, const TensorType& lhs, const TensorType& rhs, const TensorType& out,
                      Activation activation) {
  // The reference rounds the product of the scales to float.
  const float scale = tensor_scale(lhs, "first input") * tensor_scale(rhs, "second input");
  const FixedMultiplier fixed =
      quantize_multiplier(static_cast<double>(scale) / static_cast<double>(tensor_scale(out, "output")));
  const IntegerRange range = activation_range(activation, out);
  params.lhs_zero = tensor_zero(lhs, "first input");
  params.rhs_zero = tensor_zero(rhs, "second input");
  params.multiplier = fixed.multiplier;
  params.shift = fixed.shift;
  params.out_zero = tensor_zero(out, "output");
  params.low = range.low;
  params.high = range.high;
}

namespace op {

namespace {

// All but the last two dimensions.
Shape batches_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

class BatchMatmul final : public Operator {
 public:
  // Which operands are stored with rows and columns exchanged.
  BatchMatmul(bool transpose_lhs, bool transpose_rhs)
      : transpose_lhs_(transpose_lhs), transpose_rhs_(transpose_rhs) {}

  [[nodiscard]] std::string name() const override { return "batch_matmul"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text = transpose_lhs_ ? "transpose_lhs" : "";
    if (transpose_rhs_) text += text.empty() ? "transpose_rhs" : " transpose_rhs";
    return text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const TensorType& lhs = input_type(in, 0);
    const TensorType& rhs = input_type(in, 1);
    require_dtype(lhs, {DType::i8, DType::i16, DType::f32}, "input");
    require(lhs.dtype == rhs.dtype, "multiplies {} by {}; both must have one type", mote::name(lhs.dtype),
            mote::name(rhs.dtype));
    require(lhs.shape.size() >= 2 && rhs.shape.size() >= 2, "multiplies {} by {}; both need two dimensions",
            to_text(lhs.shape), to_text(rhs.shape));
    const auto [rows, depth] = matrix(lhs.shape, transpose_lhs_);
    const auto [rhs_depth, columns] = matrix(rhs.shape, transpose_rhs_);
    require(depth == rhs_depth, "multiplies {} by {}: the sums run over {} and {} elements", to_text(lhs.shape),
            to_text(rhs.shape), depth, rhs_depth);
    TensorType output = declared_type(declared, lhs.dtype);
    output.shape = broadcast_shape(batches_of(lhs.shape), batches_of(rhs.shape));
    output.shape.insert(output.shape.end(), {rows, columns});
    if (lhs.dtype != DType::f32) check_quantization(lhs, rhs, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override;
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override;

  [[nodiscard]] Work work(Inputs in, const Types& out) const override {
    return {elements(out[0].shape) * matrix(in[0]->type.shape, transpose_lhs_)[1]};
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    tflite::schema::BatchMatMulOptionsT options;
    options.adj_x = transpose_lhs_;
    options.adj_y = transpose_rhs_;
    file.add(tflite::schema::BuiltinOperator::BATCH_MATMUL, tflite::usual_version(in[0]->type.dtype), options);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm{};
  }
  [[nodiscard]] Call lower(Inputs in, const Types& out) const override;

 private:
  // Rows and columns as the product sees them.
  static std::array<int64_t, 2> matrix(const Shape& shape, bool transposed) {
    const int64_t first = shape[shape.size() - 2];
    return transposed ? std::array{shape.back(), first} : std::array{first, shape.back()};
  }

  static void check_quantization(const TensorType& lhs, const TensorType& rhs, const TensorType& out) {
    nn::BatchMatmul params{};
    quantise_product(params, lhs, rhs, out, Activation::none);
    if (lhs.dtype != DType::i16) return;
    require(params.lhs_zero == 0 && params.rhs_zero == 0 && params.out_zero == 0,
            "has zero points {}, {} and {}; of i16 they must be 0", params.lhs_zero, params.rhs_zero,
            params.out_zero);
    require(params.shift < 8, "multiplies its sums by more than 2^7; check the scales");
  }

  bool transpose_lhs_, transpose_rhs_;
};

Reals BatchMatmul::reference(Inputs in, const Types& out, const Reals& x) const {
  const Shape& a = in[0]->type.shape;
  const Shape& b = in[1]->type.shape;
  const Shape batches = batches_of(out[0].shape);
  const auto [rows, depth] = matrix(a, transpose_lhs_);
  const int64_t columns = out[0].shape.back();
  std::vector<double> result;
  for (int64_t batch = 0; batch < elements(batches); ++batch) {
    const double* lhs =
        x[0].data() + static_cast<int64_t>(broadcast_index(batch, batches, batches_of(a))) * rows * depth;
    const double* rhs =
        x[1].data() + static_cast<int64_t>(broadcast_index(batch, batches, batches_of(b))) * depth * columns;
    for (int64_t i = 0; i < rows * columns; ++i) {
      const int64_t row = i / columns;
      const int64_t column = i % columns;
      double sum = 0.0;
      for (int64_t k = 0; k < depth; ++k) {
        sum += lhs[transpose_lhs_ ? k * rows + row : row * depth + k] *
               rhs[transpose_rhs_ ? column * depth + k : k * columns + column];
      }
      result.push_back(sum);
    }
  }
  return {result};
}

Region BatchMatmul::needs(size_t input, const Region& region, Inputs in, const Types&) const {
  const Shape& shape = in[input]->type.shape;
  Region needed = whole(shape);
  const size_t missing = static_cast<size_t>(region.rank) - shape.size();
  for (size_t d = 0; d + 2 < shape.size(); ++d) {
    if (shape[d] != 1) needed.dims[d] = region.dims[d + missing];
  }
  const auto rank = static_cast<size_t>(region.rank);
  if (input == 0) {
    needed.dims[shape.size() - (transpose_lhs_ ? 1 : 2)] = region.dims[rank - 2];
  } else {
    needed.dims[shape.size() - (transpose_rhs_ ? 2 : 1)] = region.dims[rank - 1];
  }
  return needed;
}

Call BatchMatmul::lower(Inputs in, const Types& out) const {
  const Shape& a = in[0]->type.shape;
  const Shape& b = in[1]->type.shape;
  const auto [rows, depth] = matrix(a, transpose_lhs_);
  const int64_t columns = out[0].shape.back();
  BroadcastTable table = broadcast_table(batches_of(out[0].shape), {batches_of(a), batches_of(b)});
  nn::BatchMatmul p{};
  p.dimensions = table.dimensions;
  p.rows = narrow<int32_t>(rows), p.depth = narrow<int32_t>(depth), p.columns = narrow<int32_t>(columns);
  p.lhs_row = transpose_lhs_ ? 1 : p.depth, p.lhs_step = transpose_lhs_ ? p.rows : 1;
  p.rhs_column = transpose_rhs_ ? p.depth : 1, p.rhs_step = transpose_rhs_ ? 1 : p.columns;
  const DType dtype = out[0].dtype;
  if (dtype != DType::f32) quantise_product(p, in[0]->type, in[1]->type, out[0], Activation::none);
  std::vector<Constant> constants{table.table};
  std::vector<Argument> arguments{data_argument(in, 0, constants), data_argument(in, 1, constants)};
  if (dtype == DType::i8) {
    constants.push_back({"bias", DType::i32, {}, true});
    arguments.push_back(constant(constants.size() - 1));
  }
  arguments.insert(arguments.end(), {constant(0), output(0)});
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/batch_matmul.hpp", "BatchMatmul", p, arguments);
  };
  Call call = dtype == DType::f32   ? make(nn::batch_matmul_f32, "batch_matmul_f32")
              : dtype == DType::i16 ? make(nn::batch_matmul_s16, "batch_matmul_s16")
                                    : make(nn::batch_matmul_s8, "batch_matmul_s8");
  call.constants = std::move(constants);
  call.order = {.dims = static_cast<int>(out[0].shape.size()) - 1, .block = 1, .reads_first = false};
  return call;
}

OperatorPtr make(bool transpose_lhs, bool transpose_rhs) {
  return std::make_shared<BatchMatmul>(transpose_lhs, transpose_rhs);
}

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::BatchMatMulOptions>();
  return {make(options.adj_x(), options.adj_y()), {0, 1}};
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::i16, DType::f32};
  const DType dtype = dtypes[random_integer(random, 0, 3)];
  const Shape batches = random_shape(random, 1, 3, 3);
  const int64_t rows = random_integer(random, 1, 5);
  const int64_t depth = random_integer(random, 1, 7);
  const int64_t columns = random_integer(random, 1, 5);
  const bool transposed[] = {chance(random, 30), chance(random, 30)};
  Sample sample{make(transposed[0], transposed[1]),
                {},
                {},
                dtype == DType::f32  ? 1e-5
                : dtype == DType::i8 ? 0.76
                                     : 1.6};
  const bool flat = chance(random, 20);
  for (const bool left : {true, false}) {
    Shape shape = flat ? Shape{} : batches;
    if (chance(random, 30)) shape.erase(shape.begin(), shape.begin() + (shape.empty() ? 0 : 1));
    for (int64_t& extent : shape) extent = chance(random, 20) ? 1 : extent;
    const int64_t first = left ? rows : depth;
    const int64_t second = left ? depth : columns;
    const bool exchanged = transposed[left ? 0 : 1];
    shape.insert(shape.end(), {exchanged ? second : first, exchanged ? first : second});
    sample.in.emplace_back(variable(random_type(random, dtype, shape)));
    if (!left && chance(random, 30)) make_constant(*sample.in.back(), random);
  }
  TensorType out = random_type(random, dtype, {});
  if (dtype != DType::f32) {
    const double unit = dtype == DType::i8 ? 74.0 * 74.0 / 60.0 : 19000.0 * 19000.0 / 10000.0;
    const double product = static_cast<double>(sample.in[0]->type.quant.scale[0]) *
                           static_cast<double>(sample.in[1]->type.quant.scale[0]);
    out.quant.scale = {static_cast<float>(product * unit * std::sqrt(static_cast<double>(depth)))};
  }
  const Tensor* const in[] = {&*sample.in[0], &*sample.in[1]};
  sample.out = sample.op->infer(in, {out});
  return sample;
}

}  // namespace

extern const OpDef batch_matmul{
    .name = "batch_matmul", .tflite = {{"BATCH_MATMUL", from_tflite}}, .sample = sample};

}  // namespace op
}  // namespace mote
