// SPDX-License-Identifier: Apache-2.0
// The largest element of one pooling window, four channels at a time.
#pragma once

#include <stdint.h>

#include "nn/copy_bytes.hpp"
#include "nn/pool.hpp"

namespace nn {

// Byte for byte: the subtraction sets a flag for each byte that is not below the other's, by which SEL selects.
MOTE_KERNEL uint32_t largest_bytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
  return result;
}
MOTE_KERNEL uint32_t smallest_bytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n sel %0, %2, %1" : "=&r"(result) : "r"(a), "r"(b) : "cc");
  return result;
}
MOTE_KERNEL uint32_t four_bytes(int32_t value) { return (static_cast<uint32_t>(value) & 0xFF) * 0x01010101; }

MOTE_KERNEL void max_window_s8(const Pool& p, const int8_t* first, int32_t height, int32_t width, int8_t* out) {
  int32_t c = 0;
  for (; c + 4 <= p.channels; c += 4) {
    uint32_t largest = four_bytes(p.low);
    const int8_t* from = first + c;
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        largest = largest_bytes(load_word(from), largest);
        from += p.channels;
      }
      from += (p.in_width - width) * p.channels;
    }
    if (p.high < 127) largest = smallest_bytes(largest, four_bytes(p.high));
    __builtin_memcpy(out + c, &largest, 4);
  }
  for (; c < p.channels; ++c) max_channel_s8(p, first + c, height, width, out + c);
}

}  // namespace nn
