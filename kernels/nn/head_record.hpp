// SPDX-License-Identifier: Apache-2.0
// A trained head as bytes for flash: SPEC.md fixes them. Damage, other versions and other models are noticed.
#pragma once

#include <stddef.h>
#include <string.h>

#include "nn/fixed.hpp"

namespace nn {

// What a record must agree in. `model`: of what the parameters' meaning depends on, low half first.
struct HeadRecord {
  uint32_t model[2];
  int32_t inputs, outputs;
  int32_t parameters;  // in floats; follows from the others
};

constexpr uint32_t head_magic = 0x4448544D, head_version = 1;  // "MTHD"
constexpr int32_t head_words = 6;                              // magic, version, model, inputs, outputs

enum : int32_t { head_ok = 0, head_none = 1, head_other_version = 2, head_damaged = 3, head_other_model = 4 };

MOTE_KERNEL size_t head_parameter_bytes(const HeadRecord& p) {
  return static_cast<size_t>(p.parameters) * sizeof(float);
}

// The CRC-32 of IEEE 802.3 (reflected 0x04C11DB7, all ones before and inverted after).
MOTE_KERNEL uint32_t crc32(const uint8_t* bytes, size_t count) {
  uint32_t crc = 0xFFFFFFFFU;
  for (size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1)));
  }
  return ~crc;
}

MOTE_KERNEL void head_beginning(const HeadRecord& p, uint32_t* words) {
  words[0] = head_magic;
  words[1] = head_version;
  words[2] = p.model[0];
  words[3] = p.model[1];
  words[4] = static_cast<uint32_t>(p.inputs);
  words[5] = static_cast<uint32_t>(p.outputs);
}

// parameters: weights and bias. The checksum comes last: a write that was cut off has none.
MOTE_KERNEL void save_head(const HeadRecord& p, const void* parameters, uint8_t* bytes) {
  uint32_t words[head_words];
  head_beginning(p, words);
  memcpy(bytes, words, sizeof words);
  memcpy(bytes + sizeof words, parameters, head_parameter_bytes(p));
  const size_t length = sizeof words + head_parameter_bytes(p);
  const uint32_t crc = crc32(bytes, length);
  memcpy(bytes + length, &crc, sizeof crc);
}

// Leaves the parameters as they are unless it returns head_ok.
MOTE_KERNEL int32_t load_head(const HeadRecord& p, const uint8_t* bytes, void* parameters) {
  uint32_t words[head_words], wanted[head_words], crc;
  head_beginning(p, wanted);
  memcpy(words, bytes, sizeof words);
  if (words[0] != wanted[0]) return head_none;
  if (words[1] != wanted[1]) return head_other_version;
  // Another head has another length, and its checksum stands elsewhere.
  if (memcmp(words + 2, wanted + 2, sizeof words - 8) != 0) return head_other_model;
  const size_t length = sizeof words + head_parameter_bytes(p);
  memcpy(&crc, bytes + length, sizeof crc);
  if (crc != crc32(bytes, length)) return head_damaged;
  memcpy(parameters, bytes + sizeof words, head_parameter_bytes(p));
  return head_ok;
}

}  // namespace nn
