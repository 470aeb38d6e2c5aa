// SPDX-License-Identifier: Apache-2.0
// Any bytes as an .onnx model: a verified Graph or one Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/onnx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    verify(mote::import_onnx(std::as_bytes(std::span(data, size)), "fuzz", {}));
  } catch (const mote::Error&) {
  }
  return 0;
}
