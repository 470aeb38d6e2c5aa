// SPDX-License-Identifier: Apache-2.0
// The device's end of the link: frames in, frames out.
#pragma once

#include "board.hpp"
#include "frame.hpp"
#include "guard.hpp"
#include "protocol.hpp"
#include "request.hpp"

namespace agent {

#ifndef MOTE_AGENT_PAYLOAD_BYTES
#define MOTE_AGENT_PAYLOAD_BYTES 1024
#endif
constexpr uint32_t payload_bytes = MOTE_AGENT_PAYLOAD_BYTES;

// An answer: a few words that live here, and bytes that lie somewhere else and stay there until the next request.
struct Answer {
  static constexpr uint32_t most_words = 48, most_parts = 8;
  wire::Status status;
  uint8_t word_count, part_count;
  uint32_t words[most_words];
  struct Part {
    const uint8_t* bytes;
    uint32_t count;
  } parts[most_parts];

  void clear(wire::Status with) {
    status = with;
    word_count = part_count = 0;
  }
  // For an answer with nothing in it yet.
  void refuse(wire::Status with) { status = with; }
  void refuse(wire::Status with, uint32_t detail);
  void put(uint32_t word) { *grow(1) = word; }
  template <class T>
  T& make() {
    return *reinterpret_cast<T*>(grow(sizeof(T) / 4));
  }
  void add(const void* bytes, uint32_t count);

 private:
  uint32_t* grow(uint32_t by);
};

class Link {
 public:
  static constexpr uint32_t frame_bytes = wire::overhead_bytes + payload_bytes;
  static constexpr uint32_t misalignment = 2;  // of the frame, so that the payload is aligned

  // A request's frame comes into `memory`, at a multiple of four bytes.
  Link(Board& board, Guard& guard, uint8_t (&memory)[misalignment + frame_bytes])
      : board_(board), guard_(guard), unstuffer_(memory + misalignment, frame_bytes) {}

  // Reads what has arrived up to the end of one good frame. False: there is none yet.
  bool receive(Request& request);
  void send(const Request& request, const Answer& answer);
  uint8_t window() const;  // requests that may be under way

 private:
  bool check(Request& request);

  Board& board_;
  Guard& guard_;
  wire::Unstuffer unstuffer_;
  uint8_t arrived_at_ = 0, arrived_end_ = 0;
  uint8_t arrived_[32];
};

}  // namespace agent
