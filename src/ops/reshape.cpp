// SPDX-License-Identifier: Apache-2.0
// Reshape, squeeze, expand: everything the compiler knows about them. The bytes stay where they are.
#include "ops/reshape.hpp"

#include <numeric>

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

class Reshape final : public Operator {
 public:
  explicit Reshape(Shape shape) : shape_(std::move(shape)) {}

  [[nodiscard]] std::string name() const override { return "reshape"; }
  [[nodiscard]] std::string parameters() const override { return "shape=" + to_text(shape_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(elements(input.shape) == elements(shape_),
            "cannot give {} the shape {}: the numbers of elements differ", to_text(input.shape), to_text(shape_));
    TensorType output = declared_type(declared, input.dtype);
    output.shape = shape_;
    if (!input.quant.empty() && input.quant.axis < 0) require_same_quantization(input, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override { return x; }
  [[nodiscard]] Alias alias() const override { return Alias::view; }
  [[nodiscard]] Call lower(Inputs, const Types&) const override { return {}; }

  void to_tflite(tflite::NodeWriter& file, Inputs, const Types&) const override {
    tflite::schema::ReshapeOptionsT options;
    for (const int64_t extent : shape_) options.new_shape.push_back(narrow<int32_t>(extent));
    file.add(tflite::schema::BuiltinOperator::RESHAPE, 1, {file.input(0), file.integers("shape", shape_)},
             file.outputs(), options);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm::shared();
  }

 private:
  Shape shape_;
};

}  // namespace

OperatorPtr make_reshape(Shape shape) { return std::make_shared<Reshape>(std::move(shape)); }

namespace {

// A new shape may leave one extent open as -1.
Shape complete(Shape shape, int64_t count) {
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open == shape.end()) return shape;
  *open = 1;
  const int64_t others = elements(shape);
  require(others > 0 && count % others == 0, "cannot complete the shape {} (the open extent as 1) to {} elements",
          to_text(shape), count);
  *open = count / others;
  return shape;
}

Made make(Shape shape) { return {make_reshape(std::move(shape)), {0}}; }

Made reshape_from_tflite(const tflite::OpView& view) {
  const int64_t count = elements(file_shape(view));
  if (view.inputs.size() > 1 && view.inputs[1] != nullptr)
    return make(complete(view.integers(1, "new shape"), count));
  const auto* const shape = view.required_options<tflite::schema::ReshapeOptions>().new_shape();
  require(shape != nullptr, "states no new shape; the file is incomplete, convert the model again");
  return make(complete(Shape(shape->begin(), shape->end()), count));
}

Made squeeze_from_tflite(const tflite::OpView& view) {
  const Shape& shape = file_shape(view);
  const auto* const options = view.options<tflite::schema::SqueezeOptions>();
  std::vector<bool> drop(shape.size(), false);
  if (options == nullptr || options->squeeze_dims() == nullptr || options->squeeze_dims()->size() == 0) {
    for (size_t i = 0; i < shape.size(); ++i) drop[i] = shape[i] == 1;
  } else {
    for (const int32_t index : *options->squeeze_dims()) {
      const size_t i = dimension(index, shape.size());
      require(shape[i] == 1, "squeezes dimension {} of {}, which is not 1", index, to_text(shape));
      drop[i] = true;
    }
  }
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) result.push_back(shape[i]);
  }
  return make(result);
}

Made expand_from_tflite(const tflite::OpView& view) {
  Shape shape = file_shape(view);
  const size_t place = dimension(one_integer(view, 1, "axis"), shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(place), 1);
  return make(shape);
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const TensorType from = random_type(random, dtype, random_shape(random, 1, 5, 4));
  TensorType to = from;
  std::shuffle(to.shape.begin(), to.shape.end(), random);
  if (chance(random, 50)) to.shape = {elements(from.shape), 1};
  return {std::make_shared<Reshape>(to.shape), {variable(from)}, {to}, 0.0};
}

}  // namespace

extern const OpDef reshape{.name = "reshape",
                           .tflite = {{"RESHAPE", reshape_from_tflite},
                                      {"SQUEEZE", squeeze_from_tflite},
                                      {"EXPAND_DIMS", expand_from_tflite}},
                           .sample = sample};

}  // namespace mote::op
