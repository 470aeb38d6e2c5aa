// SPDX-License-Identifier: Apache-2.0
// Fourier transform of real signals: everything the compiler knows about it.
#include <numbers>

#include "nn/fft.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/signal.hpp"

namespace mote::op {

namespace {

// A fraction of one as the kernels' number types hold it.
template <class T>
T fraction(double value) {
  if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(value);
  } else {
    return static_cast<T>(std::floor(0.5 + static_cast<double>(std::numeric_limits<T>::max()) * value));
  }
}

// What nn::real_fft reads: the factors of the complex transform, then those that take the two halves apart.
template <class T>
Bytes twiddles(int64_t length) {
  const auto n = static_cast<int>(length / 2);
  std::vector<T> values;
  const auto append = [&](double phase) {
    values.push_back(fraction<T>(std::cos(phase)));
    values.push_back(fraction<T>(std::sin(phase)));
  };
  for (int k = 0; k < n; ++k) append(-2.0 * std::numbers::pi * k / n);
  for (int k = 0; k < n / 2; ++k) append(-std::numbers::pi * (static_cast<double>(k + 1) / n + 0.5));
  return to_bytes(values);
}

class SignalRfft final : public Operator {
 public:
  explicit SignalRfft(int32_t length) : length_(length) {}
  [[nodiscard]] std::string name() const override { return "signal_rfft"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("length={}", length_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i16, DType::i32, DType::f32}, "input");
    require(!input.shape.empty() && input.shape.back() <= length_, "has an input {} for a transform of {} numbers",
            to_text(input.shape), length_);
    Shape shape = input.shape;
    shape.back() = length_ + 2;  // real and imaginary parts of length / 2 + 1 frequencies
    return signal_outputs(declared, {{input.dtype, shape}});
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const auto numbers = static_cast<size_t>(in[0]->type.shape.back());
    const double divisor = in[0]->type.dtype == DType::f32 ? 1.0 : length_;  // fixed point divides by the length
    std::vector<double> result;
    for (size_t row = 0; row < x[0].size(); row += numbers) {
      for (int k = 0; k <= length_ / 2; ++k) {
        double real = 0.0, imaginary = 0.0;
        for (size_t i = 0; i < numbers; ++i) {
          const double phase = -2.0 * std::numbers::pi * k * static_cast<double>(i) / length_;
          real += x[0][row + i] * std::cos(phase), imaginary += x[0][row + i] * std::sin(phase);
        }
        result.push_back(real / divisor), result.push_back(imaginary / divisor);
      }
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    Region needed = region;
    needed.dims[static_cast<size_t>(region.rank) - 1] = {0, in[0]->type.shape.back()};
    return needed;
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {  // four products a butterfly
    const int64_t rows = elements(in[0]->type.shape) / in[0]->type.shape.back();
    return {rows * length_ * std::ilogb(length_)};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Shape& shape = in[0]->type.shape;
    const nn::Fft p{narrow<int32_t>(elements(shape) / shape.back()), narrow<int32_t>(shape.back()), length_,
                    length_ + 2};
    const std::vector<Argument> arguments{input(0), constant(0), scratch(), output(0)};
    Call call;
    const DType dtype = in[0]->type.dtype;
    if (dtype == DType::i16) {
      call = make_call(nn::rfft_s16, "rfft_s16", "nn/fft.hpp", "Fft", p, arguments);
      call.constants = {{"twiddles", dtype, twiddles<int16_t>(length_), false}};
    } else if (dtype == DType::i32) {
      call = make_call(nn::rfft_s32, "rfft_s32", "nn/fft.hpp", "Fft", p, arguments);
      call.constants = {{"twiddles", dtype, twiddles<int32_t>(length_), false}};
    } else {
      call = make_call(nn::rfft_f32, "rfft_f32", "nn/fft.hpp", "Fft", p, arguments);
      call.constants = {{"twiddles", dtype, twiddles<float>(length_), false}};
    }
    call.scratch_bytes = static_cast<int64_t>(length_) * bits(dtype) / 8;
    call.order = {.dims = static_cast<int>(shape.size()) - 1, .block = 1, .reads_first = true};
    return call;
  }

 private:
  int32_t length_;
};

Made make_rfft(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t length = options.integer("fft_length", 4, 1 << 16);
  (void)options.integer("T", 0, 255);  // the data type, which the tensors state as well
  options.require_all_read();
  require((length & (length - 1)) == 0, "has a transform of length {}; only powers of two are supported", length);
  return {std::make_shared<SignalRfft>(length), {0}};
}

Sample sample(std::mt19937& random) {
  const int64_t length = int64_t{1} << random_integer(random, 5, 7);
  const DType dtype = chance(random, 60) ? DType::i16 : chance(random, 50) ? DType::i32 : DType::f32;
  Shape shape{random_integer(random, length / 2 + 1, length)};
  if (chance(random, 50)) shape.insert(shape.begin(), random_integer(random, 1, 2));
  const TensorType input{dtype, shape, {}};
  shape.back() = length + 2;
  return {std::make_shared<SignalRfft>(static_cast<int32_t>(length)),
          {variable(input)},
          {{dtype, shape, {}}},
          dtype == DType::f32 ? 1e-5 : 6.0};
}

}  // namespace

extern const OpDef signal_fft{.name = "signal_fft", .tflite = {{"SignalRfft", make_rfft}}, .sample = sample};

}  // namespace mote::op
