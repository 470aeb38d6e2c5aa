// SPDX-License-Identifier: Apache-2.0
// The largest elements of each row: everything the compiler knows about them.
#include "nn/top_k.hpp"

#include <numeric>

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Outputs: values, indices.
class TopK final : public Operator {
 public:
  explicit TopK(int64_t k) : k_(k) {}

  [[nodiscard]] std::string name() const override { return "top_k"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("k={}", k_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::u8, DType::i16, DType::i32, DType::i64, DType::f32}, "input");
    require(declared.size() == 2, "has {} outputs, it gives 2", declared.size());
    require(!input.shape.empty() && k_ > 0 && k_ <= input.shape.back(), "takes the largest {} of rows of {}", k_,
            to_text(input.shape));
    Shape shape = input.shape;
    shape.back() = k_;
    TensorType indices = declared_type({declared[1]}, DType::i32);
    indices.shape = shape;
    return {moved_type(input, {declared[0]}, shape), indices};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const auto extent = static_cast<size_t>(in[0]->type.shape.back());
    Reals result(2);
    for (size_t row = 0; row < x[0].size(); row += extent) {
      std::vector<size_t> order(extent);
      std::iota(order.begin(), order.end(), size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return x[0][row + a] > x[0][row + b]; });
      for (size_t i = 0; i < static_cast<size_t>(k_); ++i) {
        result[0].push_back(x[0][row + order[i]]);
        result[1].push_back(static_cast<double>(order[i]));
      }
    }
    return result;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::TOPK_V2, tflite::usual_version(in[0]->type.dtype),
             {file.input(0), file.integer("k", k_)}, file.outputs(), tflite::schema::TopKV2OptionsT{});
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    switch (in[0]->type.dtype) {
      case DType::u8: return call_of<uint8_t>(in);
      case DType::i16: return call_of<int16_t>(in);
      case DType::i32: return call_of<int32_t>(in);
      case DType::i64: return call_of<int64_t>(in);
      case DType::f32: return call_of<float>(in);
      default: return call_of<int8_t>(in);  // infer() lets nothing else through
    }
  }

 private:
  template <class T>
  [[nodiscard]] Call call_of(Inputs in) const {
    const Rows rows = rows_of(in[0]->type.shape);
    const nn::TopK params{rows.count, rows.depth, narrow<int32_t>(k_)};
    return make_call(nn::top_k<T>, fmt::format("top_k<{}>", detail::element_type<T>()), "nn/top_k.hpp", "TopK",
                     params, {input(0), output(0), output(1)});
  }

  int64_t k_;
};

Made from_tflite(const tflite::OpView& view) { return {std::make_shared<TopK>(one_integer(view, 1, "k")), {0}}; }

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::u8, DType::i16, DType::f32};
  const TensorType in = random_type(random, dtypes[random_integer(random, 0, 3)], random_shape(random, 1, 3, 7));
  const int64_t k = random_integer(random, 1, in.shape.back());
  TensorType values = in;
  values.shape.back() = k;
  const double tolerance = in.dtype == DType::f32 ? 0.0 : 1e-9;
  return {std::make_shared<TopK>(k), {variable(in)}, {values, {DType::i32, values.shape, {}}}, tolerance};
}

}  // namespace

extern const OpDef top_k{.name = "top_k", .tflite = {{"TOPK_V2", from_tflite}}, .sample = sample};

}  // namespace mote::op
