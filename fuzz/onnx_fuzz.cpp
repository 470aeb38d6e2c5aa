// SPDX-License-Identifier: Apache-2.0
// Any bytes as an .onnx model: a verified Graph or one Error, nothing else.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/onnx.hpp"
#include "onnx_mutate.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

// Mostly a change within a message that stays one, sometimes of bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  mote::onnx::schema::Model model;
  const bool whole = model.ParsePartialFromArray(data, static_cast<int>(size)) && model.has_graph();
  if (!whole || seed % 5 == 0) return LLVMFuzzerMutate(data, size, most);
  mote::fuzz::mutate(model, seed / 5);
  const size_t changed = model.ByteSizeLong();
  if (changed > most) return LLVMFuzzerMutate(data, size, most);
  model.SerializePartialToArray(data, static_cast<int>(changed));
  return changed;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    verify(mote::import_onnx(std::as_bytes(std::span(data, size)), "fuzz", {}));
  } catch (const mote::Error&) {
  }
  return 0;
}
