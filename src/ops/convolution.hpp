// SPDX-License-Identifier: Apache-2.0
// What convolutions (also depthwise and transposed) and fully connected layers share: they are one computation,
// which differs in geometry and in how the file orders the weights.
#pragma once

#include <string>
#include <vector>

#include "ir/rows.hpp"
#include "ops/convolution_kernels.hpp"
#include "ops/unary.hpp"

namespace mote {

// A window that slides over the height and width of an NHWC tensor; paddings are explicit numbers.
struct SlidingWindow {
  Window vertical, horizontal;
  Padding pad_vertical, pad_horizontal;
  Activation activation = Activation::none;
};

[[nodiscard]] std::string to_text(const SlidingWindow& window);  // "stride=2x2 pad=0,0,1,1 activation=relu6"

namespace convolution {

// Which rows, columns and channels of the input a box of the output reads.
[[nodiscard]] Region input_region(const Problem& problem, const Region& output);

[[nodiscard]] int64_t macs(const nn::Conv2d& shape);

[[nodiscard]] std::vector<double> reference(const Problem& problem, const Reals& x);

}  // namespace convolution

enum class Int4Readers { none, litert, all };  // all: TensorFlow Lite Micro and LiteRT

// Base of all: an operator that lowers through a convolution::Problem.
class WeightedSum : public Operator {
 public:
  [[nodiscard]] virtual convolution::Problem problem(Inputs in, const Types& out) const = 0;

  // Which interpreters give the same integers where these constant weights are INT4 in a file, two a byte?
  [[nodiscard]] virtual Int4Readers int4_readers(const TensorType& input, const TensorType& weights) const {
    static_cast<void>(input), static_cast<void>(weights);
    return Int4Readers::none;
  }
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    return {convolution::reference(problem(in, out), x)};
  }
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override {
    return input == 0 ? convolution::input_region(problem(in, out), region) : whole(in[input]->type.shape);
  }
  [[nodiscard]] Work work(Inputs in, const Types& out) const override {
    return {convolution::macs(problem(in, out).shape)};
  }
  [[nodiscard]] Call lower(Inputs in, const Types& out) const final { return lower_for({}, in, out); }
  [[nodiscard]] Call lower_for(const Core& core, Inputs in, const Types& out) const override {
    return convolution::lower(problem(in, out), core);
  }
};

// Base of the two operators that slide a window, so that a preceding PAD can hand its padding over.
class Convolution : public WeightedSum, public WorksInRows {
 public:
  explicit Convolution(const SlidingWindow& window) : window_(window) {}

  [[nodiscard]] const SlidingWindow& window() const { return window_; }
  [[nodiscard]] virtual OperatorPtr with_window(const SlidingWindow& window) const = 0;
  [[nodiscard]] std::string parameters() const override { return to_text(window_); }
  [[nodiscard]] OperatorPtr absorb(const Operator& next, Inputs, Inputs, const TensorType&) const override {
    SlidingWindow window = window_;
    window.activation = op::clamp_of(next);
    const bool joins = window_.activation == Activation::none && window.activation != Activation::none;
    return joins ? with_window(window) : nullptr;
  }
  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const override;
  // TensorFlow Lite Micro has no such kernels on 16-bit activations.
  [[nodiscard]] Int4Readers int4_readers(const TensorType& input, const TensorType&) const override {
    return input.dtype == DType::i8 ? Int4Readers::all : Int4Readers::none;
  }

 private:
  SlidingWindow window_;
};

// Of a weighted sum with constant weights; the others have none. `weights` as WeightedInputs describes them.
[[nodiscard]] std::optional<IntegerForm> weighted_form(Inputs in, Activation activation, WeightedInputs weights);

// Inputs of all: activations, weights, optional constant bias. Only depthwise weights must be constant.
//   conv2d: weights [out][height][width][in / groups]     depthwise: [1][height][width][out]     dense: [out][in]
// `depth_multiplier` is what the file states; 0 leaves it to the shapes. `keep_dimensions`: a dense layer's output
// has the input's leading dimensions instead of one flat batch. `asymmetric`: with quantised weights, real
// activations are quantised with a zero point.
[[nodiscard]] OperatorPtr make_conv2d(const SlidingWindow& window, bool asymmetric = false);
[[nodiscard]] OperatorPtr make_depthwise_conv2d(const SlidingWindow& window, int64_t depth_multiplier = 0);
[[nodiscard]] OperatorPtr make_transpose_conv(const SlidingWindow& window, int64_t height, int64_t width);
[[nodiscard]] OperatorPtr make_fully_connected(Activation activation, bool keep_dimensions,
                                               bool asymmetric = false);

namespace convolution {

// Input and weights must be there, a bias may.
void check_inputs(Inputs in);

// The window must have the height and width that the weights have.
void check_kernel(const SlidingWindow& window, const Shape& weights);

// Throws Error unless dtypes and quantisation fit each other; `channel_axis` is the weights' output dimension.
void check_types(Inputs in, const Types& declared, int64_t out_channels, int channel_axis);

// Weights that are computed at run time must have zero point 0.
void check_static_or_symmetric(const Tensor& weights);

[[nodiscard]] Shape window_output(const SlidingWindow& window, const Shape& input, int64_t channels);

[[nodiscard]] nn::Conv2d window_shape(const SlidingWindow& window, const Shape& input, const Shape& output);

// [1][height][width][out] to [out][height][width][1].
template <class T>
[[nodiscard]] std::vector<T> channels_first(const std::vector<T>& weights, int64_t channels) {
  std::vector<T> result(weights.size());
  const size_t taps = weights.size() / static_cast<size_t>(channels);
  for (size_t i = 0; i < weights.size(); ++i) {
    result[i % static_cast<size_t>(channels) * taps + i / static_cast<size_t>(channels)] = weights[i];
  }
  return result;
}

}  // namespace convolution
}  // namespace mote
