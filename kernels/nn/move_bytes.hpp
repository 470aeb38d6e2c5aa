// SPDX-License-Identifier: Apache-2.0
// Moves of bytes within the arena, also onto themselves.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// So many words at once: several where one instruction loads them or speed matters.
#if MOTE_OPTIMIZE > 0 || defined(__arm__)
constexpr int32_t words_at_once = 4;
#else
constexpr int32_t words_at_once = 1;
#endif
struct MovedWords {
  uint32_t words[words_at_once];
};

// From the lowest byte on: for a target below its source.
MOTE_KERNEL void move_down(uint8_t* to, const uint8_t* from, int32_t count) {
  if (((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & 3) == 0) {
    constexpr int32_t block = 4 * words_at_once;
    for (; count >= block; count -= block, from += block, to += block) {
      MovedWords words;
      __builtin_memcpy(&words, __builtin_assume_aligned(from, 4), block);
      __builtin_memcpy(__builtin_assume_aligned(to, 4), &words, block);
    }
  }
  for (; count > 0; --count) *to++ = *from++;
}

// From the highest byte on: for a target above its source.
MOTE_KERNEL void move_up(uint8_t* to, const uint8_t* from, int32_t count) {
  to += count, from += count;
  if (((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & 3) == 0) {
    constexpr int32_t block = 4 * words_at_once;
    for (; count >= block; count -= block) {
      from -= block, to -= block;
      MovedWords words;
      __builtin_memcpy(&words, __builtin_assume_aligned(from, 4), block);
      __builtin_memcpy(__builtin_assume_aligned(to, 4), &words, block);
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
