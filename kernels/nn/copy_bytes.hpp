// SPDX-License-Identifier: Apache-2.0
// Words and short runs of bytes at any address.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// Loads a word from anywhere.
MOTE_KERNEL uint32_t load_word(const void* from) {
  uint32_t word;
  __builtin_memcpy(&word, from, 4);
  return word;
}

}  // namespace nn

// copy_bytes and fill_bytes return the place behind what they wrote.
#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/copy_bytes.hpp"
#else

namespace nn {

MOTE_KERNEL int8_t* copy_bytes(const int8_t* from, int32_t count, int8_t* to) {
  for (; count >= 4; count -= 4) {
    const uint32_t word = load_word(from);
    __builtin_memcpy(to, &word, 4);
    from += 4, to += 4;
  }
  for (; count > 0; --count) *to++ = *from++;
  return to;
}
MOTE_KERNEL int8_t* fill_bytes(int32_t value, int32_t count, int8_t* to) {
  for (; count > 0; --count) *to++ = static_cast<int8_t>(value);
  return to;
}

}  // namespace nn
#endif
