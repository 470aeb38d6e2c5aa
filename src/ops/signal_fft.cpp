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
Bytes twiddles(int64_t length, double sign) {
  const auto n = static_cast<int>(length / 2);
  std::vector<T> values;
  const auto append = [&](double phase) {
    values.push_back(fraction<T>(std::cos(phase)));
    values.push_back(fraction<T>(std::sin(phase)));
  };
  for (int k = 0; k < n; ++k) append(sign * 2.0 * std::numbers::pi * k / n);
  for (int k = 0; k < n / 2; ++k) append(sign * std::numbers::pi * (static_cast<double>(k + 1) / n + 0.5));
  return to_bytes(values);
}

// Transforms of real signals to complex spectra and back.
class FourierTransform : public Operator {
 public:
  explicit FourierTransform(int32_t length) : length_(length) {}
  [[nodiscard]] std::string parameters() const override { return fmt::format("length={}", length_); }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    Region needed = region;
    needed.dims[static_cast<size_t>(region.rank) - 1] = {0, in[0]->type.shape.back()};
    return needed;
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {  // four products a butterfly
    return {elements(in[0]->type.shape) / in[0]->type.shape.back() * length_ * std::ilogb(length_)};
  }

 protected:
  // The last extent of the input becomes `last`.
  [[nodiscard]] static Types with_last(Inputs in, const Types& declared, int64_t last) {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i16, DType::i32, DType::f32}, "input");
    Shape shape = input.shape;
    shape.back() = last;
    return signal_outputs(declared, {{input.dtype, shape}});
  }

  template <class T>
  [[nodiscard]] Call call(void (*kernel)(const nn::Fft&, const T*, const T*, T*, T*), const char* name, Inputs in,
                          const Types& out, double sign) const {
    const Shape& shape = in[0]->type.shape;
    const nn::Fft p{narrow<int32_t>(elements(shape) / shape.back()), narrow<int32_t>(shape.back()), length_,
                    narrow<int32_t>(out[0].shape.back())};
    std::vector<Constant> constants{{"twiddles", in[0]->type.dtype, twiddles<T>(length_, sign), false}};
    const Argument data = data_argument(in, 0, constants);
    Call call = make_call(kernel, name, "nn/fft.hpp", "Fft", p, {data, constant(0), scratch(), output(0)});
    call.constants = std::move(constants);
    call.scratch_bytes = int64_t{length_} * static_cast<int64_t>(sizeof(T));
    call.order = {.dims = static_cast<int>(shape.size()) - 1, .block = 1, .reads_first = true};
    return call;
  }

  int32_t length_;
};

class SignalRfft final : public FourierTransform {
 public:
  using FourierTransform::FourierTransform;
  [[nodiscard]] std::string name() const override { return "signal_rfft"; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const Shape& shape = one_input(in).shape;
    require(!shape.empty() && shape.back() <= length_, "has an input {} for a transform of {} numbers",
            to_text(shape), length_);
    return with_last(in, declared, length_ + 2);  // real and imaginary parts of length / 2 + 1 frequencies
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

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    if (in[0]->type.dtype == DType::i16) return call(nn::rfft_s16, "rfft_s16", in, out, -1.0);
    if (in[0]->type.dtype == DType::i32) return call(nn::rfft_s32, "rfft_s32", in, out, -1.0);
    return call(nn::rfft_f32, "rfft_f32", in, out, -1.0);
  }
};

class SignalIrfft final : public FourierTransform {
 public:
  using FourierTransform::FourierTransform;
  [[nodiscard]] std::string name() const override { return "signal_irfft"; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const Shape& shape = one_input(in).shape;
    require(!shape.empty() && shape.back() == length_ + 2, "has an input {}; a transform of {} takes {} numbers",
            to_text(shape), length_, length_ + 2);
    return with_last(in, declared, length_);
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    const auto numbers = static_cast<size_t>(length_) + 2;
    std::vector<double> result;
    for (size_t row = 0; row < x[0].size(); row += numbers) {
      for (int i = 0; i < length_; ++i) {
        double sum = 0.0;
        for (int k = 0; k <= length_ / 2; ++k) {
          const double phase = 2.0 * std::numbers::pi * k * i / length_;
          const size_t bin = row + 2 * static_cast<size_t>(k);
          const bool paired = k != 0 && k != length_ / 2;  // with its conjugate, which the input leaves out
          sum += (paired ? 2.0 : 1.0) * x[0][bin] * std::cos(phase) -
                 (paired ? 2.0 : 0.0) * x[0][bin + 1] * std::sin(phase);
        }
        result.push_back(sum / length_);
      }
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    if (in[0]->type.dtype == DType::i16) return call(nn::irfft_s16, "irfft_s16", in, out, 1.0);
    if (in[0]->type.dtype == DType::i32) return call(nn::irfft_s32, "irfft_s32", in, out, 1.0);
    return call(nn::irfft_f32, "irfft_f32", in, out, 1.0);
  }
};

template <class Transform>
Made make_transform(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t length = options.integer("fft_length", 4, 1 << 16);
  (void)options.integer("T", 0, 255);  // the data type, which the tensors state as well
  options.require_all_read();
  require((length & (length - 1)) == 0, "has a transform of length {}; only powers of two are supported", length);
  return {std::make_shared<Transform>(length), {0}};
}

// Spectra of half the range: the sums of fixed point wrap beyond it.
Tensor spectrum(std::mt19937& random, DType dtype, const Shape& shape) {
  Tensor tensor = variable({dtype, shape, {}});
  make_constant(tensor, random);
  if (dtype == DType::i16) {
    std::vector<int16_t> values = to_values<int16_t>(tensor.data);
    for (int16_t& value : values) value /= 4;
    tensor.data = to_bytes(values);
  } else if (dtype == DType::i32) {
    std::vector<int32_t> values = to_values<int32_t>(tensor.data);
    for (int32_t& value : values) value /= 4;
    tensor.data = to_bytes(values);
  }
  return tensor;
}

Sample sample(std::mt19937& random) {
  const int64_t length = int64_t{1} << random_integer(random, 5, 7);
  const DType dtype = chance(random, 60) ? DType::i16 : chance(random, 50) ? DType::i32 : DType::f32;
  const bool inverse = chance(random, 40);
  Shape shape{inverse ? length + 2 : random_integer(random, length / 2 + 1, length)};
  if (chance(random, 50)) shape.insert(shape.begin(), random_integer(random, 1, 2));
  const TensorType input{dtype, shape, {}};
  shape.back() = inverse ? length : length + 2;
  const double tolerance = dtype == DType::f32 ? 1e-5 : 8.0;
  if (inverse) {
    return {std::make_shared<SignalIrfft>(static_cast<int32_t>(length)),
            {spectrum(random, dtype, input.shape)},
            {{dtype, shape, {}}},
            tolerance};
  }
  return {std::make_shared<SignalRfft>(static_cast<int32_t>(length)),
          {variable(input)},
          {{dtype, shape, {}}},
          tolerance};
}

}  // namespace

extern const OpDef signal_fft{
    .name = "signal_fft",
    .tflite = {{"SignalRfft", make_transform<SignalRfft>}, {"SignalIrfft", make_transform<SignalIrfft>}},
    .sample = sample};

}  // namespace mote::op
