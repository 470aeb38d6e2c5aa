// SPDX-License-Identifier: Apache-2.0
// Padding with a constant: everything the compiler knows about it.
#include "nn/pad.hpp"

#include <array>

#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "ops/axes.hpp"
#include "ops/convolution.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

struct Margin {
  int64_t before = 0, after = 0;
};

class Pad final : public Operator, public WorksInRows {
 public:
  // `value` is the stored value to pad with: an integer, quantised or not, or a float. Absent: real 0.
  // `strip`: some rows of another one; there may be nothing in them but padding.
  Pad(std::vector<Margin> margins, std::optional<double> value, bool strip = false)
      : margins_(std::move(margins)), value_(value), strip_(strip) {}

  [[nodiscard]] std::string name() const override { return "pad"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text;
    for (const Margin& margin : margins_)
      text += fmt::format("{}{}+{}", text.empty() ? "" : ",", margin.before, margin.after);
    return value_ ? fmt::format("{} value={:g}", text, *value_) : text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(input.shape.size() == margins_.size(), "pads {} dimensions, its input has {}", margins_.size(),
            input.shape.size());
    require(strip_ || elements(input.shape) > 0, "has an input of shape {}, which is empty", to_text(input.shape));
    TensorType output = moved_type(input, declared, input.shape);
    for (size_t d = 0; d < margins_.size(); ++d) output.shape[d] += margins_[d].before + margins_[d].after;
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

  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs, const Types&) const override {
    const Region::Range& in = strip.in[0];
    const int64_t padded = strip.out.high - strip.out.low - (in.high - in.low);
    const int64_t before = std::clamp<int64_t>(in.low + margins_[1].before - strip.out.low, 0, padded);
    std::vector<Margin> margins = margins_;
    margins[1] = {before, padded - before};
    return std::make_shared<Pad>(std::move(margins), value_, true);
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

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    std::vector<int32_t> paddings;
    for (const Margin& margin : margins_) {
      paddings.push_back(narrow<int32_t>(margin.before));
      paddings.push_back(narrow<int32_t>(margin.after));
    }
    const TensorType& type = in[0]->type;
    const int margins = file.constant("paddings", {DType::i32, {std::ssize(margins_), 2}, {}}, to_bytes(paddings));
    const int version = tflite::usual_version(type.dtype);
    if (!value_) {
      return file.add(tflite::schema::BuiltinOperator::PAD, version, {file.input(0), margins}, file.outputs(),
                      tflite::schema::PadOptionsT{});
    }
    const int value = file.constant("value", {type.dtype, {1}, type.quant}, value_bytes(type.dtype));
    file.add(tflite::schema::BuiltinOperator::PADV2, version, {file.input(0), margins, value}, file.outputs(),
             tflite::schema::PadV2OptionsT{});
  }

  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    IntegerForm form = IntegerForm::shared();
    if (!value_) return form;
    form.op = [margins = margins_, value = *value_](const TensorType& output) -> OperatorPtr {
      if (value == 0) return std::make_shared<Pad>(margins, std::nullopt);
      const double steps = std::round(value / static_cast<double>(tensor_scale(output, "output")));
      const IntegerRange range = activation_range(Activation::none, output);
      const double stored = std::clamp<double>(steps + tensor_zero(output, "output"), range.low, range.high);
      return std::make_shared<Pad>(margins, stored);
    };
    return form;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const auto call_of = [&](auto kernel, const char* suffix) {
      Call call = call_with(kernel, suffix, in[0]->type.shape, out[0]);
      call.order = element_by_element(out[0]);
      return call;
    };
    return call_for_storage(out[0].dtype, call_of, nn::pad_s8, nn::pad_s16, nn::pad_s32, nn::pad_s64, nn::pad_f32);
  }

 private:
  [[nodiscard]] Bytes value_bytes(DType dtype) const {
    switch (dtype) {
      case DType::f32: return to_bytes(std::vector<float>{static_cast<float>(*value_)});
      case DType::i8: return to_bytes(std::vector<int8_t>{static_cast<int8_t>(*value_)});
      case DType::i16: return to_bytes(std::vector<int16_t>{static_cast<int16_t>(*value_)});
      case DType::i32: return to_bytes(std::vector<int32_t>{static_cast<int32_t>(*value_)});
      case DType::i64: return to_bytes(std::vector<int64_t>{static_cast<int64_t>(*value_)});
      case DType::u8:
      case DType::boolean: return to_bytes(std::vector<uint8_t>{static_cast<uint8_t>(*value_)});
      case DType::u16:
      case DType::u32:
      case DType::u64:
      case DType::i4:
      case DType::i2: break;
    }
    fail("pads with a value of type {}, which cannot be written to a .tflite file", mote::name(dtype));
  }

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

  template <class Value, class T>
  [[nodiscard]] Call call_with(void (*kernel)(const nn::PadOf<Value>&, const T*, T*), const char* suffix,
                               const Shape& from, const TensorType& out) const {
    const char* const params_type = std::is_same_v<Value, float>     ? "PadFloat"
                                    : std::is_same_v<Value, int64_t> ? "PadWide"
                                                                     : "Pad";
    return make_call(kernel, std::string("pad") + suffix, "nn/pad.hpp", params_type,
                     parameters_for(from, static_cast<Value>(stored_value(out))), {input(0), output(0)});
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

  [[nodiscard]] double stored_value(const TensorType& type) const {
    return value_ ? *value_ : type.quant.empty() ? 0.0 : tensor_zero(type, "output");
  }

  [[nodiscard]] double real_value(const TensorType& type) const {
    if (type.quant.empty()) return stored_value(type);
    return static_cast<double>(tensor_scale(type, "output")) * (stored_value(type) - tensor_zero(type, "output"));
  }

  std::vector<Margin> margins_;
  std::optional<double> value_;
  bool strip_;
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

template <class T>
double first_value(const Tensor& tensor) {
  return static_cast<double>(to_values<T>(tensor.data)[0]);
}

double one_value(const Tensor& tensor) {
  switch (tensor.type.dtype) {
    case DType::i8: return first_value<int8_t>(tensor);
    case DType::u8:
    case DType::boolean: return first_value<uint8_t>(tensor);
    case DType::i16: return first_value<int16_t>(tensor);
    case DType::u16: return first_value<uint16_t>(tensor);
    case DType::i32: return first_value<int32_t>(tensor);
    case DType::u32: return first_value<uint32_t>(tensor);
    case DType::i64: return first_value<int64_t>(tensor);
    case DType::u64: return first_value<uint64_t>(tensor);
    case DType::f32: return static_cast<double>(first_value<float>(tensor));
    case DType::i4:
    case DType::i2: break;
  }
  fail("pads with a value of type {}, which is not supported; convert the model with i8", name(tensor.type.dtype));
}

Made pad_value_from_tflite(const tflite::OpView& view) {
  if (view.inputs.size() < 3 || view.inputs[2] == nullptr) return pad_from_tflite(view);
  const Tensor& value = *view.inputs[2];
  require(value.constant() && elements(value.type.shape) == 1,
          "pads with a value that is not one constant; make it one");
  const double stored = one_value(value);
  return {std::make_shared<Pad>(margins_from_tflite(view), stored), {0}};
}

Sample sample(std::mt19937& random) {
  const TensorType type = random_movable(random, random_shape(random, 1, 5, 4));
  TensorType out = type;
  std::vector<Margin> margins(type.shape.size());
  for (Margin& margin : margins) {
    if (chance(random, 50)) margin = {random_integer(random, 0, 2), random_integer(random, 0, 2)};
  }
  for (size_t d = 0; d < margins.size(); ++d) out.shape[d] += margins[d].before + margins[d].after;
  std::optional<double> value;
  if (chance(random, 30))
    value = static_cast<double>(random_integer(random, type.dtype == DType::u8 ? 0 : -128, 127));
  return {std::make_shared<Pad>(std::move(margins), value),
          {variable(type)},
          {out},
          type.dtype == DType::f32 ? 0.0 : 1e-9};
}

}  // namespace

extern const OpDef pad{
    .name = "pad", .tflite = {{"PAD", pad_from_tflite}, {"PADV2", pad_value_from_tflite}}, .sample = sample};

}  // namespace mote::op
