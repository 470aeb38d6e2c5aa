// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_kernels.hpp"

#include <cstdlib>

#include "nn/conv2d_hybrid.hpp"
#include "nn/conv2d_s16.hpp"
#include "nn/transpose_conv.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_grouped.hpp"
#include "ops/convolution_narrow.hpp"
#include "ops/convolution_packed.hpp"
#include "ops/convolution_paired.hpp"
#include "ops/convolution_quantised.hpp"
#include "ops/convolution_s16.hpp"
#include "ops/convolution_transposed.hpp"
#include "ops/convolution_unsigned.hpp"
#include "ops/convolution_vector.hpp"

namespace mote::convolution {

namespace {

constexpr const char* conv_header = "nn/conv2d.hpp";
constexpr const char* conv16_header = "nn/conv2d_s16.hpp";
constexpr const char* transpose_header = "nn/transpose_conv.hpp";

template <class To, class From>
std::vector<To> narrowed(const std::vector<From>& values) {
  std::vector<To> result;
  for (const From value : values) result.push_back(narrow<To>(value));
  return result;
}

// The arguments of a plain kernel: input, weights, the other `constants`, output.
std::vector<Argument> plain_arguments(const Problem& problem, size_t constants) {
  const bool in_flash = problem.weights->constant();
  std::vector<Argument> arguments{input(0), in_flash ? constant(0) : input(1)};
  for (size_t i = 0; i < constants; ++i) arguments.push_back(constant(i + (in_flash ? 1 : 0)));
  arguments.push_back(output(0));
  return arguments;
}

Call plain_call(const Problem& problem, Call call, const std::vector<int8_t>& weights,
                std::vector<Constant> others) {
  if (problem.weights->constant()) call.constants.push_back(constant_of("weights", DType::i8, weights));
  for (Constant& other : others) call.constants.push_back(std::move(other));
  call.order = pixel_order(problem, 1, false);
  return call;
}

std::vector<Constant> channel_constants(const Quantised& q) {
  return {constant_of("bias", DType::i32, narrowed<int32_t>(q.bias)),
          constant_of("multiplier", DType::i32, q.multiplier), constant_of("shift", DType::i8, q.shift)};
}

Call wide_weights_s8(const Problem& problem, const Quantised& q) {
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "Conv2d", q.shape, plain_arguments(problem, 3));
  };
  Call call = problem.transposed
                  ? make(nn::transpose_conv_wide_weights_s8, "transpose_conv_wide_weights_s8", transpose_header)
                  : make(nn::conv2d_wide_weights_s8, "conv2d_wide_weights_s8", conv_header);
  call.constants = channel_constants(q);
  call.constants.insert(call.constants.begin(), constant_of("weights", DType::i16, q.weights));
  call.order = pixel_order(problem, 1, false);
  return call;
}

Call plain_s8(const Problem& problem, const Quantised& q) {
  if (!fits_int8(q.weights)) return wide_weights_s8(problem, q);
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "Conv2d", q.shape, plain_arguments(problem, 3));
  };
  return plain_call(problem,
                    problem.transposed ? make(nn::transpose_conv_s8, "transpose_conv_s8", transpose_header)
                                       : make(nn::conv2d_s8, "conv2d_s8", conv_header),
                    narrowed<int8_t>(q.weights), channel_constants(q));
}

// The reference's arithmetic for sums of 64 bits needs them to stay below 2^47.
void check_s16(const Quantised& q) {
  for (size_t c = 0; c < q.bias.size(); ++c) {
    const bool known = !q.weights.empty();
    require(q.bias[c] > -(int64_t{1} << 46) && q.bias[c] < int64_t{1} << 46 &&
                (!known || sum_bound(q, c) < int64_t{1} << 47),
            "has sums beyond 48 bits in output channel {}, bias {}; check its biases", c, q.bias[c]);
    require(q.shift[c] < 8, "multiplies output channel {} by more than 2^7 after its sum; check the scales", c);
  }
}

Call plain_s16(const Problem& problem, const Quantised& q) {
  require(fits_int8(q.weights),
          "has weights with a zero point, which i16 activations do not allow; quantise them "
          "symmetrically");
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "Conv2d", q.shape, plain_arguments(problem, 3));
  };
  const std::vector<int8_t> weights = narrowed<int8_t>(q.weights);
  if (problem.bias != nullptr && problem.bias->type.dtype == DType::i32) {
    return plain_call(problem, make(nn::conv2d_bias32_s16, "conv2d_bias32_s16", conv16_header), weights,
                      channel_constants(q));
  }
  check_s16(q);
  std::vector<Constant> channels = channel_constants({q.shape, 0, {}, {}, q.multiplier, q.shift});
  channels[0] = constant_of("bias", DType::i64, q.bias);
  return plain_call(problem,
                    problem.transposed ? make(nn::transpose_conv_s16, "transpose_conv_s16", transpose_header)
                                       : make(nn::conv2d_s16, "conv2d_s16", conv16_header),
                    weights, std::move(channels));
}

// Sums of 32 bits where the weights prove them, which no weights at run time do.
Call lower_s16(const Problem& problem, const Core& core) {
  const Quantised q = quantise(problem);
  const bool wide_bias = problem.bias == nullptr || problem.bias->type.dtype != DType::i32;
  if (!problem.weights->constant() || !wide_bias || !fits_int8(q.weights)) return plain_s16(problem, q);
  const std::optional<std::vector<int32_t>> scales = fold16(q);
  if (!scales) return plain_s16(problem, q);
  const std::vector<int8_t> weights = narrowed<int8_t>(q.weights);
  if (!core.compact) {
    std::optional<Call> call = problem.transposed ? lower_transposed_s16(q, *scales, core)
                                                  : lower_blocks_s16(problem, q.shape, weights, *scales, core);
    if (call) return *std::move(call);
  }
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "Conv2d", q.shape, plain_arguments(problem, 1));
  };
  return plain_call(problem,
                    problem.transposed
                        ? make(nn::transpose_conv_narrow_s16, "transpose_conv_narrow_s16", transpose_header)
                        : make(nn::conv2d_narrow_s16, "conv2d_narrow_s16", conv16_header),
                    weights, {constant_of("scales", DType::i32, *scales)});
}

nn::Conv2dF32 float_shape(const Problem& problem) {
  const nn::Conv2d& s = problem.shape;
  const FloatRange range = activation_range(problem.activation);
  return {s.batches,       s.in_height,     s.in_width,      s.in_channels,     s.out_height,
          s.out_width,     s.out_channels,  s.kernel_height, s.kernel_width,    s.group_channels,
          s.group_outputs, s.stride_height, s.stride_width,  s.dilation_height, s.dilation_width,
          s.pad_top,       s.pad_left,      range.low,       range.high};
}

Constant float_bias(const Problem& problem) {
  const std::vector<float> zeros(static_cast<size_t>(problem.shape.out_channels), 0.0F);
  return {"bias", DType::f32, problem.bias != nullptr ? problem.bias->data : to_bytes(zeros), true};
}

// What the loops around the products take, and a copy saves: it has short runs of products without a loop.
Estimate estimate_f32(const Problem& problem, const Core& core) {
  const nn::Conv2d& s = problem.shape;
  const double outputs = static_cast<double>(pixels_of(s)) * s.out_channels;
  const double runs = outputs * s.kernel_height * s.kernel_width, products = runs * s.group_channels;
  const bool unrolled = s.group_channels <= 16, window = s.kernel_height * s.kernel_width != 1;
  return {.instructions = (core.floats ? 7 : 60) * products + 10 * runs + 37 * outputs,
          .own_saves = (unrolled ? 3 * products + 8 * runs : 4 * runs) + 36 * outputs,
          .own_bytes = window             ? 420.0
                       : unrolled         ? 350.0
                       : pixels_of(s) > 1 ? 260.0
                                          : 115.0,
          .shared_bytes = 800};
}

Call plain_f32(const Problem& problem, const Core& core) {
  const auto make = [&](auto kernel, const char* function, const char* header) {
    return make_call(kernel, function, header, "Conv2dF32", float_shape(problem), plain_arguments(problem, 1));
  };
  Call call = problem.transposed ? make(nn::transpose_conv_f32, "transpose_conv_f32", transpose_header)
                                 : make(nn::conv2d_f32, "conv2d_f32", conv_header);
  if (problem.weights->constant()) {
    std::vector<float> weights = to_values<float>(problem.weights->data);
    if (problem.channels_last) weights = channels_first(weights, problem.shape.out_channels);
    call.constants.push_back(constant_of("weights", DType::f32, weights));
  }
  call.constants.push_back(float_bias(problem));
  call.order = pixel_order(problem, 1, false);
  if (!problem.transposed) call.estimate = estimate_f32(problem, core);
  return call;
}

Call lower_hybrid(const Problem& problem) {
  const nn::Conv2d& s = problem.shape;
  const std::vector<int16_t> weights = integer_weights(*problem.weights, s.out_channels, problem.channels_last);
  const bool narrow_weights = fits_int8(weights);
  std::vector<float> scales = problem.weights->type.quant.scale;
  if (scales.size() == 1) scales.resize(static_cast<size_t>(s.out_channels), scales[0]);
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/conv2d_hybrid.hpp", "Conv2dHybrid",
                     nn::Conv2dHybrid{float_shape(problem), problem.asymmetric ? 1 : 0},
                     {input(0), constant(0), constant(1), constant(2), output(0), scratch()});
  };
  Call call = narrow_weights ? make(nn::conv2d_hybrid, "conv2d_hybrid")
                             : make(nn::conv2d_hybrid_wide_weights, "conv2d_hybrid_wide_weights");
  call.constants = {narrow_weights ? constant_of("weights", DType::i8, narrowed<int8_t>(weights))
                                   : constant_of("weights", DType::i16, weights),
                    float_bias(problem), constant_of("scales", DType::f32, scales)};
  call.scratch_bytes = int64_t{s.in_height} * s.in_width * s.in_channels;
  return call;
}

Call lower_s8(const Problem& problem, const Core& core) {
  const Quantised q = quantise(problem);
  if (!problem.weights->constant()) return plain_s8(problem, q);
  if (problem.transposed) {
    std::optional<Call> call = core.compact ? std::nullopt : lower_transposed(q, core);
    return call ? *std::move(call) : plain_s8(problem, q);
  }
  const std::optional<Folded> folded = fold(q);
  std::optional<Call> call;
  if (!folded) {
    const std::optional<Folded> exact = core.compact ? std::nullopt : fold_exact(q);
    if (exact) call = lower_exact(problem, q.shape, *exact);
    return call ? *std::move(call) : plain_s8(problem, q);
  }
  if (core.compact || !core.dsp) call = lower_narrow(problem, q.shape, *folded, core.compact);
  if (!call && core.mve) call = lower_vector(problem, q, *folded);
  if (!call && core.dsp) call = lower_paired(problem, q, *folded);
  if (!call && core.unsigned_bytes) call = lower_unsigned(problem, q.shape, *folded);
  if (!call) call = lower_packed(problem, q.shape, *folded);
  if (!call) call = lower_grouped(problem, q, *folded, core);
  return call ? *std::move(call) : plain_s8(problem, q);
}

}  // namespace

Call lower_plain(const Problem& problem) {
  if (hybrid(problem)) return lower_hybrid(problem);
  if (problem.input->dtype == DType::f32) return plain_f32(problem, {});
  const Quantised q = quantise(problem);
  return problem.input->dtype == DType::i16 ? plain_s16(problem, q) : plain_s8(problem, q);
}

Call lower(const Problem& problem, const Core& core) {
  if (hybrid(problem)) return lower_hybrid(problem);
  if (problem.input->dtype == DType::f32) return plain_f32(problem, core);
  return problem.input->dtype == DType::i16 ? lower_s16(problem, core) : lower_s8(problem, core);
}

}  // namespace mote::convolution
