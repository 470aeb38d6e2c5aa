// SPDX-License-Identifier: Apache-2.0
// What the agent wants from a board: bytes in, bytes out, memory, time. A port implements these functions and no
// more.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace agent {

// A block of memory that the agent may hand out, the pool's whole or a part of it.
struct Region {
  char name[8];    // "sram", "psram"; NUL-terminated
  uint8_t* begin;  // a multiple of 64
  uint32_t bytes;
  uint32_t executable;  // 1: instructions can be fetched from here
};

struct Identity {
  char target[16];          // Mote's name of the target: "rv32imac"; NUL-terminated
  char board[24];           // "qemu-virt"
  uint8_t firmware_id[20];  // the build id of the firmware's ELF file; zeros: unknown
  uint32_t counter_hz;      // ticks a second of Counters::cycles; 0: unknown
  const uint8_t* key;       // the owner's Ed25519 public key, 32 bytes; nullptr: anybody may load and call
};

struct Counters {
  uint64_t cycles;
  uint64_t instructions;  // 0 where the core does not count them
};

class Board {
 public:
  virtual const Identity& identity() const = 0;

  // At most `limit` of the bytes that have arrived; never waits.
  virtual size_t read(uint8_t* to, size_t limit) = 0;
  // Returns when the bytes are on their way; the agent calls it with up to 256 of them.
  virtual void write(const uint8_t* from, size_t bytes) = 0;
  // Bytes that may arrive while nobody calls read(), without any being lost: of the driver's buffer.
  virtual uint32_t receive_buffer_bytes() const = 0;

  // The memories, most wanted first; the same at every call.
  virtual const Region* regions(uint32_t& count) const = 0;
  // Makes instructions that were written as data visible to the fetch of instructions.
  virtual void sync_code(const void* begin, size_t bytes) = 0;

  virtual uint32_t milliseconds() const = 0;  // wraps
  virtual Counters counters() const = 0;
  // After about so long the call that core_resume() goes on with is interrupted, once; 0: no more.
  virtual void interrupt_after(uint32_t microseconds) = 0;
  // Unpredictable bytes, for the challenge of a session; only asked for where a key is set.
  virtual void random(uint8_t* to, size_t bytes) = 0;
  virtual void reset() = 0;  // does not return
  // Nothing is to do before bytes arrive: the core may sleep until then.
  virtual void wait() {}

 protected:
  ~Board() = default;
};

}  // namespace agent
