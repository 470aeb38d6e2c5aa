// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include <string.h>

namespace agent {

const void* Request::take(uint32_t count) {
  if (bytes < count) return nullptr;
  payload += count;
  bytes -= count;
  return payload - count;
}

uint32_t* Answer::grow(uint32_t by) {
  word_count = static_cast<uint8_t>(word_count + by);
  return words + word_count - by;
}

void Answer::refuse(wire::Status with, uint32_t detail) {
  status = with;
  put(detail);
}

void Answer::add(const void* bytes, uint32_t count) {
  parts[part_count++] = {static_cast<const uint8_t*>(bytes), count};
}

bool Link::check(Request& request) {
  const uint8_t* const frame = unstuffer_.frame();
  uint32_t size = unstuffer_.size();
  if (size < wire::header_bytes + wire::crc_bytes) return false;
  wire::Crc32 crc;
  crc.add(frame, size);
  size -= wire::crc_bytes;
  memcpy(static_cast<wire::Header*>(&request), frame, wire::header_bytes);
  request.payload = frame + wire::header_bytes;
  request.bytes = size - wire::header_bytes;
  if (!crc.ends_frame() || (frame[0] & wire::response_bit) != 0) return false;
  return !keyed_build || guard_.admit(request, frame);
}

bool Link::receive(Request& request) {
  for (;;) {
    if (arrived_at_ == arrived_end_) {
      arrived_at_ = 0;
      arrived_end_ = static_cast<uint8_t>(board_.read(arrived_, sizeof arrived_));
      if (arrived_end_ == 0) return false;
    }
    if (unstuffer_.add(arrived_[arrived_at_++]) && check(request)) return true;
  }
}

namespace {

struct Output {
  Board& board;
  void operator()(const uint8_t* bytes, size_t count) { board.write(bytes, count); }
};

// A frame on its way out.
struct Sender {
  Output output;
  wire::Crc32 crc;
  bool tagged;
  Tag tag;
  wire::Stuffer<Output> stuffer{output};

  Sender(Board& board, const Request& request) : output{board}, tagged(request.is_tagged()) {}

  void add(const void* from, uint32_t count) {
    const auto* const bytes = static_cast<const uint8_t*>(from);
    if (keyed_build && tagged) tag.add(bytes, count);
    crc.add(bytes, count);
    stuffer.add(bytes, count);
  }
};

}  // namespace

void Link::send(const Request& request, const Answer& answer) {
  Sender sender(board_, request);
  if (keyed_build && sender.tagged) guard_.begin_tag(sender.tag, request);
  wire::Header header = request;
  header.command = static_cast<wire::Command>(static_cast<uint8_t>(request.command) | wire::response_bit);
  header.status = answer.status;
  sender.add(&header, wire::header_bytes);
  sender.add(answer.words, answer.word_count * 4u);
  for (uint32_t i = 0; i < answer.part_count; ++i) sender.add(answer.parts[i].bytes, answer.parts[i].count);
  if (keyed_build && sender.tagged) {
    uint8_t proof[wire::tag_bytes];
    sender.tag.end(proof);
    sender.tagged = false;
    sender.add(proof, sizeof proof);
  }
  const uint32_t crc = sender.crc.value();
  sender.stuffer.add(reinterpret_cast<const uint8_t*>(&crc), wire::crc_bytes);
  sender.stuffer.end();
}

uint8_t Link::window() const {
  const uint32_t frames = board_.receive_buffer_bytes() / static_cast<uint32_t>(wire::stuffed_bytes(frame_bytes));
  return static_cast<uint8_t>(frames < 1 ? 1 : frames < wire::remembered ? frames : wire::remembered);
}

}  // namespace agent
