// SPDX-License-Identifier: Apache-2.0
#include "ops/byte_functions.hpp"

#include <algorithm>
#include <cmath>

#include "nn/inverse_sqrt.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

namespace {

int32_t to_byte(int32_t value) { return std::clamp(value, -128, 127); }

// e^x for x <= 0, in Q(integer_bits).(31 - integer_bits): nn::exp_on_negative_values for another format.
int32_t exp_on_negative(int32_t x, int integer_bits) {
  if (x == 0) return INT32_MAX;
  const int32_t quarter = 1 << (29 - integer_bits);
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  int32_t result = nn::exp_near_zero(static_cast<int32_t>(static_cast<uint32_t>(fraction) << integer_bits));
  int32_t rest = (fraction - x) / quarter;
  for (int k = 0; k < integer_bits + 2; ++k, rest >>= 1) {
    if (rest & 1) result = nn::multiply_fractions(result, nn::exp_factors[k]);
  }
  return result;
}

// (1 - x) / (1 + x) in Q0.31 for x in [0, 1): three steps of Newton and Raphson, as in nn::one_over_one_plus.
int32_t one_minus_over_one_plus(int32_t x) {
  const auto half_denominator = static_cast<int32_t>((static_cast<uint32_t>(x) + 0x80000000U) >> 1);
  int32_t y = 1515870810 + nn::multiply_fractions(half_denominator, -1010580540);
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - nn::multiply_fractions(half_denominator, y);
    y += nn::saturating_shift_left(nn::multiply_fractions(y, error), 2);
  }
  return nn::saturating_shift_left(y - (1 << 29), 2);
}

// x in Q4.27 and Q0.31 out.
int32_t logistic_fixed(int32_t x) {
  if (x == 0) return 1 << 30;
  const int32_t above = nn::one_over_one_plus(exp_on_negative(x > 0 ? -x : x, 4));
  return x > 0 ? above : INT32_MAX - above;
}

int32_t tanh_fixed(int32_t x) {
  if (x == 0) return 0;
  const int32_t magnitude = one_minus_over_one_plus(exp_on_negative(x > 0 ? -x : x, 5));  // of 2x in Q5.26
  return x > 0 ? magnitude : -magnitude;
}

// function(s (q - z)) with `fraction_bits` behind the point; the limits where the input leaves Q4.27.
int32_t by_fixed_point(int32_t (*function)(int32_t), int fraction_bits, int32_t zero, int32_t value,
                       const TensorType& in) {
  int shift = 0;
  const double real = static_cast<double>(tensor_scale(in, "input")) * (1 << 27);
  const double fraction = std::frexp(real, &shift);
  require(shift >= 0 && shift <= 30, "has an input scale of {}; scales from 2^-27 to 8 are supported",
          tensor_scale(in, "input"));
  const auto multiplier = static_cast<int32_t>(std::min(std::round(fraction * 2147483648.0), 2147483647.0));
  const auto radius = static_cast<int32_t>(std::floor(std::ldexp(15.0, 27 - shift)));
  const int32_t x = value - tensor_zero(in, "input");
  if (x <= -radius) return -128;
  if (x >= radius) return 127;
  const int32_t result = function(nn::multiply_by_quantized_multiplier(x, multiplier, shift));
  return to_byte(nn::rounding_divide_by_power_of_two(result, 31 - fraction_bits) + zero);
}

int32_t to_int16(int32_t value) { return std::clamp(value, -32768, 32767); }

// round(a * b / 2^15), ties towards +infinity
int32_t high_mul_16(int32_t a, int32_t b) { return to_int16((a * b + (1 << 14)) >> 15); }

struct Multiplier16 {
  int32_t multiplier;
  int shift;
};

Multiplier16 quantize_multiplier_16(float real) {
  const FixedMultiplier fixed = quantize_multiplier(static_cast<double>(real));
  return {static_cast<int32_t>(std::min<int64_t>((int64_t{fixed.multiplier} + (1 << 15)) >> 16, 32767)),
          fixed.shift};
}

}  // namespace

Bytes byte_table(const std::function<int32_t(int32_t)>& function) {
  std::vector<int8_t> table;
  for (int32_t value = -128; value < 128; ++value) table.push_back(static_cast<int8_t>(function(value)));
  return to_bytes(table);
}

int32_t by_float(float (*function)(float), int32_t value, const TensorType& in, const TensorType& out) {
  const float inverse_scale = 1.0F / tensor_scale(out, "output");
  const float real = tensor_scale(in, "input") * static_cast<float>(value - tensor_zero(in, "input"));
  const float steps = std::round(function(real) * inverse_scale);
  if (std::isnan(steps)) return -128;
  return to_byte(static_cast<int32_t>(std::clamp(steps, -1e6F, 1e6F)) + tensor_zero(out, "output"));
}

int32_t logistic_byte(int32_t value, const TensorType& in) {
  return by_fixed_point(logistic_fixed, 8, -128, value, in);
}

int32_t tanh_byte(int32_t value, const TensorType& in) { return by_fixed_point(tanh_fixed, 7, 0, value, in); }

int32_t hard_swish_byte(int32_t value, const TensorType& in, const TensorType& out) {
  const float fine_scale = (1.0F / 128.0F) * tensor_scale(in, "input");
  const Multiplier16 to_output = quantize_multiplier_16(fine_scale / tensor_scale(out, "output"));
  const Multiplier16 to_gate = quantize_multiplier_16(fine_scale / (3.0F / 32768.0F));
  require(to_output.shift <= 0, "has an output scale of {}, too small for its input; convert the model again",
          tensor_scale(out, "output"));
  const int32_t fine = (value - tensor_zero(in, "input")) * 128;
  const int32_t scaled = high_mul_16(fine, to_output.multiplier);
  int32_t gate = fine;  // becomes x / 3 clamped to [-1, 1), in 1/32768
  if (to_gate.shift > 0) gate = to_int16(gate * (1 << std::min(to_gate.shift - 1, 15)));
  gate = high_mul_16(gate, to_gate.multiplier);
  if (to_gate.shift > 0) gate = to_int16(gate * 2);
  if (to_gate.shift < 0) gate = nn::rounding_divide_by_power_of_two(gate, -to_gate.shift);
  gate = (gate + (1 << 15)) >> 1;
  const int32_t product = to_int16((gate * scaled) / (1 << 15));  // towards zero
  return to_byte(nn::rounding_divide_by_power_of_two(product, -to_output.shift) + tensor_zero(out, "output"));
}

int32_t reciprocal_sqrt_byte(int32_t value, const TensorType& in, const TensorType& out) {
  constexpr int headroom = 20;
  const int32_t x = value - tensor_zero(in, "input");
  if (x <= 0) return 127;
  const float scale = std::sqrt(tensor_scale(in, "input")) * tensor_scale(out, "output");
  const FixedMultiplier to_output = quantize_multiplier(1.0 / static_cast<double>(scale));
  const nn::InverseSqrt root = nn::inverse_sqrt(x);
  const int32_t fraction = nn::multiply_by_quantized_multiplier(1, root.multiplier, root.shift + headroom);
  return to_byte(nn::multiply_by_quantized_multiplier(fraction, to_output.multiplier, to_output.shift - headroom) +
                 tensor_zero(out, "output"));
}

}  // namespace mote::op
