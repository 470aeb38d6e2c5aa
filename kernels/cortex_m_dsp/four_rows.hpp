// SPDX-License-Identifier: Apache-2.0
// The sums of nn/four_rows.hpp in Arm's DSP instructions: 5 instructions for four products.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// As in nn/four_rows.hpp: bytes 0 and 2, then 1 and 3.
MOTE_KERNEL int32_t add_four_products(uint32_t values, uint32_t weights, int32_t sum) {
  uint32_t even_values, odd_values, even_weights, odd_weights;
  __asm__("sxtb16 %0, %1" : "=r"(even_values) : "r"(values));
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd_values) : "r"(values));
  __asm__("sxtb16 %0, %1" : "=r"(even_weights) : "r"(weights));
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd_weights) : "r"(weights));
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(even_values), "r"(even_weights));
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(odd_values), "r"(odd_weights));
  return sum;
}

}  // namespace nn
