// SPDX-License-Identifier: Apache-2.0
// Runs pieces of loaded code by the core layer alone, and prints how each one stopped. The pieces are in
// ARCHITECTURE.S: it knows which instructions are nasty.
#include "firmware.hpp"
#include "machine.hpp"

using agent::Activity;
using agent::Span;
using agent::Stop;

struct Piece {
  const char* name;
  const uint8_t* begin;
  uint32_t trusted;  // runs unprotected
};

extern "C" {
extern const uint8_t loaded_begin[], loaded_end[], loaded_random[];  // the last piece; random bytes follow it
extern const Piece pieces[], pieces_end[];
void spoil_registers();       // all that the core layer has to keep for loaded code
bool registers_are_spoilt();  // still: those that it has to keep for the agent
}

namespace {

constexpr uint32_t block_bytes = 4096, io_at = 2048, most_slices = 40, random_count = 1000;
constexpr uint32_t secret = 0x5ec2e7;

volatile uint32_t victim = secret;  // the agent's own
agent::Board* board;

struct Blocks {
  uint8_t *code, *data, *constants, *neighbour;
} blocks;

struct Io {  // in data, above the stack
  uint32_t result, victim, constants, code, neighbour, data, values[10];
};

struct Result {
  Stop stop;
  uint32_t slices, services;
};

void print(const char* text) {
  size_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  board->write(reinterpret_cast<const uint8_t*>(text), bytes);
}

void print_hex(uint32_t value) {
  char text[9] = {};
  for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  const char* from = text;
  while (from[0] == '0' && from[1] != 0) ++from;
  print(from);
}

uint32_t address_of(const volatile void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

Io& io_of(uint8_t* block) { return *reinterpret_cast<Io*>(block + io_at); }
Io& io() { return io_of(blocks.data); }

// Places that expectations name.
void print_place(uint32_t address) {
  const struct {
    const char* name;
    uint32_t at;
  } places[] = {{"victim", address_of(&victim)},
                {"constants", address_of(blocks.constants)},
                {"code", address_of(blocks.code)},
                {"neighbour", address_of(blocks.neighbour)}};
  for (const auto& place : places)
    if (place.at == address) return print(place.name);
  if (address - address_of(blocks.data) < block_bytes) return print("data");
  if (address_of(blocks.data) - address <= 256) return print("below_data");
  print_hex(address);
}

// The blocks behind each other, beginning with the one of this number.
void lay_out(uint32_t first) {
  const uint32_t alignment = agent::core_block_alignment(block_bytes);
  const uint32_t bytes = (block_bytes + alignment - 1) & ~(alignment - 1);
  // Odd multiples of the alignment are the hard ones.
  uint8_t* at = agent_pool_begin + ((0 - address_of(agent_pool_begin)) & (alignment - 1)) + alignment;
  uint8_t** const order[] = {&blocks.constants, &blocks.data, &blocks.neighbour, &blocks.code};
  for (uint32_t i = 0; i < 4; ++i) {
    *order[(first + i) % 4] = at;
    at += bytes;
  }
}

void fill() {
  for (uint32_t i = 0; i < block_bytes; ++i) {
    blocks.code[i] = i < static_cast<uint32_t>(loaded_end - loaded_begin) ? loaded_begin[i] : 0;
    blocks.data[i] = 0;
    blocks.constants[i] = blocks.neighbour[i] = static_cast<uint8_t>(i * 7 + 1);
  }
  io() = Io{0,
            address_of(&victim),
            address_of(blocks.constants),
            address_of(blocks.code),
            address_of(blocks.neighbour),
            address_of(blocks.data),
            {}};
  victim = secret;
}

bool intact() {
  bool good = victim == secret;
  for (uint32_t i = 0; i < block_bytes; ++i) {
    const uint8_t expected = static_cast<uint8_t>(i * 7 + 1);
    good = good && blocks.constants[i] == expected && blocks.neighbour[i] == expected;
  }
  return good;
}

uint32_t entry_of(const Piece& piece) {
  return address_of(blocks.code) + static_cast<uint32_t>(piece.begin - loaded_begin);
}

void prepare(Activity& activity, uint32_t entry, uint8_t* data, bool trusted) {
  const auto span = [](const uint8_t* block) {
    return Span{reinterpret_cast<uintptr_t>(block), reinterpret_cast<uintptr_t>(block) + block_bytes};
  };
  activity.code = span(blocks.code);
  activity.data = span(data);
  activity.constants =
      Span{reinterpret_cast<uintptr_t>(agent_pool_begin), reinterpret_cast<uintptr_t>(agent_pool_end)};
  activity.unprotected = trusted;
  board->sync_code(blocks.code, block_bytes);
  core_prepare(activity, entry, address_of(&io_of(data)), address_of(&io_of(data)));
}

// A service adds its number and arguments.
Result go(Activity& activity, uint32_t slices) {
  Result result{Stop::slice, 0, 0};
  board->interrupt_after(500);
  while (result.slices < slices && result.services < slices) {
    spoil_registers();
    result.stop = core_resume(activity);
    if (!registers_are_spoilt()) print("the agent's registers are lost\n");
    if (result.stop == Stop::returned || result.stop == Stop::fault) break;
    if (result.stop == Stop::slice) {
      ++result.slices;
      board->interrupt_after(500);
    } else {
      ++result.services;
      core_set_result(activity,
                      activity.service.number + activity.service.arguments[0] + activity.service.arguments[1]);
    }
  }
  board->interrupt_after(0);
  return result;
}

// "NAME STOP"; where they say something: a fault's cause, place in the piece and address, the result.
// `inset`: the data begins so many bytes behind its block's begin.
void run(const Piece& piece, uint32_t inset = 0) {
  fill();
  Activity activity;
  const uint32_t begin = entry_of(piece);
  prepare(activity, begin, blocks.data, piece.trusted != 0);
  activity.data.begin += inset;
  const Result result = go(activity, most_slices);
  print(piece.name);
  const char* const stops[] = {" returned", " slice", " service", " fault"};
  print(stops[static_cast<uint32_t>(result.stop)]);
  if (result.stop == Stop::fault) {
    print(" ");
    print_hex(activity.fault.cause);
    if (activity.fault.pc - begin < 256) {
      print(" +");
      print_hex(activity.fault.pc - begin);
    } else {
      print(" ");
      print_place(activity.fault.pc);
    }
    print(" ");
    print_place(activity.fault.address);
  }
  if (result.slices >= most_slices / 4) print(" sliced");
  if (result.services != 0) print(" served");
  if (io().result != 0) {
    print(" result ");
    print_hex(io().result);
  }
  if (!intact()) print(" damage");
  print("\n");
}

const Piece& piece_of(const char* name) {
  const Piece* piece = pieces;
  while (__builtin_strcmp(piece->name, name) != 0) ++piece;
  return *piece;
}

// Two activities in turn, each with its own data.
void run_two(const Piece& piece) {
  fill();
  Activity one, two;
  io_of(blocks.neighbour) = io();
  prepare(one, entry_of(piece), blocks.data, false);
  prepare(two, entry_of(piece), blocks.neighbour, false);
  go(one, 2);
  go(two, 2);
  const bool good = go(one, most_slices).stop == Stop::returned && go(two, most_slices).stop == Stop::returned;
  print(good && io().result != 0 && io().result == io_of(blocks.neighbour).result ? "two returned\n"
                                                                                  : "two failed\n");
}

// Random instructions with random values in the registers, some of them addresses of what should not be touched.
void run_random() {
  uint32_t seed = 1, stops[4] = {};
  const auto next = [&seed] {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^= seed << 5;
  };
  bool good = true;
  for (uint32_t count = 0; count < random_count; ++count) {
    fill();
    const uint32_t at = static_cast<uint32_t>(loaded_random - loaded_begin);
    for (uint32_t i = static_cast<uint32_t>(loaded_end - loaded_begin); i < block_bytes; ++i)
      blocks.code[i] = static_cast<uint8_t>(next() >> 8);
    for (uint32_t& value : io().values) {
      const uint32_t interesting[] = {address_of(&victim),
                                      address_of(blocks.code),
                                      address_of(&io()),
                                      0xE000ED00,
                                      0xFFFFFFFD,
                                      address_of(blocks.data),
                                      next(),
                                      next() & 0xFF};
      value = interesting[next() >> 8 & 7] + (next() >> 8 & 15) * (next() >> 8 & 1);
    }
    Activity activity;
    prepare(activity, address_of(blocks.code) + at, blocks.data, false);
    ++stops[static_cast<uint32_t>(go(activity, 3).stop)];
    good = good && intact();
  }
  print(good ? "random intact" : "random damage");
  print(stops[static_cast<uint32_t>(Stop::fault)] > random_count / 2 ? " most fault" : " few fault");
  print(stops[0] + stops[1] + stops[2] + stops[3] == random_count ? " all stop\n" : " lost\n");
}

}  // namespace

void check_core(agent::Board& with) {
  board = &with;
  lay_out(0);
  print(agent::core_protects() ? "protects\n" : "does not protect\n");
  for (const Piece* piece = pieces; piece != pieces_end; ++piece) run(*piece);
  run(piece_of("write_neighbour"), 32);
  run_two(piece_of("slices"));
  run_random();
  for (uint32_t first = 0; first < 4; ++first) {
    lay_out(first);
    run(pieces[0]);
  }
  print("END\n");
  machine_exit(0);
}
