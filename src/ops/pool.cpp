// SPDX-License-Identifier: Apache-2.0
#include "ops/pool.hpp"

#include <algorithm>

#include "ops/checks.hpp"
#include "ops/sampling.hpp"
#include "ops/strip.hpp"
#include "ops/window_tflite.hpp"

namespace mote::op {

namespace {

struct Extent {
  int64_t low = 0, high = 0;
};

// The input elements [low, high) that outputs [range.low, range.high) see, clipped to the input.
Extent window_extent(const Region::Range& range, const Window& window, const Padding& padding, int64_t input) {
  const int64_t low = range.low * window.stride - padding.before;
  const int64_t high = (range.high - 1) * window.stride - padding.before + window.kernel;
  return {std::max<int64_t>(low, 0), std::min(high, input)};
}

// Kernels count on it that every window sees an element of the input.
void check_windows(int64_t outputs, int64_t input, const Padding& padding, const Window& window) {
  require(padding.before < window.kernel && (outputs - 1) * window.stride - padding.before < input,
          "has windows in nothing but padding ({} before, {} after, filter {}); pad less", padding.before,
          padding.after, window.kernel);
}

Extent window_extent(int64_t index, const Window& window, const Padding& padding, int64_t input) {
  return window_extent(Region::Range{index, index + 1}, window, padding, input);
}

}  // namespace

std::string Pooling::parameters() const {
  return fmt::format("filter={}x{} stride={}x{} pad={},{},{},{} activation={}", parameters_.height.kernel,
                     parameters_.width.kernel, parameters_.height.stride, parameters_.width.stride,
                     parameters_.pad_height.before, parameters_.pad_width.before, parameters_.pad_height.after,
                     parameters_.pad_width.after, mote::name(parameters_.activation));
}

Types Pooling::infer(Inputs in, const Types& declared) const {
  const TensorType& input = one_input(in);
  require_dtype(input, {DType::i8, DType::i16, DType::f32}, "input");
  require(input.shape.size() == 4, "needs an input of rank 4 (NHWC), it has {}", to_text(input.shape));
  TensorType output = declared_type(declared, input.dtype);
  output.shape = {input.shape[0], 0, 0, input.shape[3]};
  output.shape[1] = window_outputs(input.shape[1], parameters_.pad_height, parameters_.height);
  output.shape[2] = window_outputs(input.shape[2], parameters_.pad_width, parameters_.width);
  check_windows(output.shape[1], input.shape[1], parameters_.pad_height, parameters_.height);
  check_windows(output.shape[2], input.shape[2], parameters_.pad_width, parameters_.width);
  if (input.dtype != DType::f32) require_same_quantization(input, output);
  // The sum of a window of 16-bit numbers must fit 32 bits.
  require(input.dtype != DType::i16 || parameters_.height.kernel * parameters_.width.kernel < 65536,
          "has a filter of {}x{}, which is too large", parameters_.height.kernel, parameters_.width.kernel);
  return {output};
}

Reals Pooling::reference(Inputs in, const Types& out, const Reals& x) const {
  const Shape& from = in[0]->type.shape;
  const Shape& to = out[0].shape;
  const Padding& vertical = parameters_.pad_height;
  const Padding& horizontal = parameters_.pad_width;
  std::vector<double> result;
  std::vector<double> elements;
  for (int64_t index = 0; index < mote::elements(to); ++index) {
    const int64_t channel = index % to[3];
    const int64_t out_x = index / to[3] % to[2];
    const int64_t out_y = index / to[3] / to[2] % to[1];
    const int64_t batch = index / to[3] / to[2] / to[1];
    const Extent rows = window_extent(out_y, parameters_.height, vertical, from[1]);
    const Extent columns = window_extent(out_x, parameters_.width, horizontal, from[2]);
    elements.clear();
    for (int64_t y = rows.low; y < rows.high; ++y) {
      for (int64_t column = columns.low; column < columns.high; ++column) {
        const int64_t source = ((batch * from[1] + y) * from[2] + column) * from[3] + channel;
        elements.push_back(x[0][static_cast<size_t>(source)]);
      }
    }
    result.push_back(apply(parameters_.activation, window_value(elements)));
  }
  return {result};
}

Region Pooling::needs(size_t, const Region& region, Inputs in, const Types&) const {
  const Shape& from = in[0]->type.shape;
  Region needed = region;
  const Extent rows = window_extent(region.dims[1], parameters_.height, parameters_.pad_height, from[1]);
  const Extent columns = window_extent(region.dims[2], parameters_.width, parameters_.pad_width, from[2]);
  needed.dims[1] = {rows.low, rows.high};
  needed.dims[2] = {columns.low, columns.high};
  return needed;
}

OperatorPtr Pooling::rows(const RowStrip& strip, Inputs, const Types&) const {
  if (reads_padding_only(strip)) return nullptr;
  Parameters strip_parameters = parameters_;
  strip_parameters.pad_height = strip_padding(parameters_.height, parameters_.pad_height.before, strip);
  return with(strip_parameters);
}

namespace {

// PADV2 with the lowest value that the type has.
int padded_with_lowest(tflite::NodeWriter& file, const WindowUse& use, const TensorType& in) {
  const Bytes lowest = in.dtype == DType::f32 ? to_bytes(std::vector<float>{std::numeric_limits<float>::lowest()})
                       : in.dtype == DType::i16 ? to_bytes(std::vector<int16_t>{INT16_MIN})
                                                : to_bytes(std::vector<int8_t>{INT8_MIN});
  const int value = file.constant("lowest", {in.dtype, {1}, in.quant}, lowest);
  const int padded = file.between("padded", {in.dtype, padded_shape(use), in.quant});
  file.add(tflite::schema::BuiltinOperator::PADV2, tflite::usual_version(in.dtype),
           {file.input(0), padding_constant(file, use), value}, {padded}, tflite::schema::PadV2OptionsT{});
  return padded;
}

}  // namespace

void Pooling::to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const {
  const WindowUse use{parameters_.height,    parameters_.width, parameters_.pad_height,
                      parameters_.pad_width, in[0]->type.shape, out[0].shape};
  const std::optional<tflite::schema::Padding> scheme = padding_scheme(use);
  require(
      scheme.has_value() || padding_ignored(),
      "averages beside paddings that a .tflite file cannot state (neither SAME nor VALID); pad in an operator of "
      "its own");
  tflite::schema::Pool2DOptionsT options;
  options.padding = scheme.value_or(tflite::schema::Padding::VALID);
  options.stride_h = narrow<int32_t>(parameters_.height.stride);
  options.stride_w = narrow<int32_t>(parameters_.width.stride);
  options.filter_height = narrow<int32_t>(parameters_.height.kernel);
  options.filter_width = narrow<int32_t>(parameters_.width.kernel);
  options.fused_activation_function = mote::to_tflite(parameters_.activation);
  const int input = scheme ? file.input(0) : padded_with_lowest(file, use, in[0]->type);
  file.add(code(), tflite::usual_version(in[0]->type.dtype), {input}, file.outputs(), options);
}

std::optional<IntegerForm> Pooling::integer_form(DType, Inputs, const Types&) const {
  IntegerForm form = IntegerForm::shared();
  form.keeps_channels = parameters_.activation == Activation::none || parameters_.activation == Activation::relu;
  return form;
}

template <class Limit>
nn::PoolOf<Limit> Pooling::geometry(const TensorType& in, const TensorType& out) const {
  const auto small = [](int64_t value) { return narrow<int32_t>(value); };
  nn::PoolOf<Limit> p{};
  p.batches = small(in.shape[0]);
  p.in_height = small(in.shape[1]);
  p.in_width = small(in.shape[2]);
  p.channels = small(in.shape[3]);
  p.out_height = small(out.shape[1]);
  p.out_width = small(out.shape[2]);
  p.stride_height = small(parameters_.height.stride);
  p.stride_width = small(parameters_.width.stride);
  p.filter_height = small(parameters_.height.kernel);
  p.filter_width = small(parameters_.width.kernel);
  p.pad_top = small(parameters_.pad_height.before);
  p.pad_left = small(parameters_.pad_width.before);
  return p;
}

nn::Pool Pooling::kernel_parameters(const TensorType& in, const TensorType& out) const {
  nn::Pool p = geometry<int32_t>(in, out);
  const IntegerRange range = activation_range(parameters_.activation, out);
  p.low = range.low;
  p.high = range.high;
  return p;
}

nn::PoolFloat Pooling::kernel_parameters_float(const TensorType& in, const TensorType& out) const {
  nn::PoolFloat p = geometry<float>(in, out);
  const FloatRange range = activation_range(parameters_.activation);
  p.low = range.low;
  p.high = range.high;
  return p;
}

Pooling::Parameters pooling_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::Pool2DOptions>();
  Pooling::Parameters parameters;
  parameters.height = {options.filter_height(), options.stride_h(), 1};
  parameters.width = {options.filter_width(), options.stride_w(), 1};
  for (const Window& window : {parameters.height, parameters.width}) {
    require(window.kernel > 0 && window.stride > 0, "has a filter of {} with stride {}; both must be positive",
            window.kernel, window.stride);
  }
  require(!view.inputs.empty() && view.inputs[0] != nullptr,
          "lacks input 0; the file is incomplete, convert the model again");
  require(view.inputs[0]->type.shape.size() == 4, "needs an input of rank 4 (NHWC), it has {}",
          to_text(view.inputs[0]->type.shape));
  const Shape& input = view.inputs[0]->type.shape;
  const PaddingScheme scheme = padding_from_tflite(static_cast<int>(options.padding()));
  parameters.pad_height = window_padding(scheme, input[1], parameters.height);
  parameters.pad_width = window_padding(scheme, input[2], parameters.width);
  parameters.activation = activation_from_tflite(static_cast<int>(options.fused_activation_function()));
  return parameters;
}

Sample pooling_sample(std::mt19937& random, OperatorPtr (*make)(const Pooling::Parameters&),
                      const std::vector<DType>& dtypes) {
  Pooling::Parameters parameters;
  const bool same = chance(random, 50);
  Shape shape{random_integer(random, 1, 2), 0, 0, random_integer(random, 1, 6)};
  Shape out = shape;
  size_t dimension = 1;
  for (auto& [window, padding] : {std::pair(&parameters.height, &parameters.pad_height),
                                  std::pair(&parameters.width, &parameters.pad_width)}) {
    *window = {random_integer(random, 1, 4), random_integer(random, 1, 3), 1};
    const int64_t extent = random_integer(random, same ? 1 : window->kernel, 9);
    if (same) *padding = window_padding(PaddingScheme::same, extent, *window);
    out[dimension] = same ? (extent - 1) / window->stride + 1 : (extent - window->kernel) / window->stride + 1;
    if (!same && chance(random, 30)) {  // any margins, as other formats state them
      *padding = {random_integer(random, 0, window->kernel - 1), random_integer(random, 0, window->kernel - 1)};
      // clang 14 captures no structured bindings.
      const auto outputs = [extent, window = window, padding = padding] {
        return (extent + padding->before + padding->after - window->kernel) / window->stride + 1;
      };
      if ((outputs() - 1) * window->stride - padding->before >= extent) padding->after = 0;
      out[dimension] = outputs();
    }
    shape[dimension++] = extent;
  }
  if (chance(random, 30)) parameters.activation = chance(random, 50) ? Activation::relu : Activation::relu6;
  const DType dtype = dtypes[static_cast<size_t>(random_integer(random, 0, std::ssize(dtypes) - 1))];
  Sample sample{make(parameters), {variable(random_type(random, dtype, shape))}, {}, 0.500001};
  if (dtype == DType::f32) sample.tolerance = 1e-5;
  sample.out = {reshaped(sample.in[0]->type, out)};
  return sample;
}

}  // namespace mote::op
