// SPDX-License-Identifier: Apache-2.0
// A small model for the seeds: its record, and what belongs to it, at addresses of the caller's.
#pragma once

#include <cstring>
#include <vector>

#include "agent/protocol.hpp"

namespace mote::fuzz {

struct Handmade {
  static constexpr uint32_t code_bytes = 64, data_bytes = 256, constants_bytes = 96, io = 128;
  static constexpr uint32_t record_bytes =
      sizeof(wire::RecordOf) + 2 * sizeof(wire::PlaceOf) + 3 * sizeof(wire::SectionOf);

  uint32_t code = 0, data = 0, constants = 0;  // addresses
  std::vector<uint8_t> instructions;           // of the pretended core; padded
  std::vector<uint8_t> numbers = std::vector<uint8_t>(constants_bytes, 7);
};

template <class T>
void append(std::vector<uint8_t>& to, const T& value) {
  const auto* const from = reinterpret_cast<const uint8_t*>(&value);
  to.insert(to.end(), from, from + sizeof value);
}

inline wire::SectionOf section(uint32_t address, wire::Kind kind, const std::vector<uint8_t>& content,
                               uint32_t bytes) {
  uint64_t hash = wire::hash_begin;
  for (const uint8_t byte : content) hash = wire::hash_next(hash, byte);
  return {address,
          bytes,
          static_cast<uint32_t>(kind),
          {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32)}};
}

inline std::vector<uint8_t> record(const Handmade& model) {
  wire::RecordOf header{};
  std::memcpy(header.name, "net", 4);
  header.run = model.code;
  header.io = model.data + Handmade::io;
  header.stack_begin = model.data;
  header.stack_end = model.data + Handmade::io;
  header.inputs = header.outputs = 1;
  header.sections = 3;
  std::vector<uint8_t> bytes;
  append(bytes, header);
  append(bytes, wire::PlaceOf{8, 16});
  append(bytes, wire::PlaceOf{24, 16});
  append(bytes, section(model.code, wire::Kind::code, model.instructions, Handmade::code_bytes));
  append(bytes, section(model.data, wire::Kind::data, {}, Handmade::data_bytes));
  append(bytes, section(model.constants, wire::Kind::constants, model.numbers, Handmade::constants_bytes));
  return bytes;
}

}  // namespace mote::fuzz
