// SPDX-License-Identifier: Apache-2.0
// A target: the instruction set, how to compile and link for it, its memories, and the emulator that runs it.
#pragma once

#include <cstdint>
#include <string_view>

namespace mote {

struct Target {
  std::string_view name;         // "rv32imac"
  std::string_view description;  // one line for `mote targets`
};

}  // namespace mote
