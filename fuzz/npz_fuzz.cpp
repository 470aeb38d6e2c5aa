// SPDX-License-Identifier: Apache-2.0
// Any bytes: the arrays of a .npz file or one Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/npz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    static_cast<void>(mote::parse_npz(std::as_bytes(std::span(data, size)), "fuzz.npz"));
  } catch (const mote::Error&) {
  }
  return 0;
}
