// SPDX-License-Identifier: Apache-2.0
// LSTM over a sequence: everything the compiler knows about it, except its kernels' packing (lstm.cpp).
#include "formats/tflite_view.hpp"
#include "ops/checks.hpp"
#include "ops/lstm.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

using namespace lstm;

constexpr int tanh_code = 4;  // schema: ActivationFunctionType

class UnidirectionalSequenceLstm final : public Operator {
 public:
  explicit UnidirectionalSequenceLstm(Options options) : options_(options) {}

  [[nodiscard]] std::string name() const override { return "unidirectional_sequence_lstm"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text = options_.time_major ? "time_major" : "batch_major";
    if (options_.cell_clip > 0.0F) text += fmt::format(" cell_clip={:g}", options_.cell_clip);
    if (options_.projection_clip > 0.0F) text += fmt::format(" proj_clip={:g}", options_.projection_clip);
    return text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = input_type(in, x);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    require(in.size() == all_inputs || in.size() == norm, "has {} inputs, it takes 20 or 24", in.size());
    const Sizes s = sizes(in, options_);
    check_constants(in, s, input.dtype);
    check_state(in, output_state, input.dtype, s.batches * s.outputs);
    check_state(in, cell_state, input.dtype == DType::i8 ? DType::i16 : DType::f32, s.batches * s.units);
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    output.shape.back() = s.outputs;
    if (input.dtype == DType::i8) check_integer(in, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& real) const override {
    return lstm::reference(in, options_, real);
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {
    const Sizes s = sizes(in, options_);
    const int64_t a_gate = s.units * (s.inputs + s.outputs);
    const int64_t projected = has(in, projection) ? s.units * s.outputs : 0;
    return {s.batches * s.steps * ((coupled(in) ? 3 : 4) * a_gate + projected)};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override { return lower_for({}, in, out); }
  [[nodiscard]] Call lower_for(const Core& core, Inputs in, const Types& out) const override {
    return lstm::lower(core, in, out, options_);
  }

 private:
  static void check_state(Inputs in, size_t index, DType dtype, int64_t count) {
    const TensorType& type = input_type(in, index);
    require(in[index]->state && type.dtype == dtype && elements(type.shape) == count,
            "has a state (input {}) of {} {}; a variable tensor of {} {} was expected", index,
            mote::name(type.dtype), to_text(type.shape), mote::name(dtype), count);
  }

  // A constant of this shape. Absent ones must be `optional`.
  static void check_constant(Inputs in, size_t index, DType dtype, const Shape& shape, bool optional) {
    if (optional && !has(in, index)) return;
    const TensorType& type = input_type(in, index);
    require(type.shape == shape && in[index]->constant(),
            "has input {} of shape {}; a constant of shape {} was expected", index, to_text(type.shape),
            to_text(shape));
    require(type.dtype == dtype, "has input {} of type {}, with its input's type {} was expected{}", index,
            mote::name(type.dtype), mote::name(dtype),
            type.dtype == DType::i8 ? "; convert the activations to int8 too" : "");
  }

  static void check_constants(Inputs in, const Sizes& s, DType dtype) {
    const DType bias_dtype = dtype == DType::i8 ? DType::i32 : dtype;
    for (size_t g = 0; g < gates; ++g) {
      const bool optional = g == 0 && coupled(in);
      check_constant(in, input_weights + g, dtype, {s.units, s.inputs}, optional);
      check_constant(in, recurrent_weights + g, dtype, {s.units, s.outputs}, optional);
      check_constant(in, bias + g, bias_dtype, {s.units}, optional);
      if (has(in, norm + 3)) check_constant(in, norm + g, dtype, {s.units}, optional);
    }
    for (size_t g = 0; g < 3 && has(in, peephole + 2); ++g) {
      check_constant(in, peephole + g, dtype, {s.units}, g == 0 && coupled(in));
    }
    check_constant(in, projection, dtype, {s.outputs, s.units}, true);
    check_constant(in, projection_bias, bias_dtype, {s.outputs}, true);
    require(has(in, projection) || s.outputs == s.units, "has {} units but a state of {} and no projection",
            s.units, s.outputs);
  }

  // What the arithmetic of TensorFlow Lite Micro covers.
  static void check_integer(Inputs in, const TensorType& output) {
    for (const auto& [index, what] :
         {std::pair{peephole + 2, "peepholes"}, {projection, "a projection"}, {norm + 3, "layer normalisation"}}) {
      require(!has(in, index), "has {}, which no int8 LSTM of TensorFlow Lite Micro has; use float32 for it",
              what);
    }
    require(!coupled(in),
            "has a coupled input gate, which no int8 LSTM of TensorFlow Lite Micro has; use float32");
    const TensorType& state = in[output_state]->type;
    require(tensor_scale(state, "state") == tensor_scale(output, "output") &&
                tensor_zero(state, "state") == tensor_zero(output, "output"),
            "has a state of another quantisation than its output; convert the model again");
  }

  Options options_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::UnidirectionalSequenceLSTMOptions>();
  const int activation = static_cast<int>(options.fused_activation_function());
  require(activation == tanh_code, "has activation {} in its cells, only tanh is supported; build it from others",
          tflite::schema::EnumNameActivationFunctionType(options.fused_activation_function()));
  require(!options.diagonal_recurrent_tensors(),
          "stores its recurrent weights as diagonals, which is not supported; export them as matrices");
  require(options.cell_clip() >= 0.0F && options.proj_clip() >= 0.0F, "has a negative clip ({}, {})",
          options.cell_clip(), options.proj_clip());
  Made made{std::make_shared<UnidirectionalSequenceLstm>(
                Options{options.cell_clip(), options.proj_clip(), options.time_major()}),
            {}};
  for (size_t i = 0; i < view.inputs.size(); ++i) made.inputs.push_back(i);
  return made;
}

// Adds the tensors of a sample one after the other.
class SampleMaker {
 public:
  SampleMaker(std::mt19937& random, DType dtype) : random_(random), dtype_(dtype), in(all_inputs) {}

  void constant(size_t index, Shape shape, float magnitude) {
    Tensor tensor{"weights", {dtype_, std::move(shape), {}}, {}};
    if (dtype_ == DType::f32) {
      std::vector<float> values(static_cast<size_t>(elements(tensor.type.shape)));
      for (float& value : values) value = random_real(random_, -magnitude, magnitude);
      tensor.data = to_bytes(values);
    } else {
      make_constant(tensor, random_);
      tensor.type.quant = {{magnitude / 128 * random_real(random_, 0.5F, 1.0F)}, {0}, -1};
    }
    in[index] = std::move(tensor);
  }

  // int32 with the scale of input and weights, for an integer LSTM.
  void bias(size_t index, int64_t count, const std::optional<Tensor>& weights, float input_scale) {
    if (dtype_ == DType::f32) return constant(index, {count}, 1.0F);
    const float scale = weights->type.quant.scale[0] * input_scale;
    std::vector<int32_t> values(static_cast<size_t>(count));
    for (int32_t& value : values) value = static_cast<int32_t>(random_real(random_, -1.0F, 1.0F) / scale);
    in[index] = Tensor{"bias", {DType::i32, {count}, {{scale}, {0}, -1}}, to_bytes(values)};
  }

  void state(size_t index, TensorType type) { in[index] = Tensor{"state", std::move(type), {}, true}; }

 private:
  std::mt19937& random_;
  DType dtype_;

 public:
  std::vector<std::optional<Tensor>> in;
};

void add_optional_parts(std::mt19937& random, SampleMaker& make, const Sizes& s) {
  const bool with_input_gate = make.in[input_weights].has_value();
  if (chance(random, 40)) {
    for (size_t g = with_input_gate ? 0 : 1; g < 3; ++g) make.constant(peephole + g, {s.units}, 0.3F);
  }
  if (chance(random, 40)) {
    for (size_t g = with_input_gate ? 0 : 1; g < gates; ++g) make.constant(norm + g, {s.units}, 1.0F);
  }
  if (s.outputs != s.units || chance(random, 20)) {
    make.constant(projection, {s.outputs, s.units}, 1.0F);
    if (chance(random, 50)) make.constant(projection_bias, {s.outputs}, 1.0F);
  }
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 60) ? DType::i8 : DType::f32;
  const bool real = dtype == DType::f32;
  Options options{chance(random, 50) ? random_real(random, 0.5F, 6.0F) : 0.0F, 0.0F, chance(random, 30)};
  if (real && chance(random, 50)) options.projection_clip = random_real(random, 0.2F, 1.0F);
  Sizes s;
  s.batches = random_integer(random, 1, 3), s.steps = random_integer(random, 1, 4);
  s.inputs = random_integer(random, 1, 12), s.units = random_integer(random, 1, 10);
  s.outputs = real && chance(random, 30) ? random_integer(random, 1, 10) : s.units;
  const auto quantised = [&](DType type, float scale, int64_t zero) {
    return real ? Quantization{}
                : Quantization{{scale}, {type == DType::i16 ? 0 : static_cast<int32_t>(zero)}, -1};
  };
  const Shape rows = options.time_major ? Shape{s.steps, s.batches} : Shape{s.batches, s.steps};
  const float input_scale = random_real(random, 0.005F, 0.02F);
  SampleMaker make(random, dtype);
  make.in[x] = variable(
      {dtype, {rows[0], rows[1], s.inputs}, quantised(dtype, input_scale, random_integer(random, -128, 127))});
  for (size_t g = real && chance(random, 30) ? 1 : 0; g < gates; ++g) {
    make.constant(input_weights + g, {s.units, s.inputs}, 0.4F);
    make.constant(recurrent_weights + g, {s.units, s.outputs}, 0.3F);
    make.bias(bias + g, s.units, make.in[input_weights + g], input_scale);
  }
  if (real) add_optional_parts(random, make, s);
  const TensorType output{
      dtype, {rows[0], rows[1], s.outputs}, quantised(dtype, 1.0F / 120, random_integer(random, -6, 6))};
  const DType cell = real ? DType::f32 : DType::i16;
  const auto cell_scale = static_cast<float>(std::exp2(static_cast<double>(random_integer(random, -15, -10))));
  make.state(output_state, {dtype, {s.batches, s.outputs}, output.quant});
  make.state(cell_state, {cell, {s.batches, s.units}, quantised(cell, cell_scale, 0)});
  if (real && !make.in[norm + 3]) make.in.resize(chance(random, 50) ? norm : all_inputs);
  return {std::make_shared<UnidirectionalSequenceLstm>(options), std::move(make.in), {output}, real ? 1e-4 : 2.5};
}

}  // namespace

extern const OpDef unidirectional_sequence_lstm{.name = "unidirectional_sequence_lstm",
                                                .tflite = {{"UNIDIRECTIONAL_SEQUENCE_LSTM", from_tflite}},
                                                .sample = sample};

}  // namespace mote::op
