// SPDX-License-Identifier: Apache-2.0
// What host and device say to each other: the numbers of SPEC.md, "Device protocol". Both ends include this file.
#pragma once

#include <stdint.h>

namespace wire {

constexpr uint16_t protocol_version = 1;
constexpr uint32_t hello_magic = 0x45544f4d;  // "MOTE"

// A frame, before it is stuffed (COBS) and ended by a zero byte:
// command u8 | status u8 | session u16 | sequence u16 | payload | tag u8[8], in keyed sessions | crc32 u32
constexpr uint32_t header_bytes = 6, tag_bytes = 8, crc_bytes = 4;
constexpr uint32_t overhead_bytes = header_bytes + tag_bytes + crc_bytes;
constexpr uint8_t response_bit = 0x80;  // of the command

// A request is repeated until it is answered; it is carried out once. The last answers are kept for repeated ones.
constexpr uint16_t remembered = 16;
// Session numbers of earlier hellos, which a late copy of such a hello cannot bring back.
constexpr uint32_t remembered_sessions = 8;

enum class Command : uint8_t {
  // Without order: answered at once, also during a call.
  hello = 1,   // Hello -> Welcome, a RegionOf for each region, of keyed devices the Challenge
  status = 2,  // -> ActivityOf
  cancel = 3,  // the call that is under way
  log = 4,     // LogFrom -> LogFrom, bytes: what loaded code has written from there on
  // In the order of the sequence numbers.
  authenticate = 16,  // Authenticate; not in order, but when the session begins
  heap = 17,          // -> HeapOf for each region
  allocate = 18,      // Allocate -> Address
  release = 19,       // Address
  read = 20,          // Range -> bytes
  write = 21,         // Address, bytes
  find = 22,          // hash u64, up to 32 -> an address u32 each, 0: no constants with this hash
  load = 23,          // Range of the record; in keyed sessions signature u8[64] -> ModelId
  commit = 24,        // ModelId: takes the place of the older one of its name
  unload = 25,        // ModelId
  models = 26,        // Index -> ModelOf
  input = 27,         // Part, bytes
  call = 28,          // CallHeader, with `frame` FrameOf, last bytes of the input -> first bytes of the output
  output = 29,        // Part, bytes u32 -> bytes
  profile = 30,       // -> ProfileOf the last call
  reset = 31,         // the device starts anew
};
constexpr uint8_t first_ordered = 16;

enum class Status : uint8_t {
  ok = 0,
  running,        // the call is under way: not an answer yet. -> ActivityOf
  out_of_order,   // -> Index: the sequence number that is expected
  no_session,     // the device has started anew, or somebody else said hello
  wrong_version,  // -> Index: the device's
  unknown_command,
  malformed,  // the payload has not the form that the command asks for
  busy,       // a call is under way
  not_authenticated,
  bad_signature,
  out_of_memory,  // -> Shortage
  too_many_blocks,
  too_many_models,
  not_owned,      // -> Address
  hash_mismatch,  // -> Index of the section
  bad_record,     // -> Index of the byte in the record, or of the section
  no_such_model,
  wrong_size,  // -> Index: bytes of all inputs
  fault,       // -> StopOf
  deadline,    // -> StopOf
  cancelled,   // -> StopOf
};

// Numbers are little-endian on the wire, and lie at multiples of their size.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "header and payloads are structs");

struct Header {
  Command command;
  Status status;  // of an answer; 0 in a request
  uint16_t session, sequence;
};
static_assert(sizeof(Header) == header_bytes, "a frame begins with it");

// Payloads.

struct Index {
  uint32_t value;
};
struct Address {
  uint32_t address;
};
struct Range {
  uint32_t address, bytes;
};

struct Hello {
  uint32_t magic;
  uint32_t version;
};
enum WelcomeFlags : uint8_t {
  keyed = 1,     // the session must be authenticated and images signed
  protects = 2,  // loaded code reaches nothing but what is its own
  call_under_way = 4,
};
struct Welcome {
  uint16_t version, payload_bytes;
  uint8_t window, flags, regions, models;  // window: requests that may be under way
  uint32_t counter_hz;
  char target[16], board[24];
  uint8_t firmware_id[20];
};
// Keyed devices: the challenge follows the regions.
struct Challenge {
  uint8_t key[32];
};
struct Authenticate {
  uint8_t host_key[32], signature[64];
};
struct RegionOf {
  char name[8];
  uint32_t begin, bytes, executable;
};
struct HeapOf {
  uint32_t bytes, free, largest, high_water, blocks;
};

// What memory is for: loaded code fetches instructions from code, reads constants, reads and writes data. The
// record of an image lies among constants.
enum class Kind : uint8_t { code = 0, constants = 1, data = 2 };
struct Allocate {
  uint8_t region;  // 255: any
  Kind kind;
  uint16_t zero;
  uint32_t bytes, alignment;
};
struct Shortage {
  uint32_t asked, largest, free;
};

// An image is what its record says; the record lies in a block of its own. Behind the header: a PlaceOf for each
// input, then for each output; a SectionOf for each section, one code and one data among them.
constexpr uint32_t name_bytes = 24;
enum RecordFlags : uint8_t {
  unprotected = 1,  // linked against the firmware: runs with its rights
};
struct RecordOf {
  char name[name_bytes];  // NUL-terminated
  uint32_t source[2];     // the host's: what the image was made of
  uint32_t run, start;    // entries: void f(void* io); start may be 0
  uint32_t io, stack_begin, stack_end;
  uint8_t flags, inputs, outputs, zero;
  uint32_t sections;
};
struct PlaceOf {
  uint32_t offset, bytes;  // from io
};
struct SectionOf {
  uint32_t address, bytes;
  uint32_t kind;
  uint32_t hash[2];  // FNV-1a of 64 bits, the low word first; data: not looked at
};

struct ModelId {
  uint16_t model, zero;
};
struct ModelOf {
  uint16_t model;
  uint16_t serving;  // 0: it is loaded and waits for its commit
  uint32_t bytes, calls, faults;
  Range record;
};

struct Part {  // of all inputs, or all outputs, behind each other
  uint16_t model, zero;
  uint32_t position;
};
enum class Entry : uint8_t { run = 0, start = 1 };
enum CallFlags : uint8_t {
  frame = 1,      // FrameOf says where
  paint = 2,      // measure the stack
  no_output = 4,  // it is read by `output`
};
constexpr uint32_t default_deadline_ms = 10000;
struct CallHeader {
  uint16_t model;
  Entry entry;
  uint8_t flags;
  uint32_t deadline_ms;  // 0: the default
};
struct FrameOf {  // positions as in Part, within the only input, which is the output as well
  uint32_t input, output, output_bytes;
};
struct ActivityOf {
  uint32_t model;  // 0: nothing runs
  uint32_t elapsed_ms, done, of, log;
};
struct StopOf {
  uint32_t cause, pc, address, stack_pointer;
};
struct ProfileOf {
  uint32_t cycles[2], instructions[2];  // low word first; 0: not counted
  uint32_t stack_bytes;                 // 0: not painted
  uint32_t elapsed_ms, model;
};
struct LogFrom {
  uint32_t position;
};

// Services that loaded code asks for (agent/core.hpp).
enum class Service : uint32_t { log = 1, progress = 2 };

constexpr uint64_t hash_begin = 0xcbf29ce484222325u;
constexpr uint64_t hash_next(uint64_t hash, uint8_t byte) { return (hash ^ byte) * 0x100000001b3u; }

}  // namespace wire
