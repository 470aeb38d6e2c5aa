// SPDX-License-Identifier: Apache-2.0
// Recurrent layers over a whole sequence, in float: everything the compiler knows about them.
#include "ops/recurrent.hpp"

#include <cmath>
#include <numeric>

#include "nn/recurrent.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {
namespace recurrent {

namespace {

constexpr const char* header = "nn/recurrent.hpp";

int64_t gates_of(Cell cell) { return cell == Cell::rnn ? 1 : cell == Cell::gru ? 3 : 4; }

bool has(Inputs in, size_t index) { return index < in.size() && in[index] != nullptr; }

struct Sizes {
  int64_t batches = 0, steps = 0, inputs = 0, units = 0;
};

Sizes sizes_of(Inputs in, const Options& options) {
  const Shape& input = op::input_type(in, x).shape;
  const Shape& state = op::input_type(in, recurrence).shape;
  require(input.size() == 3 && state.size() == 2,
          "has an input {} and recurrent weights {}; it needs 3 and 2 "
          "dimensions",
          to_text(input), to_text(state));
  return {input[options.time_major ? 1 : 0], input[options.time_major ? 0 : 1], input[2], state[1]};
}

double activated(Activation which, double value) {
  if (which == logistic) return 1.0 / (1.0 + std::exp(-value));
  return which == Activation::tanh ? std::tanh(value) : std::max(value, 0.0);
}

using Vector = std::vector<double>;

// sums[row] += rows of `matrix` times `values`.
void accumulate(const double* matrix, const Vector& values, Vector& sums, size_t first, size_t rows) {
  for (size_t row = 0; row < rows; ++row) {
    sums[first + row] += std::inner_product(values.begin(), values.end(), matrix + row * values.size(), 0.0);
  }
}

// One batch's cell, step by step, from the definition.
class Reference {
 public:
  Reference(const Options& options, Inputs in, const Reals& real, int64_t batch)
      : options_(options), in_(in), real_(real), units_(static_cast<size_t>(sizes_of(in, options).units)) {
    state_ = initial(initial_state, batch);
    cell_ = initial(initial_cell, batch);
  }

  Vector state_, cell_;

  void step(const Vector& input) {
    switch (options_.cell) {
      case Cell::rnn: return rnn(input);
      case Cell::gru: return gru(input);
      case Cell::lstm: return lstm(input);
    }
  }

 private:
  [[nodiscard]] Vector initial(size_t index, int64_t batch) const {
    if (!has(in_, index)) return Vector(units_, 0.0);
    const auto first = real_[index].begin() + batch * static_cast<int64_t>(units_);
    return {first, first + static_cast<int64_t>(units_)};
  }

  // Bias and products of gates [first, first + count).
  [[nodiscard]] Vector sums(const Vector& input, size_t first, size_t count, const Vector* state) const {
    const auto begin = real_[bias].begin() + static_cast<std::ptrdiff_t>(first * units_);
    Vector result(begin, begin + static_cast<std::ptrdiff_t>(count * units_));
    accumulate(real_[weights].data() + first * units_ * input.size(), input, result, 0, count * units_);
    if (state == nullptr) return result;
    accumulate(real_[recurrence].data() + first * units_ * units_, *state, result, 0, count * units_);
    return result;
  }

  void rnn(const Vector& input) {
    Vector next = sums(input, 0, 1, &state_);
    for (double& value : next) value = activated(options_.candidate, value);
    state_ = next;
  }

  void gru(const Vector& input) {
    Vector gates = sums(input, 0, 2, &state_);
    for (double& value : gates) value = activated(options_.gate, value);
    Vector content = sums(input, 2, 1, nullptr), fed(units_, 0.0);
    const double* const matrix = real_[recurrence].data() + 2 * units_ * units_;
    if (options_.reset_after) {
      std::copy_n(real_[bias].begin() + static_cast<std::ptrdiff_t>(3 * units_), units_, fed.begin());
      accumulate(matrix, state_, fed, 0, units_);
      for (size_t i = 0; i < units_; ++i) content[i] += gates[units_ + i] * fed[i];
    } else {
      for (size_t i = 0; i < units_; ++i) fed[i] = gates[units_ + i] * state_[i];
      accumulate(matrix, fed, content, 0, units_);
    }
    for (size_t i = 0; i < units_; ++i) {
      state_[i] = (1.0 - gates[i]) * activated(options_.candidate, content[i]) + gates[i] * state_[i];
    }
  }

  void lstm(const Vector& input) {
    Vector gates = sums(input, 0, 4, &state_);
    const auto look = [&](size_t gate, size_t i) {
      return has(in_, peephole) ? real_[peephole][gate * units_ + i] * cell_[i] : 0.0;
    };
    for (size_t i = 0; i < units_; ++i) {
      const double open = activated(options_.gate, gates[i] + look(0, i));
      const double forget = activated(options_.gate, gates[units_ + i] + look(1, i));
      cell_[i] = forget * cell_[i] + open * activated(options_.candidate, gates[3 * units_ + i]);
      state_[i] =
          activated(options_.gate, gates[2 * units_ + i] + look(2, i)) * activated(options_.squash, cell_[i]);
    }
  }

  const Options& options_;
  Inputs in_;
  const Reals& real_;
  size_t units_;
};

class Layer final : public Operator {
 public:
  explicit Layer(const Options& options) : options_(options) {}

  [[nodiscard]] std::string name() const override {
    return options_.cell == Cell::rnn ? "rnn" : options_.cell == Cell::gru ? "gru" : "lstm";
  }
  [[nodiscard]] std::string parameters() const override {
    static constexpr const char* names[] = {"logistic", "tanh", "relu"};
    return fmt::format("{}{}{}{} {},{},{}", options_.time_major ? "time_major" : "batch_major",
                       options_.reverse ? " reverse" : "", options_.reset_after ? " reset_after" : "",
                       options_.sequence ? "" : " last_only", names[options_.gate], names[options_.candidate],
                       names[options_.squash]);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == all_inputs, "has {} inputs, it takes {}", in.size(), all_inputs);
    const Sizes s = sizes_of(in, options_);
    check(in, s);
    Types out = declared;
    const size_t count = (options_.sequence ? 1U : 0U) + (options_.cell == Cell::lstm ? 2U : 1U);
    require(out.size() == count, "has {} outputs, it gives {}", out.size(), count);
    for (TensorType& type : out) type.shape = {s.batches, s.units};
    if (options_.sequence) {
      out[0].shape = in[x]->type.shape;
      out[0].shape.back() = s.units;
    }
    for (const TensorType& type : out)
      require(type.dtype == DType::f32, "has an output of type {}; it gives f32", mote::name(type.dtype));
    return out;
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& real) const override {
    const Sizes s = sizes_of(in, options_);
    Vector sequence(static_cast<size_t>(s.batches * s.steps * s.units)), states, cells;
    for (int64_t batch = 0; batch < s.batches; ++batch) {
      Reference cell(options_, in, real, batch);
      for (int64_t turn = 0; turn < s.steps; ++turn) {
        const int64_t time = options_.reverse ? s.steps - 1 - turn : turn;
        const int64_t row = options_.time_major ? time * s.batches + batch : batch * s.steps + time;
        const auto first = real[x].begin() + row * s.inputs;
        cell.step({first, first + s.inputs});
        std::copy(cell.state_.begin(), cell.state_.end(), sequence.begin() + row * s.units);
      }
      states.insert(states.end(), cell.state_.begin(), cell.state_.end());
      cells.insert(cells.end(), cell.cell_.begin(), cell.cell_.end());
    }
    Reals result;
    if (options_.sequence) result.push_back(sequence);
    result.push_back(states);
    if (options_.cell == Cell::lstm) result.push_back(cells);
    return result;
  }

  [[nodiscard]] Work work(Inputs in, const Types&) const override {
    const Sizes s = sizes_of(in, options_);
    return {s.batches * s.steps * gates_of(options_.cell) * s.units * (s.inputs + s.units)};
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override;

 private:
  void check(Inputs in, const Sizes& s) const {
    const int64_t gates = gates_of(options_.cell);
    const auto takes = [&](size_t index, int64_t count, bool constant, std::string_view what) {
      const TensorType& type = op::input_type(in, index);
      require(type.dtype == DType::f32, "has {} of type {}; float32 is supported", what, mote::name(type.dtype));
      require(elements(type.shape) == count && (in[index]->constant() || !constant),
              "has {} of shape {}; {} of {} elements were expected", what, to_text(type.shape),
              constant ? "constants" : "numbers", count);
    };
    takes(x, s.batches * s.steps * s.inputs, false, "an input");
    takes(weights, gates * s.units * s.inputs, true, "weights");
    takes(recurrence, gates * s.units * s.units, true, "recurrent weights");
    takes(bias, (gates + (options_.reset_after ? 1 : 0)) * s.units, true, "a bias");
    if (has(in, peephole)) takes(peephole, 3 * s.units, true, "peepholes");
    if (has(in, initial_state)) takes(initial_state, s.batches * s.units, false, "an initial state");
    if (has(in, initial_cell)) takes(initial_cell, s.batches * s.units, false, "an initial cell state");
  }

  [[nodiscard]] nn::Recurrent params(const Sizes& s) const {
    const auto batch_rows = narrow<int32_t>(options_.time_major ? 1 : s.steps);
    const auto step_rows = narrow<int32_t>(options_.time_major ? s.batches : 1);
    const bool rows = options_.sequence;
    return {narrow<int32_t>(s.batches),
            narrow<int32_t>(s.steps),
            batch_rows,
            step_rows,
            rows ? batch_rows : 0,
            rows ? step_rows : 0,
            narrow<int32_t>(s.inputs),
            narrow<int32_t>(s.units),
            options_.gate,
            options_.candidate,
            options_.squash,
            options_.reverse,
            options_.reset_after};
  }

  Options options_;
};

Call Layer::lower(Inputs in, const Types&) const {
  const Sizes s = sizes_of(in, options_);
  std::vector<Constant> constants;
  const auto flash = [&](const char* name, Bytes data) {  // without data: a null pointer
    constants.push_back({name, DType::f32, std::move(data)});
    return constant(constants.size() - 1);
  };
  const auto data = [&](size_t index, const char* name) {
    if (!has(in, index)) return flash(name, {});
    return in[index]->constant() ? flash(name, in[index]->data) : input(index);
  };
  std::vector<Argument> arguments{input(x), data(weights, "weights"), data(recurrence, "recurrent"),
                                  data(bias, "bias")};
  if (options_.cell == Cell::lstm) arguments.push_back(data(peephole, "peephole"));
  arguments.push_back(data(initial_state, "initial"));
  if (options_.cell == Cell::lstm) arguments.push_back(data(initial_cell, "initial_cell"));
  const bool gated = options_.cell != Cell::rnn;
  if (gated) arguments.push_back(scratch());
  arguments.push_back(options_.sequence ? output(0) : scratch());
  const size_t state = options_.sequence ? 1 : 0;
  arguments.push_back(output(state));
  if (options_.cell == Cell::lstm) arguments.push_back(output(state + 1));
  const auto call_of = [&](auto kernel, const char* function) {
    return make_call(kernel, function, header, "Recurrent", params(s), arguments);
  };
  Call call = options_.cell == Cell::rnn   ? call_of(nn::rnn_f32, "rnn_f32")
              : options_.cell == Cell::gru ? call_of(nn::gru_f32, "gru_f32")
                                           : call_of(nn::lstm_sequence_f32, "lstm_sequence_f32");
  const int64_t vectors = gated ? 5 : options_.sequence ? 0 : 1;  // gates, and the row that nobody wants
  call.scratch_bytes = vectors * s.units * static_cast<int64_t>(sizeof(float));
  call.constants = std::move(constants);
  return call;
}

Sample sample(std::mt19937& random) {
  Options options;
  options.cell = static_cast<Cell>(op::random_integer(random, 0, 2));
  options.time_major = op::chance(random, 50), options.reverse = op::chance(random, 50);
  options.sequence = op::chance(random, 60);
  options.reset_after = options.cell == Cell::gru && op::chance(random, 50);
  options.candidate = op::chance(random, 70) ? Activation::tanh : Activation::relu;
  const int64_t batches = op::random_integer(random, 1, 3), steps = op::random_integer(random, 1, 5),
                inputs = op::random_integer(random, 1, 7), units = op::random_integer(random, 1, 6),
                gates = gates_of(options.cell);
  std::vector<std::optional<Tensor>> in(all_inputs);
  const auto numbers = [&](size_t index, Shape shape, int constant_chance) {
    Tensor tensor{"x", {DType::f32, std::move(shape), {}}, {}};
    if (op::chance(random, constant_chance)) {
      std::vector<float> values(static_cast<size_t>(elements(tensor.type.shape)));
      for (float& value : values) value = op::random_real(random, -0.5F, 0.5F);
      tensor.data = to_bytes(values);
    }
    in[index] = std::move(tensor);
  };
  numbers(x, options.time_major ? Shape{steps, batches, inputs} : Shape{batches, steps, inputs}, 0);
  numbers(weights, {gates * units, inputs}, 100);
  numbers(recurrence, {gates * units, units}, 100);
  numbers(bias, {(gates + (options.reset_after ? 1 : 0)) * units}, 100);
  if (options.cell == Cell::lstm && op::chance(random, 30)) numbers(peephole, {3 * units}, 100);
  if (op::chance(random, 50)) numbers(initial_state, {batches, units}, 50);
  if (options.cell == Cell::lstm && op::chance(random, 50)) numbers(initial_cell, {batches, units}, 50);
  Types out;
  const TensorType state{DType::f32, {batches, units}, {}};
  if (options.sequence) {
    out.push_back(in[x]->type);
    out[0].shape.back() = units;
  }
  out.push_back(state);
  if (options.cell == Cell::lstm) out.push_back(state);
  // Absolute errors of tanh near 0 are those of numbers near 1; a layer of one unit may have nothing larger.
  return {make(options), std::move(in), out, 1e-3};
}

}  // namespace

OperatorPtr make(const Options& options) { return std::make_shared<Layer>(options); }

}  // namespace recurrent

namespace op {

extern const OpDef recurrent{.name = "recurrent", .tflite = {}, .sample = mote::recurrent::sample};

}  // namespace op
}  // namespace mote
