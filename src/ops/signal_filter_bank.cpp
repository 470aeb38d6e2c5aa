// SPDX-License-Identifier: Apache-2.0
// The filter bank and what follows it, channel by channel: everything the compiler knows about these operators.
#include "nn/signal.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/signal.hpp"

namespace mote::op {

namespace {

constexpr Order channel_by_channel{.dims = 1, .block = 1, .reads_first = true};

// Each output is a function of the inputs' elements with the same index.
class ByChannel : public Operator {
 public:
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    return input < channel_inputs() ? region : whole(in[input]->type.shape);
  }

 protected:
  [[nodiscard]] virtual size_t channel_inputs() const { return 1; }
};

// Weighted sums over bands of frequencies that overlap by half.
class SignalFilterBank final : public Operator {
 public:
  explicit SignalFilterBank(int32_t channels) : channels_(channels) {}
  [[nodiscard]] std::string name() const override { return "signal_filter_bank"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("channels={}", channels_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const int64_t bins = signal_input(in, 0, DType::u32).shape[0];
    const std::vector<int16_t> weights = signal_table(in, 1), unweights = signal_table(in, 2);
    const std::vector<int16_t> bands = signal_table(in, 3), starts = signal_table(in, 4),
                               widths = signal_table(in, 5);
    const auto count = static_cast<size_t>(channels_) + 1;
    require(bands.size() == count && starts.size() == count && widths.size() == count &&
                unweights.size() == weights.size(),
            "has tables that do not fit {} channels", channels_);
    for (size_t i = 0; i < count; ++i) {
      require(widths[i] >= 0 && bands[i] >= 0 && bands[i] + widths[i] <= bins && starts[i] >= 0 &&
                  starts[i] + widths[i] <= static_cast<int64_t>(weights.size()),
              "has a band of {} at {} with weights from {} on, outside {} bins or {} weights", widths[i], bands[i],
              starts[i], bins, weights.size());
    }
    require(std::all_of(weights.begin(), weights.end(), [](int16_t w) { return w >= 0; }) &&
                std::all_of(unweights.begin(), unweights.end(), [](int16_t w) { return w >= 0; }),
            "has negative weights; a filter bank of energies has none, convert the model again");
    return signal_outputs(declared, {{DType::u64, {channels_}}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result(static_cast<size_t>(channels_) + 2, 0.0);  // with one channel before and one behind
    for (size_t band = 0; band < x[5].size(); ++band) {
      for (size_t i = 0; i < static_cast<size_t>(x[5][band]); ++i) {
        const double energy = x[0][static_cast<size_t>(x[3][band]) + i];
        result[band] += energy * x[1][static_cast<size_t>(x[4][band]) + i];
        result[band + 1] += energy * x[2][static_cast<size_t>(x[4][band]) + i];
      }
    }
    return {{result.begin() + 1, result.end() - 1}};
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {
    int64_t products = 0;
    for (const int16_t width : signal_table(in, 5)) products += 2 * width;
    return {products};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    Call call = make_call(nn::signal_filter_bank_u32, "signal_filter_bank_u32", "nn/signal.hpp",
                          "SignalFilterBank", nn::SignalFilterBank{channels_},
                          {input(0), constant(0), constant(1), constant(2), constant(3), constant(4), output(0)});
    size_t next = 1;
    for (const char* name : {"weights", "unweights", "frequency_starts", "weight_starts", "widths"}) {
      call.constants.push_back({name, DType::i16, in[next++]->data});
    }
    return call;
  }

 private:
  int32_t channels_;
};

// The square root, shifted right by what was shifted left before the Fourier transform (input 1).
class SignalSquareRoot final : public ByChannel {
 public:
  [[nodiscard]] std::string name() const override { return "signal_filter_bank_square_root"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& scale = signal_input(in, 1, DType::i32, -1);
    require(elements(scale.shape) == 1, "has scale bits of shape {}, it takes one number", to_text(scale.shape));
    return signal_outputs(declared, {{DType::u32, signal_input(in, 0, DType::u64).shape}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result;
    for (const double value : x[0]) {
      const double most = value < 4294967296.0 ? 65535.0 : 4294967295.0;
      const double root = std::min(std::round(std::sqrt(value)), most);
      result.push_back(std::floor(root / std::exp2(x[1][0])));
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    std::vector<Constant> constants;
    const Argument scale = data_argument(in, 1, constants);
    Call call = make_call(nn::signal_square_root_u64, "signal_square_root_u64", "nn/signal.hpp",
                          "SignalFilterBank", nn::SignalFilterBank{narrow<int32_t>(elements(in[0]->type.shape))},
                          {input(0), scale, output(0)});
    call.constants = std::move(constants);
    call.order = channel_by_channel;
    return call;
  }
};

// Output 0: the signal without its noise; output 1: the noise, a mean over time that is kept as state.
class SignalSpectralSubtraction final : public ByChannel {
 public:
  explicit SignalSpectralSubtraction(nn::SignalSpectralSubtraction parameters) : p_(parameters) {}
  [[nodiscard]] std::string name() const override { return "signal_spectral_subtraction"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("channels={} smoothing={},{}{}", p_.channels, p_.smoothing, p_.alternate_smoothing,
                       p_.clamping != 0 ? " clamping" : "");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const Shape& shape = signal_input(in, 0, DType::u32).shape;
    require(shape[0] == p_.channels, "has {} channels but an input {}", p_.channels, to_text(shape));
    return signal_outputs(declared, {{DType::u32, shape}, {DType::u32, shape}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> rest, noise;
    const double unit = std::exp2(p_.bits);
    for (size_t i = 0; i < x[0].size(); ++i) {
      const bool odd = i % 2 != 0;
      const double scaled = std::fmod(x[0][i] * std::exp2(p_.smoothing_bits), 4294967296.0);
      const double mean = scaled * (odd ? p_.alternate_smoothing : p_.smoothing) +
                          x[1][i] * (odd ? p_.alternate_one_minus_smoothing : p_.one_minus_smoothing);
      const double estimate = std::fmod(std::floor(mean / unit), 4294967296.0);
      const double subtracted = std::min(estimate, scaled);
      noise.push_back(p_.clamping != 0 ? subtracted : estimate);
      rest.push_back(std::max(std::floor((scaled - subtracted) / std::exp2(p_.smoothing_bits)),
                              std::floor(x[0][i] * p_.least_remaining / unit)));
    }
    return {rest, noise};
  }

  [[nodiscard]] Call lower(Inputs, const Types&) const override {
    return make_call(nn::signal_spectral_subtraction_u32, "signal_spectral_subtraction_u32", "nn/signal.hpp",
                     "SignalSpectralSubtraction", p_, {input(0), state(1), output(0), output(1)});
  }

 private:
  nn::SignalSpectralSubtraction p_;
};

// Automatic gain control: input 1 is the noise, input 2 the gain as a function of it.
class SignalPcan final : public ByChannel {
 public:
  explicit SignalPcan(int32_t snr_shift) : snr_shift_(snr_shift) {}
  [[nodiscard]] std::string name() const override { return "signal_pcan"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("snr_shift={}", snr_shift_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const Shape& shape = signal_input(in, 0, DType::u32).shape;
    require(signal_input(in, 1, DType::u32).shape == shape, "has inputs {} and {}, they must be equal",
            to_text(shape), to_text(in[1]->type.shape));
    const size_t entries = signal_table(in, 2).size();
    require(entries >= 125, "has a table of {} entries, the function of 32 bits needs 125", entries);
    return signal_outputs(declared, {{DType::u32, shape}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result;
    for (size_t i = 0; i < x[0].size(); ++i) {
      const double ratio =
          std::fmod(std::floor(x[0][i] * gain(x[1][i], x[2]) / std::exp2(snr_shift_)), 4294967296.0);
      result.push_back(ratio < 8192.0 ? std::floor(ratio * ratio / 1048576.0) : std::floor(ratio / 64.0) - 64.0);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const nn::SignalPcan parameters{narrow<int32_t>(elements(in[0]->type.shape)), snr_shift_};
    Call call = make_call(nn::signal_pcan_u32, "signal_pcan_u32", "nn/signal.hpp", "SignalPcan", parameters,
                          {input(0), input(1), constant(0), output(0)});
    call.constants = {{"gains", DType::i16, in[2]->data}};
    call.order = channel_by_channel;
    return call;
  }

 private:
  [[nodiscard]] size_t channel_inputs() const override { return 2; }

  // Quadratic pieces, one for each power of two; rounded as stated in SPEC.md.
  static double gain(double x, const std::vector<double>& table) {
    if (x <= 2.0) return table[static_cast<size_t>(x)];
    const int length = std::ilogb(x) + 1;
    const auto piece = static_cast<size_t>(4 * length - 6);
    const double fraction = std::fmod(std::floor(std::ldexp(x, 11 - length)), 1024.0);
    const double slope = std::floor(table[piece + 2] * fraction / 32.0) + table[piece + 1] * 32.0;
    return table[piece] + std::floor(slope * fraction / 32768.0 + 0.5);
  }

  int32_t snr_shift_;
};

// The natural logarithm in steps of 1 / output_scale.
class SignalFilterBankLog final : public ByChannel {
 public:
  SignalFilterBankLog(int32_t correction_bits, int32_t scale) : correction_bits_(correction_bits), scale_(scale) {}
  [[nodiscard]] std::string name() const override { return "signal_filter_bank_log"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("correction_bits={} scale={}", correction_bits_, scale_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    return signal_outputs(declared, {{DType::i16, signal_input(in, 0, DType::u32).shape}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result;
    for (const double value : x[0]) {
      const double scaled = std::fmod(value * std::exp2(correction_bits_), 4294967296.0);
      result.push_back(scaled > 1.0 ? std::min(std::log(scaled) * scale_, 32767.0) : 0.0);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const nn::SignalFilterBankLog parameters{narrow<int32_t>(elements(in[0]->type.shape)), correction_bits_,
                                             static_cast<uint32_t>(scale_)};
    Call call = make_call(nn::signal_filter_bank_log_u32, "signal_filter_bank_log_u32", "nn/signal.hpp",
                          "SignalFilterBankLog", parameters, {input(0), constant(0), output(0)});
    std::vector<uint16_t> table;  // log2(1 + i / 128) - i / 128 in Q0.16
    for (int i = 0; i <= 128; ++i) {
      table.push_back(static_cast<uint16_t>(std::lround((std::log2(1.0 + i / 128.0) - i / 128.0) * 65536.0)));
    }
    call.constants = {{"log_table", DType::u16, to_bytes(table), false}};
    call.order = channel_by_channel;
    return call;
  }

 private:
  int32_t correction_bits_, scale_;
};

Made make_filter_bank(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t channels = options.integer("num_channels", 1, 4096);
  options.require_all_read();
  return {std::make_shared<SignalFilterBank>(channels), {0, 1, 2, 3, 4, 5}};
}

Made make_square_root(const tflite::OpView& view) {
  if (!view.custom_options.empty()) tflite::CustomOptions(view).require_all_read();
  return {std::make_shared<SignalSquareRoot>(), {0, 1}};
}

Made make_spectral_subtraction(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const auto factor = [&](const char* name) { return static_cast<uint32_t>(options.integer(name, 0, INT32_MAX)); };
  nn::SignalSpectralSubtraction p{};
  p.channels = options.integer("num_channels", 1, 4096);
  p.smoothing = factor("smoothing"), p.one_minus_smoothing = factor("one_minus_smoothing");
  p.alternate_smoothing = factor("alternate_smoothing");
  p.alternate_one_minus_smoothing = factor("alternate_one_minus_smoothing");
  p.least_remaining = factor("min_signal_remaining");
  p.smoothing_bits = options.integer("smoothing_bits", 0, 31);
  p.bits = options.integer("spectral_subtraction_bits", 0, 63);
  p.clamping = options.boolean("clamping") ? 1 : 0;
  options.require_all_read();
  const auto bytes = static_cast<size_t>(p.channels) * sizeof(uint32_t);
  return {std::make_shared<SignalSpectralSubtraction>(p),
          {0},
          {Tensor{"noise estimate", {DType::u32, {p.channels}, {}}, Bytes(bytes), true}}};
}

Made make_pcan(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t shift = options.integer("snr_shift", 0, 63);
  options.require_all_read();
  return {std::make_shared<SignalPcan>(shift), {0, 1, 2}};
}

Made make_log(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t correction = options.integer("input_correction_bits", 0, 31);
  const int32_t scale = options.integer("output_scale", 0, INT32_MAX);
  options.require_all_read();
  return {std::make_shared<SignalFilterBankLog>(correction, scale), {0}};
}

Tensor random_table(std::mt19937& random, size_t count, int64_t low, int64_t high) {
  std::vector<int16_t> values(count);
  for (int16_t& value : values) value = static_cast<int16_t>(random_integer(random, low, high));
  return signal_constant("table", DType::i16, to_bytes(values));
}

Sample sample_filter_bank(std::mt19937& random) {
  const int64_t channels = random_integer(random, 1, 6), bins = random_integer(random, 8, 30);
  const auto count = static_cast<size_t>(channels) + 1;
  Sample sample{std::make_shared<SignalFilterBank>(static_cast<int32_t>(channels)),
                {variable({DType::u32, {bins}, {}})},
                {{DType::u64, {channels}, {}}},
                4096.0};  // doubles hold 53 bits of the sums' 48 to 52
  sample.in.emplace_back(random_table(random, 20, 0, 4096));
  sample.in.emplace_back(random_table(random, 20, 0, 4096));
  sample.in.emplace_back(random_table(random, count, 0, bins - 5));
  sample.in.emplace_back(random_table(random, count, 0, 15));
  sample.in.emplace_back(random_table(random, count, 0, 5));
  return sample;
}

Sample sample_spectral_subtraction(std::mt19937& random, int64_t count) {
  const auto half = [&] { return static_cast<uint32_t>(random_integer(random, 0, 8191)); };
  const nn::SignalSpectralSubtraction p{static_cast<int32_t>(count),
                                        half(),
                                        half(),
                                        half(),
                                        half(),
                                        half(),
                                        static_cast<int32_t>(random_integer(random, 0, 12)),
                                        14,
                                        chance(random, 50) ? 1 : 0};
  const TensorType type{DType::u32, {count}, {}};
  return {std::make_shared<SignalSpectralSubtraction>(p),
          {variable(type), Tensor{"noise", type, {}, true}},
          {type, type},
          0.0};
}

Sample sample(std::mt19937& random) {
  const int64_t count = random_integer(random, 1, 20);
  const TensorType u32{DType::u32, {count}, {}}, u64{DType::u64, {count}, {}}, i16{DType::i16, {count}, {}};
  switch (random_integer(random, 0, 4)) {
    case 0: return sample_filter_bank(random);
    case 1: {
      const std::vector<int32_t> bits{static_cast<int32_t>(random_integer(random, 0, 15))};
      return {std::make_shared<SignalSquareRoot>(),
              {variable(u64), signal_constant("scale", DType::i32, to_bytes(bits))},
              {u32},
              1.0};
    }
    case 2: return sample_spectral_subtraction(random, count);
    case 3:
      return {std::make_shared<SignalPcan>(static_cast<int32_t>(random_integer(random, 12, 40))),
              {variable(u32), variable(u32), random_table(random, 125, 0, 1000)},
              {u32},
              0.0};
    default: {
      const auto scale = static_cast<int32_t>(random_integer(random, 1, 2900));
      const auto correction = static_cast<int32_t>(random_integer(random, 0, 8));
      // Between its entries the table's correction is constant: up to 224 / 2^16 of log2.
      return {
          std::make_shared<SignalFilterBankLog>(correction, scale), {variable(u32)}, {i16}, 0.6 + 0.0024 * scale};
    }
  }
}

}  // namespace

extern const OpDef signal_filter_bank{
    .name = "signal_filter_bank",
    .tflite = {{"SignalFilterBank", make_filter_bank},
               {"SignalFilterBankSquareRoot", make_square_root},
               {"SignalFilterBankSpectralSubtraction", make_spectral_subtraction},
               {"SignalPCAN", make_pcan},
               {"SignalFilterBankLog", make_log}},
    .sample = sample};

}  // namespace mote::op
