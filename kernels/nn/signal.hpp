// SPDX-License-Identifier: Apache-2.0
// The audio front end of TensorFlow Lite Micro's signal library, bit for bit: window, energy, filter bank.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

struct SignalWindow {
  int32_t rows, size, shift;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("size", size), f("shift", shift);
  }
};

MOTE_KERNEL void signal_window_s16(const SignalWindow& p, const int16_t* in, const int16_t* window, int16_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    for (int32_t i = 0; i < p.size; ++i) {
      *out++ = static_cast<int16_t>(clamp((*in++ * window[i]) >> p.shift, -32768, 32767));
    }
  }
}

// Position of the highest bit that is set, counted from 1; 0 for 0.
MOTE_KERNEL int32_t bit_length(uint32_t x) {
  int32_t length = 0;
  for (int32_t step = 16; step > 0; step >>= 1) {
    if ((x >> step) != 0) x >>= step, length += step;
  }
  return length + static_cast<int32_t>(x);
}

struct SignalFftAutoScale {
  int32_t size;

  template <class F>
  constexpr void fields(F&& f) const {
    f("size", size);
  }
};

// Shifts the values left as far as the largest of them allows; `bits` is by how much.
MOTE_KERNEL void signal_fft_auto_scale_s16(const SignalFftAutoScale& p, const int16_t* in, int16_t* out,
                                           int32_t* bits) {
  int32_t largest = 0;
  for (int32_t i = 0; i < p.size; ++i) {
    const int32_t magnitude = in[i] < 0 ? -in[i] : in[i];
    if (magnitude > largest) largest = magnitude;
  }
  const int32_t room = largest > 32767 ? 0 : 15 - bit_length(static_cast<uint32_t>(largest));
  for (int32_t i = 0; i < p.size; ++i) out[i] = static_cast<int16_t>(in[i] * (1 << room));
  *bits = room;
}

struct SignalEnergy {
  int32_t size, start, end;  // only the bins from start to end are computed, the others are 0

  template <class F>
  constexpr void fields(F&& f) const {
    f("size", size), f("start", start), f("end", end);
  }
};

// The squared magnitude of complex numbers.
MOTE_KERNEL void signal_energy_s16(const SignalEnergy& p, const int16_t* in, uint32_t* out) {
  for (int32_t i = 0; i < p.size; ++i, in += 2) {
    const auto real = static_cast<uint32_t>(in[0] * in[0]), imaginary = static_cast<uint32_t>(in[1] * in[1]);
    out[i] = i >= p.start && i < p.end ? real + imaginary : 0;
  }
}

struct SignalFilterBank {
  int32_t channels;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels);
  }
};

// Every frequency counts for two neighbouring channels: with `weights` for one, `unweights` for the next.
MOTE_KERNEL void signal_filter_bank_u32(const SignalFilterBank& p, const uint32_t* in, const int16_t* weights,
                                        const int16_t* unweights, const int16_t* frequency_starts,
                                        const int16_t* weight_starts, const int16_t* widths, uint64_t* out) {
  uint64_t sum = 0;
  for (int32_t channel = 0; channel <= p.channels; ++channel) {
    uint64_t next_sum = 0;
    const uint32_t* const energy = in + frequency_starts[channel];
    const int16_t* const weight = weights + weight_starts[channel];
    const int16_t* const unweight = unweights + weight_starts[channel];
    for (int32_t i = 0; i < widths[channel]; ++i) {
      sum += uint64_t{energy[i]} * static_cast<uint32_t>(weight[i]);
      next_sum += uint64_t{energy[i]} * static_cast<uint32_t>(unweight[i]);
    }
    if (channel > 0) out[channel - 1] = sum;  // the first sum only prepares the one after it
    sum = next_sum;
  }
}

// The integer nearest to the square root, at most the largest T / 2 bits; two bits a step from the highest on.
template <class T>
inline __attribute__((noinline)) T nearest_square_root(T x) {
  constexpr T most = (T{1} << (4 * sizeof(T))) - 1;
  T root = 0, bit = T{1} << (8 * sizeof(T) - 2);
  while (bit > x) bit >>= 2;
  for (; bit != 0; bit >>= 2) {
    if (x >= root + bit) {
      x -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return x > root && root != most ? root + 1 : root;
}

MOTE_KERNEL void signal_square_root_u64(const SignalFilterBank& p, const uint64_t* in, const int32_t* scale_bits,
                                        uint32_t* out) {
  for (int32_t i = 0; i < p.channels; ++i) {
    const auto low = static_cast<uint32_t>(in[i]);
    const bool small = (in[i] >> 32) == 0;
    const uint32_t root =
        small ? nearest_square_root<uint32_t>(low) : static_cast<uint32_t>(nearest_square_root<uint64_t>(in[i]));
    out[i] = root >> (*scale_bits & 31);
  }
}

struct SignalSpectralSubtraction {
  int32_t channels;
  uint32_t smoothing, one_minus_smoothing;  // of the even channels
  uint32_t alternate_smoothing, alternate_one_minus_smoothing;
  uint32_t least_remaining;  // of the signal
  int32_t smoothing_bits, bits;
  int32_t clamping;  // 1: the estimate never exceeds the signal

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("smoothing", smoothing), f("one_minus_smoothing", one_minus_smoothing);
    f("alternate_smoothing", alternate_smoothing);
    f("alternate_one_minus_smoothing", alternate_one_minus_smoothing), f("least_remaining", least_remaining);
    f("smoothing_bits", smoothing_bits), f("bits", bits), f("clamping", clamping);
  }
};

// Takes from each channel its noise, which is the mean of the signal over time.
MOTE_KERNEL void signal_spectral_subtraction_u32(const SignalSpectralSubtraction& p, const uint32_t* in,
                                                 uint32_t* estimates, uint32_t* out, uint32_t* noise) {
  for (int32_t i = 0; i < p.channels; ++i) {
    const bool odd = (i & 1) != 0;
    const uint32_t scaled = in[i] << p.smoothing_bits;
    const uint64_t mean = uint64_t{scaled} * (odd ? p.alternate_smoothing : p.smoothing) +
                          uint64_t{estimates[i]} * (odd ? p.alternate_one_minus_smoothing : p.one_minus_smoothing);
    const auto estimate = static_cast<uint32_t>(mean >> p.bits);
    const uint32_t subtracted = estimate > scaled ? scaled : estimate;
    noise[i] = estimates[i] = p.clamping != 0 ? subtracted : estimate;
    const auto least = static_cast<uint32_t>((uint64_t{in[i]} * p.least_remaining) >> p.bits);
    const uint32_t rest = (scaled - subtracted) >> p.smoothing_bits;
    out[i] = rest > least ? rest : least;
  }
}

struct SignalPcan {
  int32_t channels, snr_shift;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("snr_shift", snr_shift);
  }
};

// A function of 32-bit numbers by quadratic pieces, one for each power of two.
MOTE_KERNEL int32_t wide_dynamic_function(uint32_t x, const int16_t* table) {
  if (x <= 2) return table[x];
  const int32_t interval = bit_length(x);
  const int16_t* const piece = table + 4 * interval - 6;
  const auto fraction =
      static_cast<int32_t>((interval < 11 ? x << (11 - interval) : x >> (interval - 11)) & 0x3FF);
  int32_t result = (piece[2] * fraction) >> 5;
  result = (result + piece[1] * 32) * fraction;
  return static_cast<int16_t>(((result + (1 << 14)) >> 15) + piece[0]);
}

// Automatic gain control from the noise, then x^2 / 4 below 2 and x - 1 above; 12 bits of fraction become 6.
MOTE_KERNEL void signal_pcan_u32(const SignalPcan& p, const uint32_t* in, const uint32_t* noise,
                                 const int16_t* gains, uint32_t* out) {
  for (int32_t i = 0; i < p.channels; ++i) {
    const auto gain = static_cast<uint32_t>(wide_dynamic_function(noise[i], gains));
    const auto ratio = static_cast<uint32_t>((uint64_t{in[i]} * gain) >> p.snr_shift);
    out[i] = ratio < (2u << 12) ? (ratio * ratio) >> 20 : (ratio >> 6) - (1u << 6);
  }
}

struct SignalFilterBankLog {
  int32_t channels, correction_bits;
  uint32_t out_scale;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("correction_bits", correction_bits), f("out_scale", out_scale);
  }
};

// ln(x) * out_scale / 2^16 * 2^16 by log2 with a table of log2(1 + i / 128) - i / 128 in Q0.16.
MOTE_KERNEL uint32_t scaled_log(uint32_t x, uint32_t out_scale, const uint16_t* table) {
  constexpr uint32_t ln_2 = 45426, half = 1u << 15;  // Q0.16
  const int32_t integer = bit_length(x) - 1;
  const uint32_t rest = x - (uint32_t{1} << integer);
  const uint32_t fraction = integer < 16 ? rest << (16 - integer) : rest >> (integer - 16);
  const uint32_t segment = fraction >> 9;
  const int32_t low = table[segment], high = table[segment + 1];
  const int32_t slope = ((high - low) * static_cast<int32_t>(fraction & 511)) >> 16;
  const uint32_t log2 = (static_cast<uint32_t>(integer) << 16) + fraction + static_cast<uint32_t>(low + slope);
  const auto natural = static_cast<uint32_t>((uint64_t{ln_2} * log2 + half) >> 16);
  return (out_scale * natural + half) >> 16;
}

MOTE_KERNEL void signal_filter_bank_log_u32(const SignalFilterBankLog& p, const uint32_t* in,
                                            const uint16_t* table, int16_t* out) {
  for (int32_t i = 0; i < p.channels; ++i) {
    const uint32_t scaled = in[i] << p.correction_bits;
    const uint32_t value = scaled > 1 ? scaled_log(scaled, p.out_scale, table) : 0;
    out[i] = static_cast<int16_t>(value < 32767 ? value : 32767);
  }
}

}  // namespace nn
