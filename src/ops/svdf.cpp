// SPDX-License-Identifier: Apache-2.0
// SVDF (a layer of filters over feature and time, with memory): everything the compiler knows about it.
#include "nn/svdf.hpp"

#include "formats/tflite_view.hpp"
#include "ops/checks.hpp"
#include "ops/four_rows.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

// Inputs of the file.
constexpr size_t x = 0, features = 1, times = 2, bias = 3, memory = 4;

struct Sizes {
  int64_t batches = 0, inputs = 0, filters = 0, memory = 0, units = 0;
};

class Svdf final : public Operator {
 public:
  Svdf(int32_t rank, Activation activation) : rank_(rank), activation_(activation) {}

  [[nodiscard]] std::string name() const override { return "svdf"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("rank={} activation={}", rank_, mote::name(activation_));
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 5, "has {} inputs, it takes 5", in.size());
    const TensorType& input = input_type(in, x);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    const Sizes s = sizes(in);
    const bool real = input.dtype == DType::f32;
    const DType state = input_type(in, memory).dtype;
    require(real ? state == DType::f32 : state == DType::i8 || state == DType::i16,
            "has a state of type {} for an input of type {}; convert the model again", mote::name(state),
            mote::name(input.dtype));
    check_constant(in, features, input.dtype, {s.filters, s.inputs});
    check_constant(in, times, state, {s.filters, s.memory});
    if (in[bias] != nullptr) check_constant(in, bias, real ? DType::f32 : DType::i32, {s.units});
    require(in[memory]->state && elements(in[memory]->type.shape) == s.batches * s.filters * s.memory,
            "has a state of shape {}; a variable of {} elements was expected", to_text(in[memory]->type.shape),
            s.batches * s.filters * s.memory);
    TensorType output = declared_type(declared, input.dtype);
    output.shape = {s.batches, s.units};
    if (!real) check_integer(in, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& real) const override;

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    Region needed = whole(in[input]->type.shape);
    if (input == x) needed.dims[0] = region.dims[0];
    return needed;
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {
    const Sizes s = sizes(in);
    return {s.batches * s.filters * (s.inputs + s.memory)};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override { return lower_for({}, in, out); }
  [[nodiscard]] Call lower_for(const Core& core, Inputs in, const Types& out) const override {
    Call call = in[x]->type.dtype == DType::f32 ? lower_f32(in) : lower_integer(core, in, out[0]);
    call.order = {.dims = 1, .block = 1, .reads_first = false};
    const auto products = static_cast<double>(work(in, out).macs);  // loops of constant lengths are unrolled
    call.estimate = {
        .instructions = 9 * products, .own_saves = 3.2 * products, .own_bytes = 1500, .shared_bytes = 700};
    return call;
  }

 private:
  [[nodiscard]] Sizes sizes(Inputs in) const {
    const Shape& input = input_type(in, x).shape;
    const Shape& feature = input_type(in, features).shape;
    const Shape& time = input_type(in, times).shape;
    require(input.size() == 2 && feature.size() == 2 && time.size() == 2,
            "has input {} and weights {} and {}, each needs two dimensions", to_text(input), to_text(feature),
            to_text(time));
    require(feature[0] % rank_ == 0, "has {} filters, which rank {} does not divide", feature[0], rank_);
    return {input[0], input[1], feature[0], time[1], feature[0] / rank_};
  }

  static void check_constant(Inputs in, size_t index, DType dtype, const Shape& shape) {
    const TensorType& type = input_type(in, index);
    require(in[index]->constant() && type.dtype == dtype && type.shape == shape,
            "has input {} of {} {}; a constant of {} {} was expected", index, mote::name(type.dtype),
            to_text(type.shape), mote::name(dtype), to_text(shape));
  }

  // The reference cuts off at the type's limits only, which is what a ReLU does when 0 is the lowest value.
  void check_integer(Inputs in, const TensorType& output) const {
    const bool cut_off = activation_ == Activation::relu && tensor_zero(output, "output") == -128;
    require(cut_off || activation_ == Activation::none,
            "fuses {} with output zero point {}; int8 has relu with zero point -128 only, convert again",
            mote::name(activation_), tensor_zero(output, "output"));
    require(in[memory]->type.dtype == DType::i8 || tensor_zero(in[memory]->type, "state") == 0,
            "has an int16 state of zero point {}; it must be 0", tensor_zero(in[memory]->type, "state"));
  }

  [[nodiscard]] nn::Svdf integer_parameters(Inputs in, const TensorType& out) const;
  [[nodiscard]] Call lower_integer(const Core& core, Inputs in, const TensorType& out) const;
  [[nodiscard]] Call lower_f32(Inputs in) const;

  int32_t rank_;
  Activation activation_;
};

Reals Svdf::reference(Inputs in, const Types&, const Reals& real) const {
  const Sizes s = sizes(in);
  const TensorType& state = in[memory]->type;
  std::vector<double> result;
  for (int64_t b = 0; b < s.batches; ++b) {
    for (int64_t filter = 0; filter < s.filters; ++filter) {
      double newest = 0.0, sum = 0.0;
      for (int64_t i = 0; i < s.inputs; ++i) {
        newest += real[x][static_cast<size_t>(b * s.inputs + i)] *
                  real[features][static_cast<size_t>(filter * s.inputs + i)];
      }
      if (state.dtype != DType::f32) {  // what the state can hold
        const double half = std::exp2(bits(state.dtype) - 1), zero = tensor_zero(state, "state");
        const auto scale = static_cast<double>(tensor_scale(state, "state"));
        newest = std::clamp(newest, (-half - zero) * scale, (half - 1 - zero) * scale);
      }
      for (int64_t t = 0; t < s.memory; ++t) {
        const int64_t old = (b * s.filters + filter) * s.memory + t + 1;
        const double value = t + 1 < s.memory ? real[memory][static_cast<size_t>(old)] : newest;
        sum += value * real[times][static_cast<size_t>(filter * s.memory + t)];
      }
      if (filter % rank_ == 0)
        result.push_back(real[bias].empty() ? 0.0 : real[bias][result.size() % static_cast<size_t>(s.units)]);
      result.back() += sum;
    }
  }
  for (double& value : result) value = apply(activation_, value);
  return {result};
}

nn::Svdf Svdf::integer_parameters(Inputs in, const TensorType& out) const {
  const Sizes s = sizes(in);
  const TensorType& state = in[memory]->type;
  const float to_state = tensor_scale(in[x]->type, "input") * tensor_scale(in[features]->type, "weights") /
                         tensor_scale(state, "state");
  const float to_output = tensor_scale(state, "state") * tensor_scale(in[times]->type, "weights over time") /
                          tensor_scale(out, "output");
  const FixedMultiplier feature = quantize_multiplier(static_cast<double>(to_state));
  const FixedMultiplier output = quantize_multiplier(static_cast<double>(to_output));
  const int32_t half = 1 << (bits(state.dtype) - 1);
  return {narrow<int32_t>(s.batches),
          narrow<int32_t>(s.inputs),
          narrow<int32_t>(s.filters),
          narrow<int32_t>(s.memory),
          rank_,
          feature.multiplier,
          feature.shift,
          tensor_zero(state, "state"),
          -half,
          half - 1,
          output.multiplier,
          output.shift,
          tensor_zero(out, "output"),
          -128,
          127};
}

// Filters by four, as nn/four_rows.hpp has them, the last ones filled up with zeros; and where each filter's sum
// starts when the input's zero point is taken off beforehand.
void pack_features(Inputs in, FourRows order, std::vector<int8_t>& packed, std::vector<int32_t>& sums) {
  std::vector<int8_t> weights = to_values<int8_t>(in[features]->data);
  const int32_t zero = tensor_zero(in[x]->type, "input");
  const auto filters = static_cast<size_t>(in[features]->type.shape[0]);
  const size_t inputs = weights.size() / filters, padded = (filters + 3) / 4 * 4;
  require(inputs < 32768, "has {} inputs a filter; the limit is 32767", inputs);
  weights.resize(padded * inputs);
  const auto row = [&](size_t filter) {
    return std::span<const int8_t>(weights).subspan(filter * inputs, inputs);
  };
  for (size_t filter = 0; filter < padded; filter += 4) {
    pack_four_rows(order, {row(filter), row(filter + 1), row(filter + 2), row(filter + 3)}, packed);
  }
  end_four_rows(order, packed);
  sums.assign(2 * padded, 0);
  for (size_t filter = 0; filter < filters; ++filter) {
    for (const int8_t weight : row(filter)) sums[2 * filter] -= zero * weight;
  }
}

Call Svdf::lower_integer(const Core& core, Inputs in, const TensorType& out) const {
  const nn::Svdf parameters = integer_parameters(in, out);
  const std::vector<Argument> arguments{input(x),    constant(0),   constant(1), constant(2),
                                        constant(3), state(memory), output(0)};
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/svdf.hpp", "Svdf", parameters, arguments);
  };
  const FourRows order = four_rows_for(core);
  const bool narrow_memory = in[memory]->type.dtype == DType::i8;
  Call call;
  switch (order) {
    case FourRows::scalar:
      call = narrow_memory ? make(nn::svdf_s8, "svdf_s8") : make(nn::svdf_s8_s16, "svdf_s8_s16");
      break;
    case FourRows::paired:
      call = narrow_memory ? make(nn::svdf_paired_s8, "svdf_paired_s8")
                           : make(nn::svdf_paired_s8_s16, "svdf_paired_s8_s16");
      break;
    case FourRows::vector:
      call = narrow_memory ? make(nn::svdf_vector_s8, "svdf_vector_s8")
                           : make(nn::svdf_vector_s8_s16, "svdf_vector_s8_s16");
      break;
  }
  std::vector<int8_t> packed;
  std::vector<int32_t> sums;
  pack_features(in, order, packed, sums);
  const std::vector<int32_t> none(static_cast<size_t>(sizes(in).units), 0);
  call.constants = {{"features", DType::i8, to_bytes(packed)},
                    {"sums", DType::i32, to_bytes(sums)},
                    {"times", in[times]->type.dtype, in[times]->data},
                    {"bias", DType::i32, in[bias] != nullptr ? in[bias]->data : to_bytes(none)}};
  return call;
}

Call Svdf::lower_f32(Inputs in) const {
  const Sizes s = sizes(in);
  const FloatRange range = activation_range(activation_);
  const nn::SvdfFloat parameters{narrow<int32_t>(s.batches),
                                 narrow<int32_t>(s.inputs),
                                 narrow<int32_t>(s.filters),
                                 narrow<int32_t>(s.memory),
                                 rank_,
                                 range.low,
                                 range.high};
  Call call = make_call(nn::svdf_f32, "svdf_f32", "nn/svdf.hpp", "SvdfFloat", parameters,
                        {input(x), constant(0), constant(1), constant(2), state(memory), output(0)});
  call.constants = {{"features", DType::f32, in[features]->data},
                    {"times", DType::f32, in[times]->data},
                    {"bias", DType::f32, in[bias] != nullptr ? in[bias]->data : Bytes{}}};
  return call;
}

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::SVDFOptions>();
  require(options.rank() > 0, "has rank {}, which must be positive", options.rank());
  const Activation activation = activation_from_tflite(static_cast<int>(options.fused_activation_function()));
  return {std::make_shared<Svdf>(options.rank(), activation), {x, features, times, bias, memory}};
}

Tensor constant_tensor(std::mt19937& random, DType dtype, Shape shape, float scale) {
  Tensor tensor{"weights", {dtype, std::move(shape), {}}, {}};
  if (dtype != DType::f32) tensor.type.quant = {{scale}, {0}, -1};
  make_constant(tensor, random);
  return tensor;
}

Sample sample(std::mt19937& random) {
  const bool real = chance(random, 30);
  const DType dtype = real ? DType::f32 : DType::i8;
  const DType state = real ? DType::f32 : chance(random, 60) ? DType::i16 : DType::i8;
  const int64_t batches = random_integer(random, 1, 3), inputs = random_integer(random, 1, 20);
  const int64_t units = random_integer(random, 1, 7), rank = random_integer(random, 1, 3);
  const int64_t span = random_integer(random, 1, 9), filters = units * rank;
  const auto quantised = [&](float scale, int32_t zero) {
    return real ? Quantization{} : Quantization{{scale}, {zero}, -1};
  };
  const auto zero = static_cast<int32_t>(state == DType::i8 ? random_integer(random, -20, 20) : 0);
  const float state_scale = state == DType::i8 ? 1.0F / 16 : 1.0F / 4096;
  Sample sample;
  sample.in.emplace_back(variable(
      {dtype, {batches, inputs}, quantised(0.02F, static_cast<int32_t>(random_integer(random, -128, 127)))}));
  sample.in.emplace_back(constant_tensor(random, dtype, {filters, inputs}, 0.008F));
  const float time_scale = state == DType::i8 ? 1.0F / 128 : 1.0F / 32768;
  sample.in.emplace_back(constant_tensor(random, state, {filters, span}, time_scale));
  if (state == DType::i16) {  // so that no sum wraps
    std::vector<int16_t> values = to_values<int16_t>(sample.in[times]->data);
    for (int16_t& value : values) value /= 16;
    sample.in[times]->data = to_bytes(values);
  }
  sample.in.emplace_back(std::nullopt);
  if (chance(random, 70)) {
    sample.in[bias] =
        Tensor{"bias", {real ? DType::f32 : DType::i32, {units}, quantised(state_scale * time_scale, 0)}, {}};
    std::vector<int32_t> values(static_cast<size_t>(units));
    for (int32_t& value : values) value = static_cast<int32_t>(random_integer(random, -4000, 4000));
    if (real) make_constant(*sample.in[bias], random);
    if (!real) sample.in[bias]->data = to_bytes(values);
  }
  sample.in.emplace_back(
      Tensor{"memory", {state, {batches, filters * span}, quantised(state_scale, zero)}, {}, true});
  const bool relu = chance(random, 50);
  const int32_t out_zero = relu ? -128 : static_cast<int32_t>(random_integer(random, -128, 127));
  sample.out = {{dtype, {batches, units}, quantised(random_real(random, 0.1F, 0.5F), out_zero)}};
  const Activation activation = relu                         ? Activation::relu
                                : real && chance(random, 50) ? Activation::relu6
                                                             : Activation::none;
  sample.op = std::make_shared<Svdf>(static_cast<int32_t>(rank), activation);
  sample.tolerance = real ? 1e-4 : 2.0;
  return sample;
}

}  // namespace

extern const OpDef svdf{.name = "svdf", .tflite = {{"SVDF", from_tflite}}, .sample = sample};

}  // namespace mote::op
