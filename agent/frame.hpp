// SPDX-License-Identifier: Apache-2.0
// Frames as bytes: CRC-32, COBS, little-endian numbers. Both ends use it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace wire {

// IEEE 802.3: reflected polynomial 0xEDB88320, begins with all ones, inverted at the end. Four bits at a time.
struct Crc32 {
  uint32_t state = 0xffffffffu;
  void add(const uint8_t* bytes, size_t count) {
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (size_t i = 0; i < count; ++i) {
      state ^= bytes[i];
      state = state >> 4 ^ table[state & 15];
      state = state >> 4 ^ table[state & 15];
    }
  }
  uint32_t value() const { return ~state; }
  // The last four bytes were the CRC-32 of those before, in little-endian order.
  bool ends_frame() const { return state == 0xdebb20e3u; }
};

inline uint16_t get16(const uint8_t* from) { return static_cast<uint16_t>(from[0] | from[1] << 8); }
inline uint32_t get32(const uint8_t* from) { return get16(from) | static_cast<uint32_t>(get16(from + 2)) << 16; }
inline void put16(uint8_t* to, uint32_t value) {
  to[0] = static_cast<uint8_t>(value);
  to[1] = static_cast<uint8_t>(value >> 8);
}
inline void put32(uint8_t* to, uint32_t value) {
  put16(to, value);
  put16(to + 2, value >> 16);
}

// Takes COBS apart as the bytes arrive: groups of a length byte n (1 to 255), n - 1 bytes, and a zero unless n is
// 255 or the frame ends. The frame's own zero byte ends it; whatever came before, the next frame begins there.
class Unstuffer {
 public:
  Unstuffer(uint8_t* frame, uint32_t limit) : frame_(frame), limit_(limit) {}

  // True when the byte ended a frame: size() bytes, until the next call.
  bool add(uint8_t byte) {
    if (byte == 0) {
      const bool whole = left_ == 0 && !damaged_ && size_ != 0;
      ended_ = whole ? size_ : 0;
      left_ = size_ = 0;
      zero_due_ = damaged_ = false;
      return whole;
    }
    bool kept = true;
    uint8_t value = byte;
    if (left_ == 0) {  // a length, and the zero that ended the group before
      kept = zero_due_;
      value = 0;
      zero_due_ = byte != 255;
      left_ = byte;
    }
    --left_;
    if (kept) keep(value);
    return false;
  }
  const uint8_t* frame() const { return frame_; }
  uint32_t size() const { return ended_; }

 private:
  void keep(uint8_t byte) {
    if (size_ < limit_)
      frame_[size_++] = byte;
    else
      damaged_ = true;
  }
  uint8_t* frame_;
  uint32_t limit_, size_ = 0, ended_ = 0, left_ = 0;
  bool zero_due_ = false, damaged_ = false;
};

// Puts a frame together from parts; `Sink` takes (bytes, count), at most 255 at once.
template <class Sink>
class Stuffer {
 public:
  explicit Stuffer(Sink& sink) : sink_(sink) {}
  void add(const uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (bytes[i] != 0) group_[length_++] = bytes[i];
      if (bytes[i] == 0 || length_ == 255) flush();
    }
  }
  void end() {
    flush();
    const uint8_t zero = 0;
    sink_(&zero, 1);
  }

 private:
  void flush() {
    group_[0] = static_cast<uint8_t>(length_);
    sink_(group_, length_);
    length_ = 1;
  }
  Sink& sink_;
  uint8_t group_[255];
  unsigned length_ = 1;
};

// The most bytes on the wire of a frame of so many.
constexpr size_t stuffed_bytes(size_t frame) { return frame + frame / 254 + 2; }

}  // namespace wire
