// SPDX-License-Identifier: Apache-2.0
// Random valid uses of the convolutions: odd sizes, strides, dilations, paddings, zero points, per-channel scales.
#pragma once

#include "ops/convolution.hpp"

namespace mote::convolution {

class SampleMaker {
 public:
  explicit SampleMaker(std::mt19937& random) : random_(random) {}

  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] int64_t integer(int64_t low, int64_t high);  // both included
  [[nodiscard]] double real(double low, double high);
  [[nodiscard]] Activation activation();
  [[nodiscard]] SlidingWindow window();
  [[nodiscard]] SlidingWindow window_3x3();                                  // without dilation
  [[nodiscard]] Shape input(const SlidingWindow& window, int64_t channels);  // large enough for one output

  // What not every operator takes.
  struct Uses {
    bool hybrid = true;            // real activations with quantised weights
    bool bias32 = true;            // with 16-bit activations
    bool runtime_weights = false;  // computed at run time
    bool runtime_zero = false;     // and with a zero point
  };

  // Random dtype, weights, biases and scales for an operator on these shapes.
  [[nodiscard]] Sample sample(OperatorPtr op, const Shape& input, const Shape& weights, int64_t outputs, int axis,
                              const Uses& uses);

 private:
  void complete(SlidingWindow& window);  // paddings and activation
  [[nodiscard]] Tensor integer_weights(const Shape& shape, int64_t outputs, int axis, int64_t limit);
  [[nodiscard]] Tensor integer_bias(DType dtype, int64_t outputs, double limit, float in_scale,
                                    const Tensor& weights);
  [[nodiscard]] Tensor floats(const Shape& shape);
  void pack_or_shift(Tensor& weights);
  void quantised(Sample& sample, const Shape& input, Tensor weights, int64_t outputs, int64_t limit);
  void quantised16(Sample& sample, const Shape& input, Tensor weights, int64_t outputs, const Uses& uses);

  std::mt19937& random_;
};

}  // namespace mote::convolution
