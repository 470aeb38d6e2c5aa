// SPDX-License-Identifier: Apache-2.0
// Functions of one tensor, element by element: activations, roots, exponentials, rounding.
#include "nn/unary.hpp"

#include <cmath>

#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "ops/axes.hpp"
#include "ops/byte_functions.hpp"
#include "ops/elementwise.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/sigmoid_table.hpp"
#include "ops/unary.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/unary.hpp";

struct UnaryUse {
  Inputs in;
  const TensorType& out;
  float slope;  // of LEAKY_RELU

  [[nodiscard]] const TensorType& x() const { return in[0]->type; }
};

struct UnaryKind {
  std::string_view name;
  std::vector<DType> dtypes;
  double (*real)(double x, double slope);
  Call (*call)(const UnaryUse& use);  // checks the quantisation, too; constants of its own come first
  bool positive = false;              // only defined there
  Activation clamp = Activation::none;
};

// Appends the input to the call's constants when it is one.
Call with_input(Call call, Inputs in) {
  if (!in[0]->constant()) return call;
  for (Argument& argument : call.arguments) {
    if (argument.kind != Argument::Kind::input) continue;
    argument.kind = Argument::Kind::constant;
    argument.index = call.constants.size();
  }
  call.constants.push_back({"data", in[0]->type.dtype, in[0]->data, true});
  return call;
}

template <class... T, class F>
Call map_call(F value, const char* type, const UnaryUse& use) {
  return for_dtype<T...>(use.x().dtype, [&]<class Number>(Number) {
    return map_1_call<Number, Number>(Function<F>{value, type, header}, input(0), elements(use.out.shape));
  });
}

Call table_call(const UnaryUse& use, const std::function<int32_t(int32_t)>& function) {
  Call call = make_call(nn::lookup_s8, "lookup_s8", header, "Count",
                        nn::Count{narrow<int32_t>(elements(use.out.shape))}, {input(0), constant(0), output(0)});
  call.constants = {{"table", DType::i8, byte_table(function), false}};
  return call;
}

// A table by the float function where the type is i8.
template <class F>
Call float_call(F value, const char* type, float (*function)(float), const UnaryUse& use) {
  if (use.x().dtype != DType::i8) return map_call<float>(value, type, use);
  return table_call(use, [&](int32_t x) { return by_float(function, x, use.x(), use.out); });
}

void require_output(const TensorType& out, float scale, int32_t zero) {
  require(
      tensor_scale(out, "output") == scale && tensor_zero(out, "output") == zero,
      "has an output with scale {} and zero point {}; the {} function gives {} and {}, convert the model again",
      tensor_scale(out, "output"), tensor_zero(out, "output"), mote::name(out.dtype), scale, zero);
}

// Of 16 bits: `kernel` interpolates in the logistic function; `pot_shifts`: how many powers of two from 2^-12 down
// the reference treats without a multiplier.
Call interpolate_call(void (*kernel)(const nn::Interpolate16&, const int16_t*, const uint16_t*, int16_t*),
                      const char* name, int pot_shifts, const UnaryUse& use) {
  require_output(use.out, 1.0F / 32768, 0);
  require(tensor_zero(use.x(), "input") == 0, "has input zero point {}; i16 takes 0",
          tensor_zero(use.x(), "input"));
  const float scale = tensor_scale(use.x(), "input");
  int32_t multiplier = 0, shift = 0;
  for (int extra = 0; extra < pot_shifts; ++extra) {
    if (scale == std::ldexp(1.0F, extra - 12)) multiplier = 3 << extra;
  }
  if (multiplier == 0) {
    double real = static_cast<double>(scale) * 4096.0 * 3.0;
    for (; real <= 32767.0 / 2.0 && shift <= 30; real *= 2.0) ++shift;
    require(real <= 65535.0 && shift <= 30, "has an input scale of {}, which is out of range", scale);
    multiplier = static_cast<int32_t>(real);
  }
  const nn::Interpolate16 parameters{narrow<int32_t>(elements(use.out.shape)), multiplier, shift};
  Call call = make_call(kernel, name, header, "Interpolate16", parameters, {input(0), constant(0), output(0)});
  call.constants = {sigmoid_table()};
  return call;
}

Call logistic_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::Logistic(), "nn::Logistic", use);
  if (use.x().dtype == DType::i16) return interpolate_call(nn::logistic_s16, "logistic_s16", 1, use);
  require_output(use.out, 1.0F / 256, -128);
  return table_call(use, [&](int32_t x) { return logistic_byte(x, use.x()); });
}

Call tanh_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::Tanh(), "nn::Tanh", use);
  if (use.x().dtype == DType::i16) return interpolate_call(nn::tanh_s16, "tanh_s16", 2, use);
  require_output(use.out, 1.0F / 128, 0);
  return table_call(use, [&](int32_t x) { return tanh_byte(x, use.x()); });
}

// In float, as the reference divides.
double ratio(const UnaryUse& use) {
  return static_cast<double>(tensor_scale(use.x(), "input") / tensor_scale(use.out, "output"));
}

// A function of quantised numbers that the device computes for i16 and the host, in a table, for i8.
template <class F>
Call quantized_call(F value, const char* type, const UnaryUse& use) {
  if (use.x().dtype == DType::i8) return table_call(use, value);
  return map_call<int16_t>(value, type, use);
}

Call two_slopes_call(double above, double below, const IntegerRange& range, const UnaryUse& use) {
  const FixedMultiplier first = quantize_multiplier(above);
  const FixedMultiplier second = quantize_multiplier(below);
  require(first.shift <= 14 && second.shift <= 14, "has an output scale of {}, too small for its input",
          tensor_scale(use.out, "output"));
  const nn::TwoSlopes slopes{
      tensor_zero(use.x(), "input"),  first.multiplier, first.shift, second.multiplier, second.shift,
      tensor_zero(use.out, "output"), range.low,        range.high};
  return quantized_call(slopes, "nn::TwoSlopes", use);
}

Call leaky_relu_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::LeakyRelu{use.slope}, "nn::LeakyRelu", use);
  require(use.slope >= 0.0F, "has slope {}; slopes from 0 on are supported for quantised tensors", use.slope);
  const auto below =
      static_cast<double>(tensor_scale(use.x(), "input") * use.slope / tensor_scale(use.out, "output"));
  return two_slopes_call(ratio(use), below, activation_range(Activation::none, use.out), use);
}

// What lets the numbers from `low` to `high` through.
Call between_call(float low, float high, const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::Clamp<float>{low, high}, "nn::Clamp<float>", use);
  const IntegerRange whole = activation_range(Activation::none, use.out);
  const auto bound = [&](float real) {
    const float steps = std::clamp(std::round(real / tensor_scale(use.out, "output")), -1e6F, 1e6F);
    return std::clamp(tensor_zero(use.out, "output") + static_cast<int32_t>(steps), whole.low, whole.high);
  };
  const IntegerRange range{bound(low), bound(high)};
  if (use.x().quant == use.out.quant) {
    return for_dtype<int8_t, int16_t>(use.x().dtype, [&]<class T>(T) {
      const nn::Clamp<T> clamp{static_cast<T>(range.low), static_cast<T>(range.high)};
      return map_call<T>(clamp, std::is_same_v<T, int8_t> ? "nn::Clamp<int8_t>" : "nn::Clamp<int16_t>", use);
    });
  }
  return two_slopes_call(ratio(use), ratio(use), range, use);
}

Call hard_swish_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::HardSwish(), "nn::HardSwish", use);
  return table_call(use, [&](int32_t x) { return hard_swish_byte(x, use.x(), use.out); });
}

Call reciprocal_sqrt_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32) return map_call<float>(nn::ReciprocalSqrt(), "nn::ReciprocalSqrt", use);
  return table_call(use, [&](int32_t x) { return reciprocal_sqrt_byte(x, use.x(), use.out); });
}

Call abs_call(const UnaryUse& use) {
  if (use.x().dtype == DType::f32 || use.x().dtype == DType::i32)
    return map_call<float, int32_t>(nn::Abs(), "nn::Abs", use);
  const bool rescales = tensor_scale(use.x(), "input") != tensor_scale(use.out, "output");
  const FixedMultiplier fixed = rescales ? quantize_multiplier(ratio(use)) : FixedMultiplier{};
  require(fixed.shift <= 14, "has an output scale of {}, too small for its input",
          tensor_scale(use.out, "output"));
  const IntegerRange range = activation_range(Activation::none, use.out);
  const nn::QuantizedAbs abs{tensor_zero(use.x(), "input"),  fixed.multiplier, fixed.shift,
                             tensor_zero(use.out, "output"), range.low,        range.high};
  return quantized_call(abs, "nn::QuantizedAbs", use);
}

Call logical_not_call(const UnaryUse& use) {
  return map_1_call<uint8_t, uint8_t>(Function<nn::LogicalNot>{{}, "nn::LogicalNot", header}, input(0),
                                      elements(use.out.shape));
}

float elu_of(float x) { return x < 0.0F ? std::expm1(x) : x; }
float gelu_of(float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752440F)); }
float gelu_by_tanh_of(float x) {
  return 0.5F * x * (1.0F + std::tanh(0.797884560802865355879892F * (x + 0.044715F * std::pow(x, 3.0F))));
}
float exp_of(float x) { return std::exp(x); }
float log_of(float x) { return x <= 0.0F ? -1e30F : std::log(x); }

template <class F>
Call real_call(const char* type, const UnaryUse& use) {
  return map_call<float>(F(), type, use);
}

constexpr float most = std::numeric_limits<float>::max();
const std::vector<DType> real{DType::f32}, real_or_byte{DType::f32, DType::i8};
const std::vector<DType> real_or_quantized{DType::f32, DType::i8, DType::i16};

const UnaryKind logistic{"logistic", real_or_quantized, [](double x, double) { return 1 / (1 + std::exp(-x)); },
                         logistic_call};
const UnaryKind tanh{"tanh", real_or_quantized, [](double x, double) { return std::tanh(x); }, tanh_call};
const UnaryKind leaky_relu{"leaky_relu", real_or_quantized,
                           [](double x, double slope) { return x > 0 ? x : x * slope; }, leaky_relu_call};
const UnaryKind relu{"relu",
                     real_or_quantized,
                     [](double x, double) { return std::max(x, 0.0); },
                     [](const UnaryUse& use) { return between_call(0, most, use); },
                     false,
                     Activation::relu};
const UnaryKind relu6{"relu6",
                      real_or_quantized,
                      [](double x, double) { return std::clamp(x, 0.0, 6.0); },
                      [](const UnaryUse& use) { return between_call(0, 6, use); },
                      false,
                      Activation::relu6};
const UnaryKind relu_n1_to_1{"relu_n1_to_1",
                             real_or_quantized,
                             [](double x, double) { return std::clamp(x, -1.0, 1.0); },
                             [](const UnaryUse& use) { return between_call(-1, 1, use); },
                             false,
                             Activation::relu_n1_to_1};
const UnaryKind relu_0_to_1{"relu_0_to_1", real_or_quantized,
                            [](double x, double) { return std::clamp(x, 0.0, 1.0); },
                            [](const UnaryUse& use) { return between_call(0, 1, use); }};
const UnaryKind hard_swish{"hard_swish", real_or_byte,
                           [](double x, double) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }, hard_swish_call};
const UnaryKind elu{"elu", real_or_byte, [](double x, double) { return x < 0 ? std::expm1(x) : x; },
                    [](const UnaryUse& use) { return float_call(nn::Elu(), "nn::Elu", elu_of, use); }};
const UnaryKind gelu{"gelu", real_or_byte,
                     [](double x, double) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); },
                     [](const UnaryUse& use) { return float_call(nn::Gelu(), "nn::Gelu", gelu_of, use); }};
const UnaryKind gelu_by_tanh{
    "gelu_by_tanh", real_or_byte,
    [](double x, double) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); },
    [](const UnaryUse& use) { return float_call(nn::GeluByTanh(), "nn::GeluByTanh", gelu_by_tanh_of, use); }};
const UnaryKind abs{"abs",
                    {DType::f32, DType::i8, DType::i16, DType::i32},
                    [](double x, double) { return std::abs(x); },
                    abs_call};
const UnaryKind neg{
    "neg",
    {DType::f32, DType::i32, DType::i64},
    [](double x, double) { return -x; },
    [](const UnaryUse& use) { return map_call<float, int32_t, int64_t>(nn::Negative(), "nn::Negative", use); }};
const UnaryKind exp{"exp", real_or_byte, [](double x, double) { return std::exp(x); },
                    [](const UnaryUse& use) { return float_call(nn::Exp(), "nn::Exp", exp_of, use); }};
const UnaryKind log{"log", real_or_byte, [](double x, double) { return std::log(x); },
                    [](const UnaryUse& use) { return float_call(nn::Log(), "nn::Log", log_of, use); }, true};
const UnaryKind sign{"sign",
                     {DType::f32, DType::i32},
                     [](double x, double) { return x > 0   ? 1.0
                                                   : x < 0 ? -1.0
                                                           : 0.0; },
                     [](const UnaryUse& use) { return map_call<float, int32_t>(nn::Sign(), "nn::Sign", use); }};
const UnaryKind sqrt{"sqrt", real, [](double x, double) { return std::sqrt(x); },
                     [](const UnaryUse& use) { return real_call<nn::Sqrt>("nn::Sqrt", use); }, true};
const UnaryKind rsqrt{"rsqrt", real_or_byte, [](double x, double) { return 1 / std::sqrt(x); },
                      reciprocal_sqrt_call, true};
const UnaryKind square{"square", real, [](double x, double) { return x * x; },
                       [](const UnaryUse& use) { return real_call<nn::Square>("nn::Square", use); }};
const UnaryKind sin{"sin", real, [](double x, double) { return std::sin(x); },
                    [](const UnaryUse& use) { return real_call<nn::Sin>("nn::Sin", use); }};
const UnaryKind cos{"cos", real, [](double x, double) { return std::cos(x); },
                    [](const UnaryUse& use) { return real_call<nn::Cos>("nn::Cos", use); }};
const UnaryKind floor{"floor", real, [](double x, double) { return std::floor(x); },
                      [](const UnaryUse& use) { return real_call<nn::Floor>("nn::Floor", use); }};
const UnaryKind ceil{"ceil", real, [](double x, double) { return std::ceil(x); },
                     [](const UnaryUse& use) { return real_call<nn::Ceil>("nn::Ceil", use); }};
const UnaryKind round{"round", real, [](double x, double) { return std::nearbyint(x); },
                      [](const UnaryUse& use) { return real_call<nn::Round>("nn::Round", use); }};
const UnaryKind logical_not{
    "logical_not", {DType::boolean}, [](double x, double) { return x == 0 ? 1.0 : 0.0; }, logical_not_call};

class Unary final : public Operator, public WorksInRows {
 public:
  // `keeps_scale`: input and output have one quantisation, if any.
  explicit Unary(const UnaryKind& kind, float slope = 0.0F, bool keeps_scale = false)
      : kind_(kind), slope_(slope), keeps_scale_(keeps_scale) {}

  [[nodiscard]] Activation clamp() const { return keeps_scale_ ? kind_.clamp : Activation::none; }

  [[nodiscard]] std::string name() const override { return std::string(kind_.name); }
  [[nodiscard]] std::string parameters() const override {
    return &kind_ == &leaky_relu ? fmt::format("slope={}", slope_) : "";
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_one_of(kind_.dtypes, input.dtype);
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    (void)kind_.call({in, output, slope_});
    return {output};
  }
  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result;
    for (const double value : x[0]) result.push_back(kind_.real(value, static_cast<double>(slope_)));
    return {result};
  }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs, const Types&) const override {
    return std::make_shared<Unary>(*this);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call = with_input(kind_.call({in, out[0], slope_}), in);
    call.order = element_by_element(out[0].shape);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    const int version = tflite::usual_version(in[0]->type.dtype);
    if (&kind_ == &leaky_relu) {
      tflite::schema::LeakyReluOptionsT options;
      options.alpha = slope_;
      return file.add(tflite::schema::BuiltinOperator::LEAKY_RELU, std::min(version, 2), options);
    }
    if (&kind_ == &gelu || &kind_ == &gelu_by_tanh) {
      tflite::schema::GeluOptionsT options;
      options.approximate = &kind_ == &gelu_by_tanh;
      return file.add(tflite::schema::BuiltinOperator::GELU, version, options);
    }
    file.add(tflite::builtin_operator(kind_.name), &kind_ == &hard_swish ? 1 : version);
  }

  // Functions that only one of TensorFlow Lite's interpreters knows on integers stay real.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    const bool wide = dtype == DType::i16;
    if (&kind_ == &logistic)
      return wide ? IntegerForm::fixed(1.0F / 32768, 0) : IntegerForm::fixed(1.0F / 256, -128);
    if (&kind_ == &tanh) return wide ? IntegerForm::fixed(1.0F / 32768, 0) : IntegerForm::fixed(1.0F / 128, 0);
    const auto is_one_of = [&](std::initializer_list<const UnaryKind*> kinds) {
      return std::find(kinds.begin(), kinds.end(), &kind_) != kinds.end();
    };
    const bool both = is_one_of({&leaky_relu});
    const bool bytes =
        is_one_of({&relu, &relu6, &relu_n1_to_1, &relu_0_to_1, &hard_swish, &elu, &gelu, &gelu_by_tanh, &abs});
    return both || (bytes && !wide) ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt;
  }

 private:
  const UnaryKind& kind_;
  float slope_;
  bool keeps_scale_;
};

template <const UnaryKind& kind>
Made from_tflite(const tflite::OpView& view) {
  const bool keeps_scale = view.outputs.size() == 1 && file_input(view).type.quant == view.outputs[0]->type.quant;
  return {std::make_shared<Unary>(kind, 0.0F, keeps_scale), {0}};
}

Made leaky_relu_from_tflite(const tflite::OpView& view) {
  return {std::make_shared<Unary>(leaky_relu, view.required_options<tflite::schema::LeakyReluOptions>().alpha()),
          {0}};
}

Made gelu_from_tflite(const tflite::OpView& view) {
  const auto* const options = view.options<tflite::schema::GeluOptions>();
  return {std::make_shared<Unary>(options != nullptr && options->approximate() ? gelu_by_tanh : gelu), {0}};
}

// The output's quantisation that the function asks for.
Quantization random_output(const UnaryKind& kind, const TensorType& in, std::mt19937& random) {
  const bool wide = in.dtype == DType::i16;
  if (&kind == &logistic)
    return wide ? Quantization{{1.0F / 32768}, {0}, -1} : Quantization{{1.0F / 256}, {-128}, -1};
  if (&kind == &tanh) return wide ? Quantization{{1.0F / 32768}, {0}, -1} : Quantization{{1.0F / 128}, {0}, -1};
  Quantization quant = random_quantization(random, in.dtype);
  // Steps no finer than the input's: more would show its rounding.
  quant.scale[0] = std::max(quant.scale[0], in.quant.scale[0]);
  return chance(random, 40) ? in.quant : quant;
}

Sample sample(std::mt19937& random) {
  static const UnaryKind* const kinds[] = {
      &logistic, &tanh, &leaky_relu,   &relu,  &relu6, &relu_n1_to_1, &relu_0_to_1, &hard_swish, &elu,
      &gelu,     &abs,  &gelu_by_tanh, &neg,   &exp,   &log,          &sqrt,        &rsqrt,      &square,
      &sign,     &sin,  &cos,          &floor, &ceil,  &round,        &logical_not};
  const UnaryKind& kind = *kinds[random_integer(random, 0, std::ssize(kinds) - 1)];
  const DType dtype = kind.dtypes[static_cast<size_t>(random_integer(random, 0, std::ssize(kind.dtypes) - 1))];
  const bool quantized = dtype == DType::i8 || dtype == DType::i16;
  TensorType in = random_type(random, dtype, random_shape(random, 0, 5, 5));
  if (!quantized) in.quant = {};
  if (kind.positive && quantized) in.quant.zero = {-128};
  TensorType out = in;
  if (quantized) out.quant = random_output(kind, in, random);
  Sample sample{std::make_shared<Unary>(kind, random_real(random, 0.0F, 0.9F)), {variable(in)}, {out}, 0};
  if (dtype == DType::f32 && (kind.positive || chance(random, 5))) {
    make_constant(*sample.in[0], random);
    std::vector<float> values = to_values<float>(sample.in[0]->data);
    for (float& value : values) value = std::abs(value) + 0.01F;
    sample.in[0]->data = to_bytes(values);
  }
  sample.tolerance = dtype == DType::f32 ? 1e-5 : quantized ? 1.01 : dtype == DType::i64 ? 1 << 12 : 0;
  if (dtype == DType::i16 && (&kind == &logistic || &kind == &tanh))
    sample.tolerance = 12;  // of 32768: the table's
  return sample;
}

}  // namespace

Activation clamp_of(const Operator& next) {
  const auto* const unary = dynamic_cast<const Unary*>(&next);
  return unary == nullptr ? Activation::none : unary->clamp();
}

extern const OpDef unary{.name = "unary",
                         .tflite = {{"LOGISTIC", from_tflite<logistic>},
                                    {"TANH", from_tflite<tanh>},
                                    {"LEAKY_RELU", leaky_relu_from_tflite},
                                    {"RELU", from_tflite<relu>},
                                    {"RELU6", from_tflite<relu6>},
                                    {"RELU_N1_TO_1", from_tflite<relu_n1_to_1>},
                                    {"RELU_0_TO_1", from_tflite<relu_0_to_1>},
                                    {"HARD_SWISH", from_tflite<hard_swish>},
                                    {"ELU", from_tflite<elu>},
                                    {"GELU", gelu_from_tflite},
                                    {"ABS", from_tflite<abs>},
                                    {"NEG", from_tflite<neg>},
                                    {"EXP", from_tflite<exp>},
                                    {"LOG", from_tflite<log>},
                                    {"SIGN", from_tflite<sign>},
                                    {"SQRT", from_tflite<sqrt>},
                                    {"RSQRT", from_tflite<rsqrt>},
                                    {"SQUARE", from_tflite<square>},
                                    {"SIN", from_tflite<sin>},
                                    {"COS", from_tflite<cos>},
                                    {"FLOOR", from_tflite<floor>},
                                    {"CEIL", from_tflite<ceil>},
                                    {"ROUND", from_tflite<round>},
                                    {"LOGICAL_NOT", from_tflite<logical_not>}},
                         .sample = sample};

}  // namespace mote::op
