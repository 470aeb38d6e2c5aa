// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

namespace agent {

bool Link::check(uint32_t size, Request& request) {
  const uint8_t* const frame = memory_ + misalignment;
  if (size < wire::header_bytes + wire::crc_bytes) return false;
  size -= wire::crc_bytes;
  wire::Crc32 crc;
  crc.add(frame, size);
  request.command = static_cast<wire::Command>(frame[0]);
  request.session = wire::get16(frame + 2);
  request.sequence = wire::get16(frame + 4);
  request.payload = frame + wire::header_bytes;
  request.bytes = size - wire::header_bytes;
  request.tagged = false;
  request.number = 0;
  if (wire::get32(frame + size) != crc.value() || (frame[0] & wire::response_bit) != 0) return false;
  return guard_.admit(request, frame);
}

bool Link::receive(Request& request) {
  for (;;) {
    if (arrived_at_ == arrived_end_) {
      arrived_at_ = 0;
      arrived_end_ = static_cast<uint8_t>(board_.read(arrived_, sizeof arrived_));
      if (arrived_end_ == 0) return false;
    }
    if (unstuffer_.add(arrived_[arrived_at_++]) && check(unstuffer_.size(), request)) return true;
  }
}

namespace {

struct Output {
  Board& board;
  void operator()(const uint8_t* bytes, size_t count) { board.write(bytes, count); }
};

}  // namespace

void Link::send(const Request& request, const Answer& answer) {
  Output output{board_};
  wire::Stuffer<Output> stuffer(output);
  wire::Crc32 crc;
  Tag tag;
  if (request.tagged) guard_.begin_tag(tag, request);
  const auto add = [&](const uint8_t* bytes, uint32_t count) {
    if (request.tagged) tag.add(bytes, count);
    crc.add(bytes, count);
    stuffer.add(bytes, count);
  };
  uint8_t word[wire::header_bytes];
  word[0] = static_cast<uint8_t>(static_cast<uint8_t>(request.command) | wire::response_bit);
  word[1] = static_cast<uint8_t>(answer.status);
  wire::put16(word + 2, request.session);
  wire::put16(word + 4, request.sequence);
  add(word, wire::header_bytes);
  add(reinterpret_cast<const uint8_t*>(answer.words), answer.word_count * 4u);
  for (uint32_t i = 0; i < answer.part_count; ++i) add(answer.parts[i].bytes, answer.parts[i].count);
  if (request.tagged) {
    uint8_t proof[wire::tag_bytes];
    tag.end(proof);
    crc.add(proof, sizeof proof);
    stuffer.add(proof, sizeof proof);
  }
  wire::put32(word, crc.value());
  stuffer.add(word, 4);
  stuffer.end();
}

uint8_t Link::window() const {
  const uint32_t frames = board_.receive_buffer_bytes() / static_cast<uint32_t>(wire::stuffed_bytes(frame_bytes));
  return static_cast<uint8_t>(frames < 1 ? 1 : frames < wire::remembered ? frames : wire::remembered);
}

}  // namespace agent
