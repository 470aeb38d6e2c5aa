// SPDX-License-Identifier: Apache-2.0
// Padding with a constant: everything the compiler knows about it.
#include "nn/pad.hpp"

#include <array>

#include "formats/tflite_view.hpp"
#include "ops/checks.hpp"
#include "ops/convolution.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

struct Margin {
  int64_t before = 0, after = 0;
};

class Pad final : public Operator {
 public:
  // `value` is the stored value to pad with: a quantised integer, or a float. Absent: real 0.
  Pad(std::vector<Margin> margins, std::optional<float> value) : margins_(std::move(margins)), value_(value) {}

  [[nodiscard]] std::string name() const override { return "pad"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text;
    for (const Margin& margin : margins_)
      text += fmt::format("{}{}+{}", text.empty() ? "" : ",", margin.before, margin.after);
    return value_ ? fmt::format("{} value={:g}", text, *value_) : text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    require(input.shape.size() == margins_.size(), "pads {} dimensions, its input has {}", margins_.size(),
            input.shape.size());
    require(elements(input.shape) > 0, "has an input of shape {}, which is empty", to_text(input.shape));
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    for (size_t d = 0; d < margins_.size(); ++d) output.shape[d] += margins_[d].before + margins_[d].after;
    if (input.dtype == DType::i8) require_same_quantization(input, output);
    (void)merged(input.shape);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& from = in[0]->type.shape;
    const Shape& to = out[0].shape;
    std::vector<double> result(static_cast<size_t>(elements(to)), real_value(out[0]));
    for (int64_t index = 0; index < elements(from); ++index) {
      int64_t rest = index, place = 0, stride = 1;
      for (size_t d = from.size(); d-- > 0; rest /= from[d], stride *= to[d]) {
        place += (rest % from[d] + margins_[d].before) * stride;
      }
      result[static_cast<size_t>(place)] = x[0][static_cast<size_t>(index)];
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    Region needed = region;
    for (size_t d = 0; d < margins_.size(); ++d) {
      const int64_t extent = in[0]->type.shape[d];
      needed.dims[d].low = std::clamp<int64_t>(region.dims[d].low - margins_[d].before, 0, extent);
      needed.dims[d].high = std::clamp<int64_t>(region.dims[d].high - margins_[d].before, 0, extent);
    }
    return needed;
  }

  // A convolution pads with real 0 by itself: then the padded tensor need not exist.
  [[nodiscard]] OperatorPtr absorb(const Operator& next, Inputs, Inputs, const TensorType& middle) const override {
    const auto* const convolution = dynamic_cast<const Convolution*>(&next);
    if (convolution == nullptr || margins_.size() != 4 || real_value(middle) != 0) return nullptr;
    for (const Margin& margin : {margins_[0], margins_[3]}) {
      if (margin.before != 0 || margin.after != 0) return nullptr;
    }
    SlidingWindow window = convolution->window();
    const bool fits = widen(window.pad_vertical, margins_[1], window.vertical) &&
                      widen(window.pad_horizontal, margins_[2], window.horizontal);
    return fits ? convolution->with_window(window) : nullptr;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const std::vector<Argument> arguments{input(0), output(0)};
    Call call = type.dtype == DType::f32 ? make_call(nn::pad_f32, "pad_f32", "nn/pad.hpp", "PadFloat",
                                                     parameters_for(type.shape, value_.value_or(0.0F)), arguments)
                                         : make_call(nn::pad_s8, "pad_s8", "nn/pad.hpp", "Pad",
                                                     parameters_for(type.shape, stored_value(out[0])), arguments);
    call.order = {.dims = static_cast<int>(out[0].shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  struct Dimension {
    int64_t in = 1, before = 0, out = 1;
  };
  using Merged = std::array<Dimension, 5>;  // outermost first

  // Neighbouring dimensions become one where the inner one is not padded.
  [[nodiscard]] Merged merged(const Shape& shape) const {
    std::vector<Dimension> dimensions;  // innermost first
    for (size_t d = shape.size(); d-- > 0;) {
      const Dimension dimension{shape[d], margins_[d].before, shape[d] + margins_[d].before + margins_[d].after};
      if (dimensions.empty() || dimensions.back().in != dimensions.back().out) {
        dimensions.push_back(dimension);
      } else {
        const int64_t inner = dimensions.back().in;
        dimensions.back() = {dimension.in * inner, dimension.before * inner, dimension.out * inner};
      }
    }
    require(dimensions.size() <= 5, "pads all of {} dimensions; at most 5 are supported", dimensions.size());
    Merged result;
    std::copy(dimensions.begin(), dimensions.end(), result.rbegin());
    return result;
  }

  // False when the window would then lie in nothing but padding: no file states such a convolution.
  static bool widen(Padding& padding, const Margin& margin, const Window& window) {
    padding.before += margin.before;
    padding.after += margin.after;
    return padding.before < window.span() && padding.after < window.span();
  }

  template <class T>
  [[nodiscard]] nn::PadOf<T> parameters_for(const Shape& shape, T value) const {
    std::array<int32_t, 5> in{}, before{}, out{};
    const Merged dimensions = merged(shape);
    for (size_t d = 0; d < 5; ++d) {
      in[d] = narrow<int32_t>(dimensions[d].in);
      before[d] = narrow<int32_t>(dimensions[d].before);
      out[d] = narrow<int32_t>(dimensions[d].out);
    }
    return {in[0],     in[1],     in[2],  in[3],  in[4],  before[0], before[1], before[2],
            before[3], before[4], out[0], out[1], out[2], out[3],    out[4],    value};
  }

  [[nodiscard]] int32_t stored_value(const TensorType& type) const {
    return value_ ? static_cast<int32_t>(*value_) : tensor_zero(type, "output");
  }

  [[nodiscard]] double real_value(const TensorType& type) const {
    if (type.dtype == DType::f32) return static_cast<double>(value_.value_or(0.0F));
    return static_cast<double>(tensor_scale(type, "output")) * (stored_value(type) - tensor_zero(type, "output"));
  }

  std::vector<Margin> margins_;
  std::optional<float> value_;
};

std::vector<Margin> margins_from_tflite(const tflite::OpView& view) {
  const std::vector<int64_t> values = view.integers(1, "paddings");
  require(values.size() % 2 == 0, "has {} paddings; there must be two a dimension", values.size());
  std::vector<Margin> margins;
  for (size_t i = 0; i < values.size(); i += 2) {
    require(values[i] >= 0 && values[i + 1] >= 0, "pads by {} and {}; paddings must not be negative", values[i],
            values[i + 1]);
    margins.push_back({values[i], values[i + 1]});
  }
  return margins;
}

Made pad_from_tflite(const tflite::OpView& view) {
  return {std::make_shared<Pad>(margins_from_tflite(view), std::nullopt), {0}};
}

Made pad_value_from_tflite(const tflite::OpView& view) {
  if (view.inputs.size() < 3 || view.inputs[2] == nullptr) return pad_from_tflite(view);
  const Tensor& value = *view.inputs[2];
  require(value.constant() && elements(value.type.shape) == 1,
          "pads with a value that is not one constant; make it one");
  require_dtype(value.type, {DType::i8, DType::f32}, "padding value");
  const float stored = value.type.dtype == DType::f32 ? to_values<float>(value.data)[0]
                                                      : static_cast<float>(to_values<int8_t>(value.data)[0]);
  return {std::make_shared<Pad>(margins_from_tflite(view), stored), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const TensorType type = random_type(random, dtype, random_shape(random, 1, 5, 4));
  TensorType out = type;
  std::vector<Margin> margins(type.shape.size());
  for (Margin& margin : margins) {
    if (chance(random, 50)) margin = {random_integer(random, 0, 2), random_integer(random, 0, 2)};
  }
  for (size_t d = 0; d < margins.size(); ++d) out.shape[d] += margins[d].before + margins[d].after;
  std::optional<float> value;
  if (chance(random, 30)) value = static_cast<float>(random_integer(random, -128, 127));
  return {
      std::make_shared<Pad>(std::move(margins), value), {variable(type)}, {out}, dtype == DType::i8 ? 1e-9 : 0.0};
}

}  // namespace

extern const OpDef pad{
    .name = "pad", .tflite = {{"PAD", pad_from_tflite}, {"PADV2", pad_value_from_tflite}}, .sample = sample};

}  // namespace mote::op
