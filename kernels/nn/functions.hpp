// SPDX-License-Identifier: Apache-2.0
// Functions of one real number that only ONNX models ask for: error function, inverse and hyperbolic functions.
#pragma once

#include <math.h>

#include "nn/arithmetic.hpp"
#include "nn/float_math.hpp"

namespace nn {

// The Taylor series near 0; further out 1 - e^(-z^2) times a polynomial in 1 / (1 + 0.3275911 z), to 2e-7
// (Abramowitz and Stegun 7.1.26).
struct Erf : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float z = x < 0.0f ? -x : x;
    if (z < 0.25f) {
      const float z2 = z * z;
      return x *
             (1.128379167f + z2 * (-0.376126389f + z2 * (0.112837917f + z2 * (-0.026866171f + z2 * 0.00522398f))));
    }
    const float t = 1.0f / (1.0f + 0.3275911f * z);
    const float factors[] = {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
    float sum = 1.061405429f;
    for (int k = 0; k < 4; ++k) sum = sum * t + factors[k];
    const float value = 1.0f - sum * t * exp_f32(-z * z);
    return x < 0.0f ? -value : value;
  }
};

// atan x for x >= 0: pi/2 or pi/4 plus the series of an argument below tan(pi/8).
MOTE_KERNEL float atan_of_positive(float x) {
  float offset = 0.0f;
  if (x > 2.414213562f) {
    offset = 1.570796327f;
    x = -1.0f / x;
  } else if (x > 0.414213562f) {
    offset = 0.785398163f;
    x = (x - 1.0f) / (x + 1.0f);
  }
  const float x2 = x * x;
  const float factors[] = {1.0f / 13, -1.0f / 11, 1.0f / 9, -1.0f / 7, 1.0f / 5, -1.0f / 3};
  float sum = -1.0f / 15;
  for (int k = 0; k < 6; ++k) sum = sum * x2 + factors[k];
  return offset + (x + x * x2 * sum);
}

MOTE_KERNEL float atan_of(float x) { return x < 0.0f ? -atan_of_positive(-x) : atan_of_positive(x); }

struct Atan : Plain {
  MOTE_KERNEL float operator()(float x) const { return atan_of(x); }
};

// Beyond the numbers that have one, the square root gives NaN.
struct Asin : Plain {
  MOTE_KERNEL float operator()(float x) const { return atan_of(x / sqrtf((1.0f - x) * (1.0f + x))); }
};

struct Acos : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float half = atan_of_positive(sqrtf((1.0f - x) / (1.0f + x)));
    return 2.0f * half;
  }
};

// log(x + sqrt(x^2 + 1)); near 0, where that cancels, x (1 - x^2 / 6 + 3 x^4 / 40).
struct Asinh : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float z = x < 0.0f ? -x : x;
    const float z2 = z * z;
    const float value =
        z < 0.125f ? z * (1.0f + z2 * (-1.0f / 6 + z2 * (3.0f / 40))) : log_f32(z + sqrtf(z2 + 1.0f));
    return x < 0.0f ? -value : value;
  }
};

struct Acosh : Plain {
  MOTE_KERNEL float operator()(float x) const {
    if (x < 1.0f) return __builtin_nanf("");
    return log_f32(x + sqrtf((x - 1.0f) * (x + 1.0f)));
  }
};

struct Atanh : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float z = x < 0.0f ? -x : x;
    if (z > 1.0f) return __builtin_nanf("");
    const float z2 = z * z;
    const float value = z < 0.125f  ? z * (1.0f + z2 * (1.0f / 3 + z2 * (1.0f / 5)))
                        : z == 1.0f ? __builtin_inff()
                                    : 0.5f * log_f32((1.0f + z) / (1.0f - z));
    return x < 0.0f ? -value : value;
  }
};

}  // namespace nn
