// SPDX-License-Identifier: Apache-2.0
// A core for the agent on the host: loaded code is a list of these instructions, a byte each and its operands.
#pragma once

#include <stdint.h>

namespace mote::test {

constexpr unsigned pretended_access = 1000;  // the cause of an access that protection stops

enum class Instruction : uint8_t {
  back = 1,     // return
  count = 2,    // adds one to the word at io
  reverse = 3,  // n u8: io[8 + n + i] = io[8 + n - 1 - i] for i < n
  spin = 4,     // for ever
  fault = 5,    // cause u8
  log = 6,      // n u8: io[8 ... 8 + n)
};

}  // namespace mote::test
