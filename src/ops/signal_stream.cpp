// SPDX-License-Identifier: Apache-2.0
// Frames, stacks, delays, overlapping sums and buffers of past inputs: everything the compiler knows about
// operators whose only state is what came before.
#include "nn/signal_stream.hpp"

#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/signal.hpp"

namespace mote::op {

namespace {

constexpr char header[] = "nn/signal_stream.hpp";
// A state that begins with `fill` in every byte.
Tensor state_of(std::string name, DType dtype, int64_t count, int fill = 0) {
  const TensorType type{dtype, {count}, {}};
  return {std::move(name), type, Bytes(static_cast<size_t>(byte_size(type)), static_cast<std::byte>(fill)), true};
}

// The state at input `index`, which whoever made the operator has sized.
void require_state(Inputs in, size_t index, DType dtype, int64_t count) {
  const TensorType& type = input_type(in, index);
  require(in[index]->state && type.dtype == dtype && elements(type.shape) == count,
          "internal: has a state of {} {}, needs {} {}", name(type.dtype), to_text(type.shape), name(dtype),
          count);
}

int64_t rows_before_last(const Shape& shape) { return elements(shape) / shape.back(); }

// Frames of `size` values, a new one every `step`. Output 1 says whether all of them were complete.
class SignalFramer final : public Operator {
 public:
  SignalFramer(int32_t size, int32_t step, bool prefill) : size_(size), step_(step), prefill_(prefill) {}
  [[nodiscard]] std::string name() const override { return "signal_framer"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("size={} step={}{}", size_, step_, prefill_ ? " prefill" : "");
  }
  [[nodiscard]] int64_t capacity() const { return (size_ + step_ - 1) / step_ * step_; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = signal_input(in, 0, DType::i16, -1);
    require(!input.shape.empty() && input.shape.back() % step_ == 0,
            "has an input {} that is no multiple of step {}", to_text(input.shape), step_);
    require_state(in, 1, DType::i16, rows_before_last(input.shape) * capacity());
    require_state(in, 2, DType::i32, 1);
    Shape shape = input.shape;
    shape.back() /= step_;
    shape.push_back(size_);
    return signal_outputs(declared, {{DType::i16, shape}, {DType::boolean, {}}});
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const auto row_size = static_cast<size_t>(in[0]->type.shape.back());
    const auto room = static_cast<size_t>(capacity()), size = static_cast<size_t>(size_),
               step = static_cast<size_t>(step_);
    const size_t kept = prefill_ ? size - step : static_cast<size_t>(x[2][0]);
    std::vector<double> out;
    double valid = 1.0;
    for (size_t row = 0; row * row_size < x[0].size(); ++row) {
      const auto memory = x[1].begin() + static_cast<ptrdiff_t>(row * room);
      std::vector<double> signal(memory, memory + static_cast<ptrdiff_t>(kept));
      for (size_t i = 0; i < row_size; i += step) {
        const auto piece = x[0].begin() + static_cast<ptrdiff_t>(row * row_size + i);
        signal.insert(signal.end(), piece, piece + step_);
        const bool complete = signal.size() >= size;
        const std::vector<double> frame = complete ? std::vector<double>(signal.begin(), signal.begin() + size_)
                                                   : std::vector<double>(size, 0.0);
        out.insert(out.end(), frame.begin(), frame.end());
        if (complete) signal.erase(signal.begin(), signal.begin() + step_);
        if (!complete) valid = 0.0;
      }
    }
    return {out, {valid}};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Shape& shape = in[0]->type.shape;
    const nn::SignalFramer p{narrow<int32_t>(rows_before_last(shape)),
                             narrow<int32_t>(shape.back() / step_),
                             size_,
                             step_,
                             narrow<int32_t>(capacity()),
                             prefill_ ? 1 : 0};
    return make_call(nn::signal_framer_s16, "signal_framer_s16", header, "SignalFramer", p,
                     {input(0), state(1), state(2), output(0), output(1)});
  }

 private:
  int32_t size_, step_;
  bool prefill_;
};

// Stacks of frames: left ones, one, right ones; a new stack every `step` frames.
class SignalStacker final : public Operator {
 public:
  explicit SignalStacker(nn::SignalStacker parameters) : p_(parameters) {}
  [[nodiscard]] std::string name() const override { return "signal_stacker"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("frames={} left={} step={}", p_.frames, p_.left, p_.step);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const Shape& shape = signal_input(in, 0, DType::i16).shape;
    require(shape[0] == p_.channels, "has {} channels but an input {}", p_.channels, to_text(shape));
    require_state(in, 1, DType::i16, int64_t{p_.channels} * p_.frames);
    require_state(in, 2, DType::i32, 1);
    return signal_outputs(declared, {{DType::i16, {int64_t{p_.channels} * p_.frames}}, {DType::boolean, {}}});
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    const double kept = x[2][0];
    std::vector<double> signal(x[1].begin(),
                               x[1].begin() + static_cast<ptrdiff_t>(std::max(kept, 0.0)) * p_.channels);
    for (int i = 0; i < (kept < 0.0 ? 1 + p_.left : 1); ++i) signal.insert(signal.end(), x[0].begin(), x[0].end());
    const auto size = static_cast<size_t>(p_.channels) * static_cast<size_t>(p_.frames);
    const bool complete = signal.size() >= size;
    signal.resize(size);
    if (!complete) std::fill(signal.begin(), signal.end(), 0.0);
    return {signal, {complete ? 1.0 : 0.0}};
  }

  [[nodiscard]] Call lower(Inputs, const Types&) const override {
    return make_call(nn::signal_stacker_s16, "signal_stacker_s16", header, "SignalStacker", p_,
                     {input(0), state(1), state(2), output(0), output(1)});
  }

 private:
  nn::SignalStacker p_;
};

class SignalDelay final : public Operator {
 public:
  explicit SignalDelay(int32_t delay) : delay_(delay) {}
  [[nodiscard]] std::string name() const override { return "signal_delay"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("delay={}", delay_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = signal_input(in, 0, DType::i16, -1);
    require(!input.shape.empty(), "has a scalar to delay; it takes a signal");
    require_state(in, 1, DType::i16, rows_before_last(input.shape) * delay_);
    return signal_outputs(declared, {{DType::i16, input.shape}});
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const auto size = static_cast<size_t>(in[0]->type.shape.back()), delay = static_cast<size_t>(delay_);
    std::vector<double> out;
    for (size_t i = 0; i < x[0].size(); ++i) {
      const size_t row = i / size, at = i % size;
      out.push_back(at < delay ? x[1][row * delay + at] : x[0][i - delay]);
    }
    return {out};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Shape& shape = in[0]->type.shape;
    const nn::SignalDelay p{narrow<int32_t>(rows_before_last(shape)), narrow<int32_t>(shape.back()), delay_};
    return make_call(nn::signal_delay_s16, "signal_delay_s16", header, "SignalDelay", p,
                     {input(0), state(1), output(0)});
  }

 private:
  int32_t delay_;
};

// Adds frames up that begin `step` values after one another.
class SignalOverlapAdd final : public Operator {
 public:
  explicit SignalOverlapAdd(int32_t step) : step_(step) {}
  [[nodiscard]] std::string name() const override { return "signal_overlap_add"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("step={}", step_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = input_type(in, 0);
    require_dtype(input, {DType::i16, DType::f32}, "input");
    require(input.shape.size() >= 2 && input.shape.back() >= step_, "has an input {} for frames of step {}",
            to_text(input.shape), step_);
    Shape shape(input.shape.begin(), input.shape.end() - 1);
    require_state(in, 1, input.dtype, rows_before_last(shape) * input.shape.back());
    shape.back() *= step_;
    return signal_outputs(declared, {{input.dtype, shape}});
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const Shape& shape = in[0]->type.shape;
    const auto size = static_cast<size_t>(shape.back()), frames = static_cast<size_t>(shape[shape.size() - 2]);
    const auto step = static_cast<size_t>(step_);
    const double limit = in[0]->type.dtype == DType::i16 ? 32767.0 : 1e30;
    std::vector<double> out;
    for (size_t row = 0; row < x[0].size() / (size * frames); ++row) {
      std::vector<double> sums(frames * step + size, 0.0);
      for (size_t i = 0; i < size; ++i) sums[i] = x[1][row * size + i];
      for (size_t i = 0; i < frames * size; ++i) {
        double& sum = sums[i / size * step + i % size];
        sum = std::clamp(sum + x[0][row * frames * size + i], -limit - 1.0, limit);
      }
      out.insert(out.end(), sums.begin(), sums.begin() + static_cast<ptrdiff_t>(frames * step));
    }
    return {out};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Shape& shape = in[0]->type.shape;
    const int64_t frames = shape[shape.size() - 2];
    const nn::SignalOverlapAdd p{narrow<int32_t>(rows_before_last(shape) / frames), narrow<int32_t>(frames),
                                 narrow<int32_t>(shape.back()), step_};
    const std::vector<Argument> arguments{input(0), state(1), output(0)};
    if (in[0]->type.dtype == DType::f32) {
      return make_call(nn::signal_overlap_add_f32, "signal_overlap_add_f32", header, "SignalOverlapAdd", p,
                       arguments);
    }
    return make_call(nn::signal_overlap_add_s16, "signal_overlap_add_s16", header, "SignalOverlapAdd", p,
                     arguments);
  }

 private:
  int32_t step_;
};

// The last inputs along dimension 1, the oldest first.
class CircularBuffer final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "circular_buffer"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = input_type(in, 0);
    require_dtype(input, {DType::i8}, "input");
    const TensorType output = declared_type(declared, input.dtype);
    require(input.shape.size() == 4 && output.shape.size() == 4 && input.shape[1] <= output.shape[1] &&
                output.shape[1] % input.shape[1] == 0,
            "has input {} and output {}; both need four dimensions, and the output a multiple of the slots",
            to_text(input.shape), to_text(output.shape));
    require_same_quantization(input, output);
    require_state(in, 1, input.dtype, elements(output.shape));
    Shape shape = input.shape;
    shape[1] = output.shape[1];
    return {{input.dtype, shape, output.quant}};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const auto rows = static_cast<size_t>(in[0]->type.shape[0]);
    const size_t size = static_cast<size_t>(elements(out[0].shape)) / rows, fresh = x[0].size() / rows;
    std::vector<double> result;
    for (size_t i = 0; i < rows * size; ++i) {
      const size_t row = i / size, at = i % size + fresh;
      const double old = at < size ? x[1][row * size + at] : x[0][row * fresh + at - size];
      result.push_back(old);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const int64_t rows = in[0]->type.shape[0];
    const nn::CircularBuffer p{narrow<int32_t>(rows), narrow<int32_t>(byte_size(in[0]->type) / rows),
                               narrow<int32_t>(byte_size(out[0]) / rows)};
    return make_call(nn::circular_buffer_8, "circular_buffer_8", header, "CircularBuffer", p,
                     {input(0), state(1), output(0)});
  }
};

const TensorType& first_input(const tflite::OpView& view) {
  require(!view.inputs.empty() && view.inputs[0] != nullptr && !view.inputs[0]->type.shape.empty() &&
              elements(view.inputs[0]->type.shape) > 0,
          "has no input to work on");
  return view.inputs[0]->type;
}

Made make_framer(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t size = options.integer("frame_size", 1, 1 << 20), step = options.integer("frame_step", 1, size);
  const auto framer = std::make_shared<SignalFramer>(size, step, options.boolean("prefill"));
  options.require_all_read();
  const int64_t rows = rows_before_last(first_input(view).shape);
  return {
      framer, {0}, {state_of("samples", DType::i16, rows * framer->capacity()), state_of("count", DType::i32, 1)}};
}

Made make_stacker(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  nn::SignalStacker p{};
  p.channels = options.integer("num_channels", 1, 1 << 16);
  p.left = options.integer("stacker_left_context", 0, 1 << 10);
  p.frames = 1 + p.left + options.integer("stacker_right_context", 0, 1 << 10);
  p.step = options.integer("stacker_step", 1, p.frames);
  options.require_all_read();
  return {
      std::make_shared<SignalStacker>(p),
      {0},
      {state_of("frames", DType::i16, int64_t{p.channels} * p.frames), state_of("count", DType::i32, 1, 0xFF)}};
}

Made make_delay(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t delay = options.integer("delay_length", 1, 1 << 20);
  options.require_all_read();
  const int64_t rows = rows_before_last(first_input(view).shape);
  return {std::make_shared<SignalDelay>(delay), {0}, {state_of("samples", DType::i16, rows * delay)}};
}

Made make_overlap_add(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t step = options.integer("frame_step", 1, 1 << 20);
  (void)options.integer("T", 0, 255);  // the data type, which the tensors state as well
  options.require_all_read();
  const TensorType& input = first_input(view);
  require(input.shape.size() >= 2, "has an input {}; it takes frames", to_text(input.shape));
  const int64_t sums = elements(input.shape) / input.shape[input.shape.size() - 2];
  return {std::make_shared<SignalOverlapAdd>(step), {0}, {state_of("sums", input.dtype, sums)}};
}

Made make_circular_buffer(const tflite::OpView& view) {
  tflite::CustomOptions options(view);
  const int32_t cycles = options.integer("cycles_max", 0, INT32_MAX);
  options.require_all_read();
  require(cycles == 1,
          "ends the run unless called for the {}th time, which is not supported; split the model behind it",
          cycles);
  require(!view.outputs.empty(), "has no output");
  Tensor slots{"slots", view.outputs[0]->type, initial_state(view.outputs[0]->type), true};
  return {std::make_shared<CircularBuffer>(), {0}, {std::move(slots)}};
}

// A state of one number, with that number.
Tensor count_of(int64_t count) {
  Tensor tensor = state_of("count", DType::i32, 1);
  tensor.data = to_bytes(std::vector<int32_t>{static_cast<int32_t>(count)});
  return tensor;
}

Tensor noisy_state(TensorType type) { return {"memory", std::move(type), {}, true}; }

Sample sample_framer(std::mt19937& random) {
  const int64_t step = random_integer(random, 1, 6), size = step + random_integer(random, 0, 12);
  const int64_t rows = random_integer(random, 1, 3), frames = random_integer(random, 1, 4);
  const bool prefill = chance(random, 40);
  const auto op = std::make_shared<SignalFramer>(static_cast<int32_t>(size), static_cast<int32_t>(step), prefill);
  const int64_t kept = random_integer(random, 0, op->capacity() / step - 1) * step;
  return {op,
          {variable({DType::i16, {rows, frames * step}, {}}),
           noisy_state({DType::i16, {rows * op->capacity()}, {}}), count_of(prefill ? 0 : kept)},
          {{DType::i16, {rows, frames, size}, {}}, {DType::boolean, {}, {}}},
          0.0};
}

Sample sample_stacker(std::mt19937& random) {
  nn::SignalStacker p{};
  p.channels = static_cast<int32_t>(random_integer(random, 1, 8));
  p.left = static_cast<int32_t>(random_integer(random, 0, 3));
  p.frames = p.left + static_cast<int32_t>(random_integer(random, 1, 4));
  p.step = static_cast<int32_t>(random_integer(random, 1, p.frames));
  const int64_t all = int64_t{p.channels} * p.frames;
  return {std::make_shared<SignalStacker>(p),
          {variable({DType::i16, {p.channels}, {}}), noisy_state({DType::i16, {all}, {}}),
           count_of(random_integer(random, -1, p.frames - 1))},
          {{DType::i16, {all}, {}}, {DType::boolean, {}, {}}},
          0.0};
}

Sample sample(std::mt19937& random) {
  const int64_t rows = random_integer(random, 1, 3), size = random_integer(random, 1, 12);
  switch (random_integer(random, 0, 4)) {
    case 0: return sample_framer(random);
    case 1: return sample_stacker(random);
    case 2: {
      const int64_t delay = random_integer(random, 1, 20);
      const TensorType type{DType::i16, {rows, size}, {}};
      return {std::make_shared<SignalDelay>(static_cast<int32_t>(delay)),
              {variable(type), noisy_state({DType::i16, {rows * delay}, {}})},
              {type},
              0.0};
    }
    case 3: {
      const int64_t step = random_integer(random, 1, size), frames = random_integer(random, 1, 4);
      const DType dtype = chance(random, 50) ? DType::i16 : DType::f32;
      return {std::make_shared<SignalOverlapAdd>(static_cast<int32_t>(step)),
              {variable({dtype, {rows, frames, size}, {}}), noisy_state({dtype, {rows * size}, {}})},
              {{dtype, {rows, frames * step}, {}}},
              dtype == DType::f32 ? 1e-5 : 0.0};
    }
    default: {
      const int64_t slots = random_integer(random, 1, 3);
      const TensorType in = random_type(random, DType::i8, {rows, slots, 1, size});
      const TensorType out = reshaped(in, {rows, slots * random_integer(random, 1, 4), 1, size});
      return {std::make_shared<CircularBuffer>(), {variable(in), noisy_state(out)}, {out}, 0.0};
    }
  }
}

}  // namespace

extern const OpDef signal_stream{.name = "signal_stream",
                                 .tflite = {{"SignalFramer", make_framer},
                                            {"SignalStacker", make_stacker},
                                            {"SignalDelay", make_delay},
                                            {"SignalOverlapAdd", make_overlap_add},
                                            {"CIRCULAR_BUFFER", make_circular_buffer}},
                                 .sample = sample};

}  // namespace mote::op
