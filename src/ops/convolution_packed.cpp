// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_packed.hpp"

#include <algorithm>

#include "nn/conv2d_4x4.hpp"
#include "nn/conv2d_exact.hpp"
#include "nn/depthwise_conv2d.hpp"
#include "nn/depthwise_conv2d_3x3.hpp"
#include "nn/fully_connected.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"

namespace mote::convolution {

Constant packed_constants(const Folded& folded, const Bytes& weights, int bits) {
  std::vector<uint8_t> shift = folded.shift;
  shift.resize((shift.size() + 3) / 4 * 4);
  Bytes data = to_bytes(folded.scales);
  const auto append = [&](const Bytes& bytes) { data.insert(data.end(), bytes.begin(), bytes.end()); };
  append(to_bytes(shift));
  const size_t scales_bytes = data.size();
  append(weights);
  data.resize((data.size() + 3) / 4 * 4);
  return {"weights", DType::i32, std::move(data), true, scales_bytes, bits};
}

int64_t pixels_of(const nn::Conv2d& s) { return int64_t{s.batches} * s.out_height * s.out_width; }

Estimate estimate_4x4(const nn::Conv2d& s, double product) {
  const auto pixels = static_cast<double>(pixels_of(s));
  const double taps = static_cast<double>(s.kernel_height) * s.kernel_width * s.in_channels;
  const auto channels = static_cast<double>(align_up(s.out_channels, 4));
  return {.instructions = pixels * (product * taps * channels + 14.0 * s.out_channels + 60 + 5 * taps),
          .own_saves = pixels * (18 + taps / 2),
          .own_bytes = s.kernel_height * s.kernel_width == 1 ? 300.0 : 350.0,
          .shared_bytes = 600};
}

bool fits_fields(const nn::Conv2d& s) {
  const auto within = [](int32_t most, std::initializer_list<int32_t> values) {
    return std::all_of(values.begin(), values.end(), [&](int32_t value) { return value >= 0 && value <= most; });
  };
  return within(UINT16_MAX, {s.in_height, s.in_width, s.in_channels, s.out_height, s.out_width, s.out_channels}) &&
         within(UINT8_MAX, {s.batches, s.kernel_height, s.kernel_width, s.stride_height, s.stride_width,
                            s.dilation_height, s.dilation_width}) &&
         within(INT8_MAX, {s.pad_top, s.pad_left});
}

namespace {

// A window as wide as the input: its rows are pixels of more channels.
nn::Conv2d rows_as_pixels(nn::Conv2d s) {
  const int64_t row = int64_t{s.in_width} * s.in_channels;
  if (s.out_width != 1 || s.kernel_width != s.in_width || s.pad_left != 0 || s.dilation_width != 1) return s;
  if (row > UINT16_MAX) return s;
  s.in_channels = s.group_channels = static_cast<int32_t>(row);
  s.in_width = s.kernel_width = s.stride_width = 1;
  return s;
}

// Windows of one column: the columns lie in memory as one row of dilated windows does.
nn::Conv2d columns_as_row(const nn::Conv2d& s) {
  const int32_t columns = s.in_width;
  if (s.kernel_width != 1 || s.pad_left != 0 || s.out_width != columns) return s;
  if (columns != 1 && (s.stride_width != 1 || s.stride_height != 1)) return s;
  nn::Conv2d row = s;
  row.in_width = s.in_height * columns, row.out_width = s.out_height * columns;
  row.kernel_width = s.kernel_height, row.stride_width = s.stride_height;
  row.dilation_width = s.dilation_height * columns, row.pad_left = s.pad_top * columns;
  row.in_height = row.out_height = row.kernel_height = row.stride_height = row.dilation_height = 1;
  row.pad_top = 0;
  return fits_fields(row) ? row : s;
}

}  // namespace

nn::Conv2d in_one_row(nn::Conv2d s) {
  const int64_t pixels = pixels_of(s);
  if (!pointwise(s) || pixels > UINT16_MAX) return columns_as_row(rows_as_pixels(s));
  s.batches = s.in_height = s.out_height = 1;
  s.in_width = s.out_width = static_cast<int32_t>(pixels);
  return s;
}

namespace {

template <class Results>
nn::PackedConv2dTo<Results> shape_to(const nn::Conv2d& s, const Results& results) {
  return {narrow<uint16_t>(s.in_height),
          narrow<uint16_t>(s.in_width),
          narrow<uint16_t>(s.in_channels),
          narrow<uint16_t>(s.out_height),
          narrow<uint16_t>(s.out_width),
          narrow<uint16_t>(s.group_channels == 1 ? s.group_outputs : 1),
          narrow<uint8_t>(s.batches),
          narrow<uint8_t>(s.kernel_height),
          narrow<uint8_t>(s.kernel_width),
          narrow<uint8_t>(s.stride_height),
          narrow<uint8_t>(s.stride_width),
          narrow<uint8_t>(s.dilation_height),
          narrow<uint8_t>(s.dilation_width),
          narrow<int8_t>(s.pad_top),
          narrow<int8_t>(s.pad_left),
          narrow<int8_t>(s.in_zero),
          results};
}

}  // namespace

nn::PackedConv2d packed_shape(const nn::Conv2d& s) { return shape_to(s, outputs_of(s)); }

std::vector<int8_t> pack_by_four(const std::vector<int8_t>& weights, size_t channels) {
  const size_t taps = weights.size() / channels;
  const size_t padded = (taps + 1) / 2 * 2;
  std::vector<int8_t> packed((channels + 3) / 4 * 4 * padded, 0);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t k = 0; k < taps; ++k) packed[(c / 4 * padded + k) * 4 + c % 4] = weights[c * taps + k];
  }
  return packed;
}

Constant by_four_constants(const Folded& folded) {
  return packed_constants(folded, to_bytes(pack_by_four(folded.weights, folded.shift.size())), 8);
}

namespace {

Constant depthwise_constants(const Folded& folded) {
  Bytes weights = to_bytes(folded.weights);
  weights.resize(weights.size() + 3);  // nn::depthwise_conv2d_3x3_s8 reads beyond
  return packed_constants(folded, weights, 8);
}

Call dense(const Problem& problem, const nn::Conv2d& s, const Folded& folded, bool exact) {
  const nn::FullyConnected params{s.batches * s.out_height * s.out_width, s.in_channels, outputs_of(s)};
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "FullyConnected", params, {input(0), constant(0), output(0)});
  };
  Call call = exact ? make(nn::fully_connected_exact_s8, "fully_connected_exact_s8", "nn/conv2d_exact.hpp")
                    : make(nn::fully_connected_s8, "fully_connected_s8", "nn/fully_connected.hpp");
  call.constants = {by_four_constants(folded)};
  call.order = pixel_order(problem, 1, false);
  call.estimate = {.own_saves = 0, .own_bytes = 50, .shared_bytes = 100};
  return call;
}

Call blocks_4x4(const Problem& problem, const nn::Conv2d& s, const Folded& folded, bool exact) {
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "PackedConv2d", packed_shape(in_one_row(s)),
                     {input(0), constant(0), output(0), scratch()});
  };
  Call call = exact ? make(nn::conv2d_exact_s8, "conv2d_exact_s8", "nn/conv2d_exact.hpp")
                    : make(nn::conv2d_4x4_s8, "conv2d_4x4_s8", "nn/conv2d_4x4.hpp");
  call.constants = {by_four_constants(folded)};
  const auto taps = static_cast<int64_t>(folded.weights.size() / folded.shift.size());
  call.scratch_bytes = 4 * align_up(taps, 2);
  call.order = pixel_order(problem, 4, true);
  call.estimate = estimate_4x4(s, 2.6);
  return call;
}

// Of the windows along one dimension only the first element and the last may lie outside the input.
bool outside_by_one(int32_t in, int32_t out, int32_t stride, int32_t pad) {
  const int32_t last = (out - 1) * stride + 2 - pad;
  return pad <= 1 && last <= in;
}

bool fits_packed_3x3(const nn::Conv2d& s) {
  return s.group_outputs == 1 && s.kernel_height == 3 && s.kernel_width == 3 && s.dilation_height == 1 &&
         s.dilation_width == 1 && s.stride_width <= 2 && s.in_height >= 2 &&
         outside_by_one(s.in_height, s.out_height, s.stride_height, s.pad_top) &&
         outside_by_one(s.in_width, s.out_width, s.stride_width, s.pad_left);
}

Call depthwise_3x3(const nn::Conv2d& s, const Folded& folded) {
  Call call = make_call(nn::depthwise_conv2d_3x3_s8, "depthwise_conv2d_3x3_s8", "nn/depthwise_conv2d_3x3.hpp",
                        "PackedConv2d", packed_shape(s), {input(0), constant(0), output(0)});
  call.constants = {depthwise_constants(folded)};
  call.order = Order{2, 1, false};
  call.estimate = {.own_saves = 0.8 * static_cast<double>(macs(s)), .own_bytes = 600, .shared_bytes = 1150};
  return call;
}

// One column lies in memory as one row does, and the kernels take pixels of a row together.
nn::Conv2d as_row(nn::Conv2d s) {
  if (s.in_width != 1 || s.out_width != 1 || s.kernel_width != 1) return s;
  std::swap(s.in_height, s.in_width);
  std::swap(s.out_height, s.out_width);
  std::swap(s.kernel_height, s.kernel_width);
  std::swap(s.stride_height, s.stride_width);
  std::swap(s.dilation_height, s.dilation_width);
  std::swap(s.pad_top, s.pad_left);
  return s;
}

bool inside(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation, int32_t pad) {
  return pad == 0 && (out - 1) * stride + (kernel - 1) * dilation < in;
}

Call depthwise_inside(const nn::Conv2d& s, const Folded& folded) {
  Call call = make_call(nn::depthwise_conv2d_inside_s8, "depthwise_conv2d_inside_s8", "nn/depthwise_conv2d.hpp",
                        "PackedConv2d", packed_shape(s), {input(0), constant(0), output(0)});
  call.constants = {depthwise_constants(folded)};
  // Blocks of four pixels, unless a row's last one is smaller and others follow it.
  const bool even = s.out_width % 4 == 0 || s.batches * s.out_height == 1;
  const auto products = static_cast<double>(macs(s));
  call.estimate = {
      .instructions = 10 * products, .own_saves = 4 * products, .own_bytes = 500, .shared_bytes = 900};
  call.order = even ? Order{3, 4, false} : Order{2, 1, false};
  return call;
}

// Values of one row of the patch that depthwise_patches gathers.
int64_t patch_width(const nn::Conv2d& s) {
  return (align_up(s.out_width, 4) - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1;
}

// The rows that an output row reads gathered, `turned`: of a column that as_row made a row.
std::optional<Call> depthwise_patches(const nn::Conv2d& s, bool turned, const Folded& folded, bool exact) {
  if (s.pad_left >= patch_width(s)) return std::nullopt;
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "PackedConv2d", packed_shape(s),
                     {input(0), constant(0), output(0), scratch()});
  };
  Call call = exact ? make(nn::depthwise_conv2d_exact_s8, "depthwise_conv2d_exact_s8", "nn/conv2d_exact.hpp")
                    : make(nn::depthwise_conv2d_s8, "depthwise_conv2d_s8", "nn/depthwise_conv2d.hpp");
  call.constants = {depthwise_constants(folded)};
  call.scratch_bytes = s.kernel_height * patch_width(s);
  const auto products = static_cast<double>(macs(s));
  call.estimate = {
      .instructions = 8 * products, .own_saves = 1.8 * products, .own_bytes = 2500, .shared_bytes = 1200};
  call.order = Order{2, turned ? s.out_width : 1, false};
  return call;
}

std::optional<Call> depthwise_any(const nn::Conv2d& column, const Folded& folded) {
  const nn::Conv2d s = as_row(column);
  const bool turned = s.in_width != column.in_width;
  if (inside(s.in_height, s.out_height, s.kernel_height, s.stride_height, s.dilation_height, s.pad_top) &&
      inside(s.in_width, s.out_width, s.kernel_width, s.stride_width, s.dilation_width, s.pad_left)) {
    Call call = depthwise_inside(s, folded);
    if (turned && call.order.dims == 2) call.order.block = s.out_width;
    return call;
  }
  return depthwise_patches(s, turned, folded, false);
}

}  // namespace

namespace {

bool one_group(const nn::Conv2d& s) { return s.group_channels == s.in_channels; }

std::optional<Call> lower_one_group(const Problem& problem, const nn::Conv2d& s, const Folded& folded,
                                    bool exact) {
  if (few_rows(s)) return dense(problem, s, folded, exact);
  return fits_fields(in_one_row(s)) ? std::optional(blocks_4x4(problem, s, folded, exact)) : std::nullopt;
}

}  // namespace

std::optional<Call> lower_packed(const Problem& problem, const nn::Conv2d& s, const Folded& folded) {
  if (s.out_channels > UINT16_MAX) return std::nullopt;
  if (one_group(s)) return lower_one_group(problem, s, folded, false);
  if (s.group_channels != 1 || !fits_fields(s)) return std::nullopt;
  return fits_packed_3x3(s) ? depthwise_3x3(s, folded) : depthwise_any(s, folded);
}

std::optional<Call> lower_exact(const Problem& problem, const nn::Conv2d& s, const Folded& folded) {
  if (s.out_channels > UINT16_MAX) return std::nullopt;
  if (one_group(s)) return lower_one_group(problem, s, folded, true);
  if (s.group_channels != 1 || !fits_fields(s)) return std::nullopt;
  const nn::Conv2d row = as_row(s);
  return depthwise_patches(row, row.in_width != s.in_width, folded, true);
}

std::optional<Call> lower_depthwise_s16(const nn::Conv2d& column, const std::vector<int8_t>& weights,
                                        const std::vector<int32_t>& scales) {
  const nn::Conv2d s = as_row(column);
  if (s.out_channels > UINT16_MAX || s.group_channels != 1 || !fits_fields(s)) return std::nullopt;
  if (s.pad_left >= patch_width(s)) return std::nullopt;
  const nn::Outputs16 outputs{narrow<uint16_t>(s.out_channels), narrow<int16_t>(s.low), narrow<int16_t>(s.high)};
  Call call = make_call(nn::depthwise_conv2d_s16, "depthwise_conv2d_s16", "nn/depthwise_conv2d.hpp",
                        "PackedConv2d16", shape_to(s, outputs), {input(0), constant(0), output(0), scratch()});
  Folded folded{weights, scales, std::vector<uint8_t>(scales.size() / 2)};
  folded.scales.resize((scales.size() + 7) / 8 * 8);
  call.constants = {depthwise_constants(folded)};
  call.scratch_bytes = 2 * s.kernel_height * patch_width(s);
  call.estimate.own_saves = 2.0 * static_cast<double>(macs(s));
  call.order = Order{2, s.in_width != column.in_width ? s.out_width : 1, false};
  return call;
}

}  // namespace mote::convolution
