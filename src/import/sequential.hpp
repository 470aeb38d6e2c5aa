// SPDX-License-Identifier: Apache-2.0
// A model that is built by hand from integer weights, layer by layer, as a Graph.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

// Numbers are int8 without scales. Shapes are those of one input, images channels first: [N], or [C, H, W]; in the
// graph images are NHWC, and nothing moves for that: weights are permuted. Every method throws Error that names
// the layer and leaves the model as it was.
class Sequential {
 public:
  // value * multiplier / 2^shift, rounded down.
  struct Scaling {
    int32_t multiplier = 1, shift = 0;
  };
  struct Window {
    int64_t height = 1, width = 1, stride = 1, padding = 0;
  };

  explicit Sequential(Shape input_shape);  // of rank 1 or 3

  // y = clamp(floor(sum * multiplier / 2^shift) + bias). `scaling` absent: multiplier 1 and shift_for(inputs).
  // weights [out][in]; an image's inputs count channels first.
  void dense(const std::vector<int8_t>& weights, const std::vector<int32_t>& bias, std::optional<Scaling> scaling);
  // y = clamp(clamp(floor(sum * multiplier / 2^shift)) + bias); kernel [out][in][height][width], padded with 0.
  void conv2d(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias, const Window& window,
              std::optional<Scaling> scaling);
  // The same with an input channel for each output channel, or for several: kernel [out][height][width].
  void depthwise_conv2d(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias, const Window& window,
                        std::optional<Scaling> scaling);

  void relu();
  // round(127 sigmoid(i / 16)) and round(127 tanh(i / 32)) of i = x, or with `scaling` of the clamped scaled x.
  void sigmoid(std::optional<Scaling> scaling = {});
  void tanh(std::optional<Scaling> scaling = {});
  void softmax();  // floor(127 e / sum(e)), e = max(128 + 2 (x - largest), 0)
  void flatten();
  void max_pool2d(const Window& window);
  void avg_pool2d(const Window& window);  // the nearest integer of the window's mean, halves away from zero

  [[nodiscard]] const Shape& input_shape() const { return input_shape_; }
  [[nodiscard]] const Shape& output_shape() const { return shape_; }
  [[nodiscard]] const std::vector<std::string>& layers() const { return layers_; }

  // The model so far; an output of rank 3 is NHWC, a flattened image is channels first.
  [[nodiscard]] Graph graph(std::string_view name) const;

 private:
  template <class Add>
  void layer(std::string_view name, Add add);
  void add(const OperatorPtr& op, std::vector<TensorId> more_inputs = {});
  TensorId constant(DType dtype, const Shape& shape, Bytes data);
  void table(double (*function)(double), double divisor, std::optional<Scaling> scaling);
  void sum(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias, const Window& window,
           int64_t group_channels, std::optional<Scaling> scaling);
  void pool(const Window& window, bool largest);
  void to_channels_first();
  [[nodiscard]] const Shape& image() const;  // of the current tensor, NHWC

  Graph graph_;
  TensorId current_ = 0;
  Shape input_shape_, shape_;
  std::vector<std::string> layers_;
  std::string origin_;
};

// ceil(log2(inputs)) + 7: keeps the sum of that many products of int8 within int8.
[[nodiscard]] int32_t shift_for(int64_t inputs);

}  // namespace mote
