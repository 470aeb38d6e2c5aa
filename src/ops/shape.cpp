// SPDX-License-Identifier: Apache-2.0
// Values that are known without running the model (shapes, ranks, ranges, zeros): everything the compiler knows
// about them. The importer evaluates such nodes.
#include <cmath>

#include "nn/move.hpp"
#include "ops/axes.hpp"
#include "ops/broadcast.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// A tensor of given contents.
class Known final : public Operator {
 public:
  Known(std::string name, DType dtype, Shape shape, Bytes data)
      : name_(std::move(name)), dtype_(dtype), shape_(std::move(shape)), data_(std::move(data)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.empty(), "has {} inputs, it takes none", in.size());
    TensorType output = declared_type(declared, dtype_);
    require_movable(output);
    output.shape = shape_;
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals&) const override {
    if (dtype_ == DType::f32) return {widened<float>()};
    return {dtype_ == DType::i64 ? widened<int64_t>() : widened<int32_t>()};
  }

  [[nodiscard]] Call lower(Inputs, const Types& out) const override {
    const nn::Move params{0, 0, 1, 0, narrow<int32_t>(elements(shape_)), 1};
    const auto call_of = [&](auto kernel, const char* suffix) {
      return make_call(kernel, std::string("move") + suffix, "nn/move.hpp", "Move", params,
                       {constant(0), constant(1), output(0)});
    };
    Call call =
        call_for_storage(dtype_, call_of, nn::move_s8, nn::move_s16, nn::move_s32, nn::move_s64, nn::move_f32);
    call.constants = {{"data", dtype_, data_, true}, {"strides", DType::i32, {}, false}};
    call.order = element_by_element(out[0]);
    return call;
  }

 private:
  template <class T>
  [[nodiscard]] std::vector<double> widened() const {
    const std::vector<T> values = to_values<T>(data_);
    return {values.begin(), values.end()};
  }

  std::string name_;
  DType dtype_;
  Shape shape_;
  Bytes data_;
};

const TensorType& output_type(const tflite::OpView& view) {
  require(view.outputs.size() == 1, "has {} outputs, it gives 1", view.outputs.size());
  return view.outputs[0]->type;
}

Bytes integers(const std::vector<int64_t>& values, DType dtype) {
  if (dtype == DType::i64) return to_bytes(values);
  require(dtype == DType::i32, "gives {}, which is not supported; convert the model with i32 or i64", name(dtype));
  std::vector<int32_t> narrowed;
  for (const int64_t value : values) narrowed.push_back(narrow<int32_t>(value));
  return to_bytes(narrowed);
}

Made made(std::string name, DType dtype, Shape shape, Bytes data) {
  return {std::make_shared<Known>(std::move(name), dtype, std::move(shape), std::move(data)), {}};
}

Made vector_of(std::string name, const std::vector<int64_t>& values, DType dtype) {
  return made(std::move(name), dtype, {std::ssize(values)}, integers(values, dtype));
}

Made shape_from_tflite(const tflite::OpView& view) {
  return vector_of("shape", file_shape(view), output_type(view).dtype);
}

Made rank_from_tflite(const tflite::OpView& view) {
  return made("rank", DType::i32, {}, integers({std::ssize(file_shape(view))}, DType::i32));
}

Made zeros_like_from_tflite(const tflite::OpView& view) {
  const TensorType& type = file_input(view).type;
  return made("zeros_like", type.dtype, type.shape, Bytes(static_cast<size_t>(byte_size(type)), std::byte{0}));
}

Made broadcast_args_from_tflite(const tflite::OpView& view) {
  const Shape shape = broadcast_shape(view.integers(0, "first shape"), view.integers(1, "second shape"));
  return vector_of("broadcast_args", shape, file_input(view).type.dtype);
}

// start, start + delta, ... before limit. The reference multiplies nothing: it adds delta each time.
template <class T>
std::vector<T> range(const tflite::OpView& view) {
  T bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& tensor = file_input(view, i);
    require(tensor.constant() && elements(tensor.type.shape) == 1,
            "has a start, limit or delta that is not one constant; export it as one");
    bounds[i] = to_values<T>(tensor.data)[0];
  }
  const auto [start, limit, delta] = bounds;
  require(delta != 0 && (delta > 0 ? limit >= start : limit <= start), "goes from {} to {} in steps of {}", start,
          limit, delta);
  const double steps =
      std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
  require(steps <= 1e7, "has {} elements; no microcontroller holds as many", steps);
  std::vector<T> values;
  T value = start;
  for (double i = 0; i < steps; ++i, value = static_cast<T>(value + delta)) values.push_back(value);
  return values;
}

Made range_from_tflite(const tflite::OpView& view) {
  const auto result = [](DType dtype, const auto& values) {
    return made("range", dtype, {std::ssize(values)}, to_bytes(values));
  };
  const DType dtype = file_input(view).type.dtype;
  for (size_t i = 0; i < 3; ++i) {
    require(file_input(view, i).type.dtype == dtype, "has bounds of different types; export them as one");
  }
  if (dtype == DType::f32) return result(dtype, range<float>(view));
  if (dtype == DType::i64) return result(dtype, range<int64_t>(view));
  require(dtype == DType::i32, "counts in {}; convert the model with i32, i64 or f32", name(dtype));
  return result(dtype, range<int32_t>(view));
}

Sample sample(std::mt19937& random) {
  std::vector<int64_t> values;
  for (int64_t i = random_integer(random, 1, 6); i > 0; --i) values.push_back(random_integer(random, 0, 1000));
  const DType dtype = chance(random, 50) ? DType::i32 : DType::i64;
  return {vector_of("shape", values, dtype).op, {}, {{dtype, {std::ssize(values)}, {}}}, 0.0};
}

}  // namespace

extern const OpDef shape{.name = "shape",
                         .tflite = {{"SHAPE", shape_from_tflite},
                                    {"RANK", rank_from_tflite},
                                    {"ZEROS_LIKE", zeros_like_from_tflite},
                                    {"BROADCAST_ARGS", broadcast_args_from_tflite},
                                    {"RANGE", range_from_tflite}},
                         .sample = sample};

}  // namespace mote::op
