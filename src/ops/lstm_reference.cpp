// SPDX-License-Identifier: Apache-2.0
#include "ops/lstm_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mote::lstm {

namespace {

using Vector = std::vector<double>;

double sigmoid(double value) { return 1.0 / (1.0 + std::exp(-value)); }

double dot(const double* a, const double* b, int64_t count) { return std::inner_product(a, a + count, b, 0.0); }

void normalize(Vector& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0.0;
  for (double& value : values) value -= mean, squares += value * value;
  for (double& value : values) value /= std::sqrt(squares / count + 1e-8);
}

// The state of one batch while it runs.
class Cells {
 public:
  Cells(Inputs in, const Options& options, const Reals& x, int64_t batch)
      : in_(in), options_(options), x_(x), sizes_(sizes(in, options)) {
    const auto slice = [&](size_t input, int64_t count) {
      const auto first = x[input].begin() + batch * count;
      return Vector(first, first + count);
    };
    state_ = slice(output_state, sizes_.outputs);
    cell_ = slice(cell_state, sizes_.units);
    limit_ = std::numeric_limits<double>::infinity();
    if (in[cell_state]->type.dtype == DType::i16) {
      limit_ = 32768.0 * static_cast<double>(tensor_scale(in[cell_state]->type, "cell state"));
    }
    if (options.cell_clip > 0.0F) limit_ = std::min(limit_, static_cast<double>(options.cell_clip));
  }

  const Vector& step(const double* input) {
    const Vector forget = activated(gate(1, input), sigmoid);
    const Vector candidate = activated(gate(2, input), [](double value) { return std::tanh(value); });
    Vector open(forget.size());
    if (coupled(in_)) {
      std::transform(forget.begin(), forget.end(), open.begin(), [](double value) { return 1.0 - value; });
    } else {
      open = activated(gate(0, input), sigmoid);
    }
    for (size_t u = 0; u < cell_.size(); ++u) {
      cell_[u] = std::clamp(forget[u] * cell_[u] + open[u] * candidate[u], -limit_, limit_);
    }
    Vector hidden = activated(gate(3, input), sigmoid);
    for (size_t u = 0; u < cell_.size(); ++u) hidden[u] *= std::tanh(cell_[u]);
    state_ = has(in_, projection) ? projected(hidden) : hidden;
    return state_;
  }

 private:
  template <class Function>
  static Vector activated(Vector values, Function function) {
    for (double& value : values) value = function(value);
    return values;
  }

  [[nodiscard]] Vector gate(size_t g, const double* input) const {
    const size_t peepholes[] = {peephole, peephole + 1, all_inputs, peephole + 2};
    Vector values(cell_.size());
    for (size_t u = 0; u < values.size(); ++u) {
      const auto unit = static_cast<int64_t>(u);
      values[u] = dot(x_[input_weights + g].data() + unit * sizes_.inputs, input, sizes_.inputs) +
                  dot(x_[recurrent_weights + g].data() + unit * sizes_.outputs, state_.data(), sizes_.outputs);
      if (has(in_, peepholes[g])) values[u] += x_[peepholes[g]][u] * cell_[u];
    }
    if (has(in_, norm + 3)) {
      normalize(values);
      for (size_t u = 0; u < values.size(); ++u) values[u] *= x_[norm + g][u];
    }
    for (size_t u = 0; u < values.size(); ++u) values[u] += x_[bias + g][u];
    return values;
  }

  [[nodiscard]] Vector projected(const Vector& hidden) const {
    Vector result(static_cast<size_t>(sizes_.outputs));
    const double limit = options_.projection_clip > 0.0F ? static_cast<double>(options_.projection_clip)
                                                         : std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < result.size(); ++i) {
      const double sum =
          dot(x_[projection].data() + static_cast<int64_t>(i) * sizes_.units, hidden.data(), sizes_.units);
      result[i] = std::clamp(sum + (has(in_, projection_bias) ? x_[projection_bias][i] : 0.0), -limit, limit);
    }
    return result;
  }

  Inputs in_;
  const Options& options_;
  const Reals& x_;
  Sizes sizes_;
  Vector state_, cell_;
  double limit_ = 0.0;  // of the cell state
};

}  // namespace

Reals reference(Inputs in, const Options& options, const Reals& x) {
  const Sizes s = sizes(in, options);
  Vector result(static_cast<size_t>(s.batches * s.steps * s.outputs));
  for (int64_t batch = 0; batch < s.batches; ++batch) {
    Cells cells(in, options, x, batch);
    for (int64_t step = 0; step < s.steps; ++step) {
      const int64_t row = batch * s.batch_rows + step * s.step_rows;
      const Vector& out = cells.step(x[0].data() + row * s.inputs);
      std::copy(out.begin(), out.end(), result.begin() + row * s.outputs);
    }
  }
  return {result};
}

}  // namespace mote::lstm
