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
  wire::Status status = wire::Status::ok;
  uint8_t word_count = 0, part_count = 0;
  uint32_t words[most_words];
  struct Part {
    const uint8_t* bytes;
    uint32_t count;
  } parts[most_parts];

  void clear(wire::Status with) {
    status = with;
    word_count = part_count = 0;
  }
  void refuse(wire::Status with, uint32_t detail) {
    clear(with);
    put(detail);
  }
  void put(uint32_t word) { words[word_count++] = word; }
  template <class T>
  T& make() {
    T* const made = reinterpret_cast<T*>(words + word_count);
    word_count = static_cast<uint8_t>(word_count + sizeof(T) / 4);
    return *made;
  }
  void add(const void* bytes, uint32_t count) {
    parts[part_count++] = {static_cast<const uint8_t*>(bytes), count};
  }
};

class Link {
 public:
  Link(Board& board, Guard& guard) : board_(board), guard_(guard) {}

  // Reads what has arrived up to the end of one good frame. False: there is none yet.
  bool receive(Request& request);
  void send(const Request& request, const Answer& answer);
  uint8_t window() const;  // requests that may be under way

 private:
  bool check(uint32_t size, Request& request);

  static constexpr uint32_t frame_bytes = wire::overhead_bytes + payload_bytes;
  static constexpr uint32_t misalignment = 2;  // of the frame, so that the payload is aligned
  Board& board_;
  Guard& guard_;
  alignas(4) uint8_t memory_[misalignment + frame_bytes];
  wire::Unstuffer unstuffer_{memory_ + misalignment, frame_bytes};
  uint8_t arrived_[32];
  uint8_t arrived_at_ = 0, arrived_end_ = 0;
};

}  // namespace agent
