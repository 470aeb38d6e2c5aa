// SPDX-License-Identifier: Apache-2.0
// What both main programs print and read, and how they report a trap.
//
// Needs no library: number printing subtracts powers of ten, so that every libgcc member in the link is the
// model's.
#pragma once

#include "harness.hpp"
#include "model.hpp"

namespace {

// Bytes at the bottom of the stack that no run may touch.
constexpr uint32_t guard_bytes = 256;

struct Inputs {
  uint32_t magic, cases;
  uint8_t bytes[1];
};
constexpr uint32_t inputs_magic = 0x45544f4d;  // "MOTE"

void print(const char* text) {
  uint32_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  machine_write(text, bytes);
}

void print_decimal(uint64_t value) {
  static const uint64_t powers[] = {10000000000000000000u,
                                    1000000000000000000u,
                                    100000000000000000u,
                                    10000000000000000u,
                                    1000000000000000u,
                                    100000000000000u,
                                    10000000000000u,
                                    1000000000000u,
                                    100000000000u,
                                    10000000000u,
                                    1000000000u,
                                    100000000u,
                                    10000000u,
                                    1000000u,
                                    100000u,
                                    10000u,
                                    1000u,
                                    100u,
                                    10u,
                                    1u};
  char text[20];
  uint32_t length = 0;
  for (uint64_t power : powers) {
    char digit = '0';
    for (; value >= power; value -= power) ++digit;
    if (digit != '0' || length != 0 || power == 1) text[length++] = digit;
  }
  machine_write(text, length);
}

void print_value(const char* key, uint64_t value) {
  print(key);
  print("=");
  print_decimal(value);
  print("\n");
}

void print_hexadecimal(const uint8_t* bytes, uint32_t count) {
  char line[65];
  while (count != 0) {
    const uint32_t now = count < 32 ? count : 32;
    for (uint32_t i = 0; i < now; ++i) {
      line[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
      line[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    line[2 * now] = '\n';
    machine_write(line, 2 * now + 1);
    bytes += now;
    count -= now;
  }
}

void print_address(uint32_t address) {
  char text[8];
  for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[(address >> (28 - 4 * i)) & 15];
  print("0x");
  machine_write(text, 8);
}

void print_ticks(const char* key, const Sample& from, const Sample& to) {
  bool wrapped = false;
  print_value(key, machine_ticks(from, to, wrapped));
  print_value("WRAPPED", wrapped ? 1 : 0);
}

[[noreturn]] void stop(const char* why) {
  print("FAULT ");
  print(why);
  print("\n");
  machine_exit(1);
}

const uint8_t* case_inputs;  // of the case at hand

// Returns the address behind the case: a word (1: goes on from the state of the case before, 0: begins anew), then
// the inputs, each at a multiple of 4 bytes.
const uint8_t* read_case(const uint8_t* from) {
  if (from[0] == 0) bound::reset();
  from += 4;
  case_inputs = from;
  for (uint32_t i = 0; i < bound::input_count; ++i) {
    uint8_t* const to = bound::input(i);
    for (uint32_t byte = 0; byte < bound::input_bytes[i] && !bound::streams_input; ++byte) to[byte] = from[byte];
    from += (bound::input_bytes[i] + 3) & ~3u;
  }
  return from;
}

void print_outputs() {
  for (uint32_t i = 0; i < bound::output_count; ++i) {
    print_value("OUTPUT", i);
    print_hexadecimal(bound::output(i), bound::output_bytes[i]);
  }
}

}  // namespace

extern "C" [[noreturn]] void mote_fault(uint32_t cause, uint32_t pc, uint32_t address) {
  print("\nFAULT ");
  print(machine_cause(cause));
  print(" (cause ");
  print_decimal(cause);
  print(") at pc ");
  print_address(pc);
  print(", address ");
  print_address(address);
  print("\n");
  machine_exit(1);
}
