// SPDX-License-Identifier: Apache-2.0
// Fully connected layer with weights of -1, 0 and 1: sums are looked up, nothing is multiplied.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"

namespace nn {

// Four weights w are a byte, an index into a table of all 81 sums of (w + 1) (x + 128) that their four values can
// give: neither factor is negative, so two sums of 16 bits lie in a word and one addition works on both.
constexpr int32_t ternary_table_words =
    45;  // (w + 1) of the last two values, 3 * 3, times those of the first two, 9 and a gap
constexpr int32_t ternary_tables = 8;  // under way at once: sums are loaded and stored once for 32 values

constexpr int32_t ternary_values = 4 * ternary_tables;

// Where the sum of four weights, each plus 1, stands in a table, in bytes.
constexpr int32_t ternary_index(int32_t w0, int32_t w1, int32_t w2, int32_t w3) {
  return 2 * (10 * (3 * w3 + w2) + 3 * w1 + w0);
}

// The five words of sums under way: of x0 and x1, then with more and more of x2 and x3.
struct TernaryRow {
  uint32_t pair0, pair1, pair2, pair3, pair4;

  MOTE_KERNEL TernaryRow(uint32_t x0, uint32_t x1)
      : pair0(x0 << 16),
        pair1(2 * x0 | x1 << 16),
        pair2((x0 + x1) | (2 * x0 + x1) << 16),
        pair3(2 * x1 | (x0 + 2 * x1) << 16),
        pair4(2 * (x0 + x1)) {}

  MOTE_KERNEL void add(uint32_t both) {
    pair0 += both, pair1 += both, pair2 += both, pair3 += both, pair4 += both;
  }
  MOTE_KERNEL void store(uint32_t* to) const {
    to[0] = pair0, to[1] = pair1, to[2] = pair2, to[3] = pair3, to[4] = pair4;
  }
};

MOTE_KERNEL void fill_ternary_table(uint32_t x0, uint32_t x1, uint32_t x2, uint32_t x3, uint32_t* table) {
  TernaryRow row(x0, x1);
  const uint32_t step2 = x2 * 0x10001, step3 = x3 * 0x10001 - 2 * step2;
  for (uint32_t* const end = table + ternary_table_words; table != end; table += 15) {
    row.store(table), row.add(step2);
    MOTE_HAS_EFFECTS;  // or the compiler keeps more sums under way than there are registers
    row.store(table + 5), row.add(step2);
    MOTE_HAS_EFFECTS;
    row.store(table + 10), row.add(step3);
  }
}

// All tables, for 32 values. Returns the sum of the values, each plus 128.
MOTE_SHARED int32_t fill_ternary_tables(const int8_t* values, uint32_t* table) {
  MOTE_HAS_EFFECTS;
  uint32_t total = 0;
  for (const int8_t* const end = values + ternary_values; values != end; values += 4) {
    const auto value = [&](int32_t i) MOTE_INLINE { return static_cast<uint32_t>(values[i] + 128); };
    const uint32_t x0 = value(0), x1 = value(1), x2 = value(2), x3 = value(3);
    total += x0 + x1 + x2 + x3;
    fill_ternary_table(x0, x1, x2, x3, table);
    table += ternary_table_words;
  }
  return static_cast<int32_t>(total);
}

// Adds eight looked-up sums for each of `channels`, a multiple of four.
MOTE_SHARED const uint8_t* add_ternary_sums(const uint8_t* codes, const uint32_t* tables, int32_t channels,
                                            int32_t* sums) {
  MOTE_HAS_EFFECTS;
  const auto* const table = reinterpret_cast<const uint8_t*>(tables);
  const auto sum = [&](const uint8_t* code) MOTE_INLINE {
    const auto at = [&](int32_t i) MOTE_INLINE {
      return *reinterpret_cast<const uint16_t*>(table + code[i] + 4 * ternary_table_words * i);
    };
    return at(0) + at(1) + at(2) + at(3) + at(4) + at(5) + at(6) + at(7);
  };
  constexpr int32_t together = MOTE_OPTIMIZE > 0 ? 4 : 1;
  for (const int32_t* const end = sums + channels; sums != end; sums += together) {
    for (int32_t i = 0; i < together; ++i) sums[i] += sum(codes + i * ternary_tables);
    codes += together * ternary_tables;
  }
  return codes;
}

// constants: as PackedConstants has them, with 128 times the sum of a channel's weights taken from its bias;
// weights: uint8_t [in_channels / 32][channels][8], channels rounded up to an even number. scratch: the tables,
// and 4 bytes for each of these channels.
MOTE_KERNEL void fully_connected_ternary_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                            int8_t* out, int32_t* scratch) {
  const int32_t channels = p.outputs.channels, padded = (channels + 3) & ~3;
  auto* const tables = reinterpret_cast<uint32_t*>(scratch);
  int32_t* const sums = scratch + ternary_tables * ternary_table_words;
  for (int32_t row = 0; row < p.rows; ++row) {
    const PackedConstants packed(constants, channels);
    const auto* codes = reinterpret_cast<const uint8_t*>(packed.weights);
    for (int32_t c = 0; c < padded; ++c) sums[c] = packed.scales[2 * c];
    int32_t total = 0;
    for (int32_t left = p.in_channels; left > 0; left -= ternary_values) {
      const int8_t* values = in;
      int8_t rest[ternary_values];
      if (left < ternary_values) {  // -128 plus 128 adds nothing
        for (int32_t i = 0; i < ternary_values; ++i) rest[i] = i < left ? in[i] : -128;
        values = rest;
      }
      total += fill_ternary_tables(values, tables);
      in += left < ternary_values ? left : ternary_values;
      codes = add_ternary_sums(codes, tables, padded, sums);
    }
    for (int32_t c = 0; c < channels; ++c) {
      const Requantize requantize(packed.scales[2 * c + 1], packed.shift[c], p.outputs.zero);
      *out++ = requantize(sums[c] - total, p.outputs.zero, p.outputs.low, p.outputs.high);
    }
  }
}

}  // namespace nn
