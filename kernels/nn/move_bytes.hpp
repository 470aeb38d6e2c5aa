// SPDX-License-Identifier: Apache-2.0
// Moves of bytes within the arena, also onto themselves.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// From the lowest byte on: for a target below its source.
MOTE_KERNEL void move_down(uint8_t* to, const uint8_t* from, int32_t count) {
  if (((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & 3) == 0) {
    for (; count >= 16; count -= 16, from += 16, to += 16) {
      uint32_t words[4];
      __builtin_memcpy(words, __builtin_assume_aligned(from, 4), 16);
      __builtin_memcpy(__builtin_assume_aligned(to, 4), words, 16);
    }
  }
  for (; count > 0; --count) *to++ = *from++;
}

// From the highest byte on: for a target above its source.
MOTE_KERNEL void move_up(uint8_t* to, const uint8_t* from, int32_t count) {
  to += count, from += count;
  if (((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & 3) == 0) {
    for (; count >= 16; count -= 16) {
      from -= 16, to -= 16;
      uint32_t words[4];
      __builtin_memcpy(words, __builtin_assume_aligned(from, 4), 16);
      __builtin_memcpy(__builtin_assume_aligned(to, 4), words, 16);
    }
  }
  for (; count > 0; --count) *--to = *--from;
}

MOTE_KERNEL void move_bytes(uint8_t* to, const uint8_t* from, int32_t count) {
  if (to < from) {
    move_down(to, from, count);
  } else if (to > from) {
    move_up(to, from, count);
  }
}

}  // namespace nn
