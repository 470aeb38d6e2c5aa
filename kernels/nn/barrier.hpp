// SPDX-License-Identifier: Apache-2.0
// Where two cores wait for each other: a word a core, written by that core alone.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

// What a core does while it waits: nothing, unless the application says it better (yield, a hint to the core).
#ifndef MOTE_RELAX
#define MOTE_RELAX()
#endif

namespace nn {

// Each word counts its core's arrivals. A core goes on once the other has arrived as often as itself: it can be
// one ahead, so the difference says it, also where the counts wrap. Needs no read-modify-write: a store that
// releases what was written before, and a load that acquires what the other wrote.
MOTE_KERNEL void wait_for_other(uint32_t* arrived, int core) {
  const uint32_t count = arrived[core] + 1;
  __atomic_store_n(&arrived[core], count, __ATOMIC_RELEASE);
  while (static_cast<int32_t>(__atomic_load_n(&arrived[1 - core], __ATOMIC_ACQUIRE) - count) < 0) {
    MOTE_RELAX();
  }
}

}  // namespace nn
