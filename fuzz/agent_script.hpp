// SPDX-License-Identifier: Apache-2.0
// What the bytes of agent_fuzz mean: steps, each a byte and what belongs to it.
#pragma once

#include <cstdint>

namespace mote::fuzz {

enum class Step : uint8_t {
  raw,      // count u8, bytes on the wire
  request,  // command u8, count u16, payload: with the next sequence number
  again,    // command u8, how far back u8, count u8, payload: with one of those around the last
  session,  // number u8: later requests are of this one
  settle,   // count u8: so many steps of the agent
};
constexpr int step_kinds = 5;

constexpr uint32_t pool_address = 0x20000000, pool_bytes = 1 << 14;

}  // namespace mote::fuzz
