// SPDX-License-Identifier: Apache-2.0
// Convolution of real activations with quantised weights: each image is quantised before it is convolved.
#pragma once

#include "nn/conv2d.hpp"
#include "nn/quantize.hpp"

namespace nn {

struct Conv2dHybrid {
  Conv2dF32 conv;
  int32_t asymmetric;  // 0: the images' zero point is 0

  template <class F>
  constexpr void fields(F&& f) const {
    f("conv", conv), f("asymmetric", asymmetric);
  }
};

struct ImageRange {
  float scale, steps;  // one is the reciprocal of the other
  int32_t zero;
};

// The smallest range that holds all values and zero, divided into 255 steps; symmetric around zero: into 254.
MOTE_KERNEL ImageRange range_of(const float* values, int32_t count, bool asymmetric) {
  float low = 0.0f, high = 0.0f;
  for (int32_t i = 0; i < count; ++i) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (low == high) return {1.0f, 1.0f, 0};
  if (!asymmetric) {
    const float largest = high > -low ? high : -low;
    return {largest / 127.0f, 127.0f / largest, 0};
  }
  const float scale = (high - low) / 255.0f;
  // From the end of the range that is nearer to zero: it has the smaller rounding error.
  const float zero = scale - low < high ? -128.0f - low / scale : 127.0f - high / scale;
  return {scale, 1.0f / scale, clamp(round_half_away(zero), -128, 127)};
}

MOTE_KERNEL ImageRange quantize_image(const float* values, int32_t count, bool asymmetric, int8_t* quantized) {
  const ImageRange range = range_of(values, count, asymmetric);
  const auto zero = static_cast<float>(range.zero);
  for (int32_t i = 0; i < count; ++i) {
    const int32_t value = round_half_away(zero + values[i] * range.steps);
    quantized[i] = static_cast<int8_t>(clamp(value, asymmetric ? -128 : -127, 127));
  }
  return range;
}

struct ScaleSum {
  const float *bias, *scales;
  float in_scale, low, high;

  MOTE_KERNEL uint32_t start(int32_t) const { return 0; }
  MOTE_KERNEL float operator()(uint32_t sum, int32_t c) const {
    const float value = bias[c] + static_cast<float>(static_cast<int32_t>(sum)) * (in_scale * scales[c]);
    return clamp_f32(value, low, high);
  }
};

template <class Weight>
MOTE_KERNEL void conv2d_quantized_images(const Conv2dHybrid& p, const float* in, const Weight* weights,
                                         const float* bias, const float* scales, float* out, int8_t* quantized) {
  const int32_t image = p.conv.in_height * p.conv.in_width * p.conv.in_channels;
  for (int32_t batch = 0; batch < p.conv.batches; ++batch) {
    const ImageRange range = quantize_image(in, image, p.asymmetric != 0, quantized);
    out = conv2d_image(p.conv, quantized, weights, out, static_cast<uint32_t>(range.zero),
                       ScaleSum{bias, scales, range.scale, p.conv.low, p.conv.high});
    in += image;
  }
}

// weights as for conv2d_s8, `scales` their scales, one a channel. quantized: one image.
MOTE_KERNEL void conv2d_hybrid(const Conv2dHybrid& p, const float* in, const int8_t* weights, const float* bias,
                               const float* scales, float* out, int8_t* quantized) {
  conv2d_quantized_images(p, in, weights, bias, scales, out, quantized);
}

// The same with weights that 8 bits do not hold, because they have a zero point, which is subtracted already.
MOTE_KERNEL void conv2d_hybrid_wide_weights(const Conv2dHybrid& p, const float* in, const int16_t* weights,
                                            const float* bias, const float* scales, float* out,
                                            int8_t* quantized) {
  conv2d_quantized_images(p, in, weights, bias, scales, out, quantized);
}

}  // namespace nn
