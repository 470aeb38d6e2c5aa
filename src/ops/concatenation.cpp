// SPDX-License-Identifier: Apache-2.0
// Tensors behind each other along an axis, an old one or a new one: everything the compiler knows about it.
#include <algorithm>
#include <cmath>

#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "nn/concatenate.hpp"
#include "ops/axes.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/reshape.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

constexpr size_t most_inputs = 64;  // their pointers lie on the stack

class Concatenation final : public Operator, public WorksInRows {
 public:
  // `pack`: the axis is a new one, in which each input is one index.
  Concatenation(size_t axis, bool pack) : axis_(axis), pack_(pack) {}

  [[nodiscard]] std::string name() const override { return pack_ ? "pack" : "concatenation"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("axis={}", axis_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(!in.empty() && in.size() <= most_inputs, "has {} inputs, it takes 1 to {}", in.size(), most_inputs);
    const TensorType& first = input_type(in, 0);
    Shape shape = first.shape;
    if (pack_) {
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis_), std::ssize(in));
    } else {
      require(axis_ < shape.size(), "joins along axis {} inputs of rank {}", axis_, shape.size());
      shape[axis_] = 0;
    }
    TensorType output = declared_type(declared, first.dtype);
    for (size_t i = 0; i < in.size(); ++i) {
      const TensorType& input = input_type(in, i);
      require(input.dtype == first.dtype, "joins {} and {}; all inputs must have one type",
              mote::name(first.dtype), mote::name(input.dtype));
      check_shape(first.shape, input.shape);
      if (!pack_) shape[axis_] += input.shape[axis_];
      if (!maps(input, output)) output = moved_type(input, {output}, {});
    }
    output.shape = std::move(shape);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    std::vector<double> result;
    const int64_t rows = rows_of(out[0]);
    for (int64_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < in.size(); ++i) {
        const int64_t width = elements(in[i]->type.shape) / rows;
        const auto first = x[i].begin() + row * width;
        result.insert(result.end(), first, first + width);
      }
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    const Region::Range range = region.dims[axis_];
    int64_t begin = static_cast<int64_t>(input), extent = 1;
    if (!pack_) {
      begin = 0;
      for (size_t i = 0; i < input; ++i) begin += in[i]->type.shape[axis_];
      extent = in[input]->type.shape[axis_];
    }
    const Region::Range part{std::clamp<int64_t>(range.low - begin, 0, extent),
                             std::clamp<int64_t>(range.high - begin, 0, extent)};
    Region needed = region;
    if (!pack_) {
      needed.dims[axis_] = part;
      return needed;
    }
    std::move(needed.dims.begin() + axis_ + 1, needed.dims.end(), needed.dims.begin() + axis_);
    --needed.rank;
    if (part.low == part.high && needed.rank > 0) needed.dims[0] = {0, 0};
    return needed;
  }

  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs in, const Types&) const override {
    const auto is_constant = [](const Tensor* input) { return input->constant(); };
    return axis_ > 1 && !std::any_of(in.begin(), in.end(), is_constant) ? std::make_shared<Concatenation>(*this)
                                                                        : nullptr;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    switch (out[0].dtype) {
      case DType::i8: return call_of<int8_t>(in, out[0]);
      case DType::u8:
      case DType::boolean: return call_of<uint8_t>(in, out[0]);
      case DType::i16:
      case DType::u16: return call_of<int16_t>(in, out[0]);
      case DType::i32:
      case DType::u32: return call_of<int32_t>(in, out[0]);
      case DType::i64:
      case DType::u64: return call_of<int64_t>(in, out[0]);
      case DType::f32: return call_of<float>(in, out[0]);
      case DType::i4:
      case DType::i2: break;
    }
    fail("joins elements of type {}, which share bytes", mote::name(out[0].dtype));
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override {
    using tflite::schema::BuiltinOperator;
    const auto axis = narrow<int32_t>(axis_);
    if (pack_) {
      require(in.size() > 1 || in[0]->type.quant == out[0].quant,
              "packs one tensor and converts its scale, which no operator of a .tflite file does");
      tflite::schema::PackOptionsT options;
      options.axis = axis;
      options.values_count = narrow<int32_t>(in.size());
      return file.add(BuiltinOperator::PACK, tflite::usual_version(out[0].dtype), options);
    }
    tflite::schema::ConcatenationOptionsT options;
    options.axis = axis;
    file.add(BuiltinOperator::CONCATENATION, tflite::usual_version(out[0].dtype), options);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm::shared();
  }

 private:
  void check_shape(const Shape& first, Shape shape) const {
    const Shape found = shape;
    if (!pack_ && axis_ < shape.size()) shape[axis_] = first[axis_];
    require(shape == first, "joins {} and {} along axis {}; the other extents must be equal", to_text(first),
            to_text(found), axis_);
  }

  [[nodiscard]] static bool maps(const TensorType& input, const TensorType& output) {
    return (input.dtype == DType::i8 || input.dtype == DType::u8) && input.quant.scale.size() == 1 &&
           output.quant.scale.size() == 1 && input.quant != output.quant;
  }

  [[nodiscard]] int64_t rows_of(const TensorType& out) const {
    int64_t rows = 1;
    for (size_t d = 0; d < axis_; ++d) rows *= out.shape[d];
    return rows;
  }

  // What becomes of each 8-bit value, at the place of its bits as an unsigned number. In single precision, as the
  // reference for uint8 computes it.
  static void append_map(const TensorType& from, const TensorType& to, std::vector<uint8_t>& table) {
    const float scale = tensor_scale(from, "input") * (1.0F / tensor_scale(to, "output"));
    const float bias = static_cast<float>(-tensor_zero(from, "input")) * scale;
    const IntegerRange range = activation_range(Activation::none, to);
    for (int bits = 0; bits < 256; ++bits) {
      const int stored = from.dtype == DType::i8 && bits > 127 ? bits - 256 : bits;
      int32_t value = stored;
      if (from.quant != to.quant) {
        const float steps = std::round(static_cast<float>(stored) * scale + bias);
        const float bounded = std::clamp(steps, -512.0F, 512.0F);  // beyond any 8-bit value, within an int
        value = std::clamp(static_cast<int32_t>(bounded) + tensor_zero(to, "output"), range.low, range.high);
      }
      table.push_back(static_cast<uint8_t>(value));
    }
  }

  template <class T>
  [[nodiscard]] Call call_of(Inputs in, const TensorType& out) const {
    std::vector<int32_t> widths;
    std::vector<uint8_t> tables;
    bool mapped = false;
    const nn::Concatenate params{narrow<int32_t>(rows_of(out))};
    for (const Tensor* const input : in) {
      widths.push_back(narrow<int32_t>(elements(input->type.shape) / params.rows));
      mapped = mapped || maps(input->type, out);
    }
    for (const Tensor* const input : in) {
      if (mapped) append_map(input->type, out, tables);
    }
    Call call = make_call(nn::concatenate<T, 1, T>, "concatenate", "nn/concatenate.hpp", "Concatenate", params,
                          {constant(0), output(0), input(0)});
    call.constants = {{"widths", DType::i32, to_bytes(widths), false}};
    if (mapped) call.constants.push_back({"maps", DType::u8, to_bytes(tables), false});
    add_arguments<T>(in, mapped, call);
    call.kernel = fmt::format("{}<{}, {}>", mapped ? "concatenate_mapped" : "concatenate",
                              detail::element_type<T>(), in.size());
    call.run = [params, mapped](std::span<void* const> pointers) { run<T>(params, mapped, pointers); };
    call.order = element_by_element(out);
    return call;
  }

  // Widths, maps if any, the output, and then as many inputs as there are.
  template <class T>
  static void add_arguments(Inputs in, bool mapped, Call& call) {
    call.arguments.pop_back();
    if (mapped) call.arguments.insert(call.arguments.begin() + 1, {Argument::Kind::constant, 1, "uint8_t"});
    for (size_t i = 0; i < in.size(); ++i) {
      Argument argument = data_argument(in, i, call.constants);
      argument.c_type = detail::element_type<T>();
      if (argument.kind == Argument::Kind::constant) call.constants.back().name += std::to_string(i);
      call.arguments.push_back(argument);
    }
  }

  template <class T>
  static void run(const nn::Concatenate& params, bool mapped, std::span<void* const> pointers) {
    const auto* const widths = static_cast<const int32_t*>(pointers[0]);
    const size_t first = mapped ? 3 : 2;
    auto* const out = static_cast<T*>(pointers[first - 1]);
    std::vector<const T*> in;
    for (void* const pointer : pointers.subspan(first)) in.push_back(static_cast<const T*>(pointer));
    const auto count = static_cast<int32_t>(in.size());
    if (mapped) {
      nn::concatenate_mapped_rows(params, widths, static_cast<const uint8_t*>(pointers[1]), count, in.data(), out);
    } else {
      nn::concatenate_rows(params, widths, count, in.data(), out);
    }
  }

  size_t axis_;
  bool pack_;
};

Made made(const tflite::OpView& view, OperatorPtr op) {
  Made result{std::move(op), {}};
  for (size_t i = 0; i < view.inputs.size(); ++i) result.inputs.push_back(i);
  return result;
}

Made concatenation_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::ConcatenationOptions>();
  require(options.fused_activation_function() == tflite::schema::ActivationFunctionType::NONE,
          "has a fused activation, which TensorFlow Lite refuses as well; convert the model again");
  const size_t axis = dimension(options.axis(), file_shape(view).size());
  return made(view, std::make_shared<Concatenation>(axis, false));
}

Made pack_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::PackOptions>();
  require(options.values_count() == std::ssize(view.inputs), "packs {} values but has {} inputs",
          options.values_count(), view.inputs.size());
  Shape shape = file_shape(view);
  const size_t axis = dimension(options.axis(), shape.size() + 1);
  if (view.inputs.size() == 1) {
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    return {make_reshape(shape), {0}};
  }
  return made(view, std::make_shared<Concatenation>(axis, true));
}

TensorType random_input_type(std::mt19937& random, Shape shape) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::u8, DType::i16, DType::f32, DType::i32, DType::i64};
  const DType dtype = dtypes[random_integer(random, 0, std::ssize(dtypes) - 1)];
  if (dtype == DType::i32 || dtype == DType::i64) return {dtype, std::move(shape), {}};
  return random_type(random, dtype, std::move(shape));
}

Sample sample(std::mt19937& random) {
  const bool pack = chance(random, 30);
  const TensorType first = random_input_type(random, random_shape(random, pack ? 0 : 1, pack ? 4 : 5, 4));
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(first.shape) - (pack ? 0 : 1)));
  const int64_t inputs = random_integer(random, 1, 5);
  Sample sample{std::make_shared<Concatenation>(axis, pack), {}, {first}, first.dtype == DType::f32 ? 0.0 : 1e-9};
  Shape& out = sample.out[0].shape;
  if (pack) {
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(axis), inputs);
  } else {
    out[axis] = 0;
  }
  const bool mapped = bits(first.dtype) == 8 && chance(random, 40);
  for (int64_t i = 0; i < inputs; ++i) {
    TensorType type = first;
    if (!pack) {
      type.shape[axis] = random_integer(random, 1, 4);
      out[axis] += type.shape[axis];
    }
    if (mapped) type.quant = random_quantization(random, first.dtype);
    sample.in.push_back(variable(type));
    if (i == 1 && chance(random, 20)) make_constant(*sample.in.back(), random);
  }
  if (mapped) sample.tolerance = 0.501;
  return sample;
}

}  // namespace

extern const OpDef concatenation{
    .name = "concatenation",
    .tflite = {{"CONCATENATION", concatenation_from_tflite}, {"PACK", pack_from_tflite}},
    .sample = sample};

}  // namespace mote::op
