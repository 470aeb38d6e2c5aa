// SPDX-License-Identifier: Apache-2.0
// Window, automatic scale and energy around a Fourier transform: everything the compiler knows about them.
#include "nn/signal.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/signal.hpp"

namespace mote::op {

namespace {

// Each row times the window, shifted right.
class SignalWindow final : public Operator {
 public:
  explicit SignalWindow(int32_t shift) : shift_(shift) {}
  [[nodiscard]] std::string name() const override { return "signal_window"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("shift={}", shift_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = signal_input(in, 0, DType::i16, -1);
    const std::vector<int16_t> window = signal_table(in, 1);
    require(!input.shape.empty() && input.shape.back() == static_cast<int64_t>(window.size()),
            "has a window of {} for an input {}", window.size(), to_text(input.shape));
    return signal_outputs(declared, {{DType::i16, input.shape}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result(x[0].size());
    for (size_t i = 0; i < result.size(); ++i) {
      result[i] = std::clamp(std::floor(x[0][i] * x[1][i % x[1].size()] / std::exp2(shift_)), -32768.0, 32767.0);
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    return input == 0 ? region : whole(in[input]->type.shape);
  }
  [[nodiscard]] Work work(Inputs in, const Types&) const override { return {elements(in[0]->type.shape)}; }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Shape& shape = in[0]->type.shape;
    const nn::SignalWindow parameters{narrow<int32_t>(elements(shape) / shape.back()),
                                      narrow<int32_t>(shape.back()), shift_};
    Call call = make_call(nn::signal_window_s16, "signal_window_s16", "nn/signal.hpp", "SignalWindow", parameters,
                          {input(0), constant(0), output(0)});
    call.constants = {{"window", DType::i16, in[1]->data}};
    call.order = {.dims = static_cast<int>(shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  int32_t shift_;
};

// Shifts all values left as far as the largest allows; output 1 says by how many bits.
class SignalFftAutoScale final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "signal_fft_auto_scale"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    return signal_outputs(declared, {{DType::i16, signal_input(in, 0, DType::i16).shape}, {DType::i32, {}}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    double largest = 0.0;
    for (const double value : x[0]) largest = std::max(largest, std::abs(value));
    double room = 0.0;  // the largest power that keeps all below 2^15
    while (room < 15.0 && largest * std::exp2(room + 1) < 32768.0) ++room;
    std::vector<double> result(x[0]);
    for (double& value : result) value *= std::exp2(room);
    return {result, {room}};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const nn::SignalFftAutoScale parameters{narrow<int32_t>(elements(in[0]->type.shape))};
    return make_call(nn::signal_fft_auto_scale_s16, "signal_fft_auto_scale_s16", "nn/signal.hpp",
                     "SignalFftAutoScale", parameters, {input(0), output(0), output(1)});
  }
};

// The squared magnitude of complex numbers; outside [start, end) 0.
class SignalEnergy final : public Operator {
 public:
  SignalEnergy(int32_t start, int32_t end) : start_(start), end_(end) {}
  [[nodiscard]] std::string name() const override { return "signal_energy"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("bins={}-{}", start_, end_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const int64_t numbers = signal_input(in, 0, DType::i16).shape[0];
    require(numbers % 2 == 0, "has {} numbers, which are no pairs of real and imaginary parts", numbers);
    require(start_ <= end_ && end_ <= numbers / 2, "has bins {} to {}, its input has {}", start_, end_,
            numbers / 2);
    return signal_outputs(declared, {{DType::u32, {numbers / 2}}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result(x[0].size() / 2, 0.0);
    for (auto i = static_cast<size_t>(start_); i < static_cast<size_t>(end_); ++i) {
      result[i] = x[0][2 * i] * x[0][2 * i] + x[0][2 * i + 1] * x[0][2 * i + 1];
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override {
    Region needed = region;
    needed.dims[0] = {2 * region.dims[0].low, 2 * region.dims[0].high};
    return needed;
  }
  [[nodiscard]] Work work(Inputs, const Types&) const override { return {int64_t{2} * (end_ - start_)}; }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const nn::SignalEnergy parameters{narrow<int32_t>(in[0]->type.shape[0] / 2), start_, end_};
    Call call = make_call(nn::signal_energy_s16, "signal_energy_s16", "nn/signal.hpp", "SignalEnergy", parameters,
                          {input(0), output(0)});
    call.order = {.dims = 1, .block = 1, .reads_first = true};
    return call;
  }

 private:
  int32_t start_, end_;
};

Made make_window(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t shift = options.integer("shift", 0, 31);
  options.require_all_read();
  return {std::make_shared<SignalWindow>(shift), {0, 1}};
}

Made make_auto_scale(const tflite::OpView& view) {
  if (!view.custom_options.empty()) tflite::CustomOptions(view).require_all_read();
  return {std::make_shared<SignalFftAutoScale>(), {0}};
}

Made make_energy(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t start = options.integer("start_index", 0, INT32_MAX);
  const int32_t end = options.integer("end_index", 0, INT32_MAX);
  options.require_all_read();
  return {std::make_shared<SignalEnergy>(start, end), {0}};
}

Sample sample(std::mt19937& random) {
  const int64_t size = random_integer(random, 1, 30);
  Sample sample;
  switch (random_integer(random, 0, 2)) {
    case 0: {
      const TensorType type{DType::i16, {random_integer(random, 1, 3), size}, {}};
      Tensor window{"window", {DType::i16, {size}, {}}, {}};
      make_constant(window, random);
      sample.op = std::make_shared<SignalWindow>(static_cast<int32_t>(random_integer(random, 10, 16)));
      sample.in = {variable(type), window};
      sample.out = {type};
      break;
    }
    case 1: {
      const TensorType type{DType::i16, {size}, {}};
      sample.op = std::make_shared<SignalFftAutoScale>();
      sample.in = {variable(type)};
      sample.out = {type, {DType::i32, {}, {}}};
      break;
    }
    default: {
      const auto start = static_cast<int32_t>(random_integer(random, 0, size));
      sample.op = std::make_shared<SignalEnergy>(start, static_cast<int32_t>(random_integer(random, start, size)));
      sample.in = {variable({DType::i16, {2 * size}, {}})};
      sample.out = {{DType::u32, {size}, {}}};
    }
  }
  sample.tolerance = 0.0;
  return sample;
}

}  // namespace

extern const OpDef signal_frontend{.name = "signal_frontend",
                                   .tflite = {{"SignalWindow", make_window},
                                              {"SignalFftAutoScale", make_auto_scale},
                                              {"SignalEnergy", make_energy}},
                                   .sample = sample};

}  // namespace mote::op
