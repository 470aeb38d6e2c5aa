// SPDX-License-Identifier: Apache-2.0
// Exponential and logarithm in single precision: the same bits on every machine, and no libm on the device.
//
// Valid only without contraction to fused multiply-add (-ffp-contract=off).
#pragma once

#include <stdint.h>
#include <string.h>

#include "nn/fixed.hpp"

namespace nn {

MOTE_KERNEL int32_t bits_of(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

MOTE_KERNEL float float_of(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// e^x to about 2 units in the last place; 0 below -86, e^88 above 88, NaN of NaN. x = n ln 2 + r, then the Taylor
// series of e^r.
MOTE_KERNEL float exp_f32(float x) {
  if (x != x) return x;  // not a number, which no integer can hold
  if (x < -86.0f) return 0.0f;
  if (x > 88.0f) x = 88.0f;
  const auto n = static_cast<int32_t>(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
  const auto n_real = static_cast<float>(n);
  // ln 2 in two parts: the first has 9 bits, so that its product with n is exact.
  const float r = (x - n_real * 0.693359375f) + n_real * 2.12194440e-4f;
  const float factors[] = {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  float sum = 1.0f / 720;
  for (int k = 0; k < 6; ++k) sum = sum * r + factors[k];
  return float_of(bits_of(sum) + n * (1 << 23));
}

// ln x for normal x > 0. x = 2^n m with m in [0.7, 1.4], then ln m = 2 artanh((m - 1) / (m + 1)) by its series.
MOTE_KERNEL float log_f32(float x) {
  if (x != x) return x;
  const int32_t bits = bits_of(x);
  const int32_t n = (bits - 0x3F3504F3) >> 23;  // 0x3F3504F3: sqrt(1/2)
  const float m = float_of(bits - n * (1 << 23));
  const float s = (m - 1.0f) / (m + 1.0f);
  const float s2 = s * s;
  const float factors[] = {2.0f / 7, 2.0f / 5, 2.0f / 3, 2.0f};
  float sum = 2.0f / 9;
  for (int k = 0; k < 4; ++k) sum = sum * s2 + factors[k];
  return static_cast<float>(n) * 0.693147181f + sum * s;
}

MOTE_KERNEL float clamp_f32(float value, float low, float high) {
  if (value < low) value = low;
  if (value > high) value = high;
  return value;
}

MOTE_KERNEL float largest_of(const float* values, int32_t count) {
  float largest = values[0];
  for (int32_t i = 1; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

// The angle of the point (x, y), from -pi to pi, to about 3 units in the last place; zeros have signs. The smaller
// coordinate over the larger lies in [0, 1]; above tan(pi / 8) the angle to the diagonal is taken instead.
MOTE_KERNEL float atan2_f32(float y, float x) {
  if (x != x || y != y) return x + y;
  const float far_x = x < 0.0f ? -x : x, far_y = y < 0.0f ? -y : y;
  const bool steep = far_y > far_x;
  const float small = steep ? far_x : far_y, large = steep ? far_y : far_x;
  float t = large == 0.0f ? 0.0f : small == large ? 1.0f : small / large;
  float angle = 0.0f;
  if (t > 0.414213562f) {
    angle = 0.785398163f;
    t = (t - 1.0f) / (t + 1.0f);
  }
  const float z = t * t;
  const float factors[] = {-1.38776856e-1f, 1.99777106e-1f, -3.33329491e-1f};
  float sum = 8.05374449e-2f;
  for (int k = 0; k < 3; ++k) sum = sum * z + factors[k];
  angle += sum * z * t + t;
  if (steep) angle = 1.57079633f - angle;
  if (bits_of(x) < 0) angle = 3.14159265f - angle;
  return bits_of(y) < 0 ? -angle : angle;
}

}  // namespace nn
