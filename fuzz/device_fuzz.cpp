// SPDX-License-Identifier: Apache-2.0
// A device that answers anything: the host's end of the link reads it or throws one Error, nothing else, and ends.
#include <algorithm>
#include <cstring>

#include "agent/frame.hpp"
#include "use_device.hpp"

namespace {

using mote::ByteSpan;

// The bytes of a run are steps: what the device does when the host listens.
class Impostor final : public mote::Transport {
 public:
  Impostor(const uint8_t* bytes, size_t count)
      : at_(bytes), end_(bytes + count), unstuffer_(frame_, sizeof frame_) {}

  void write(ByteSpan bytes) override {
    for (const std::byte byte : bytes)
      if (unstuffer_.add(std::to_integer<uint8_t>(byte))) std::copy_n(frame_, wire::header_bytes, asked_);
  }

  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    if (waiting_.empty()) act();
    const size_t count = std::min(limit, waiting_.size());
    if (count == 0) now_ += std::max(timeout, std::chrono::milliseconds(1));
    std::copy_n(waiting_.begin(), count, to);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  std::string name() const override { return "impostor"; }
  std::chrono::steady_clock::time_point now() const override { return now_; }

 private:
  uint8_t byte() { return at_ == end_ ? uint8_t{0} : *at_++; }
  std::vector<uint8_t> bytes(size_t count) {
    count = std::min(count, static_cast<size_t>(end_ - at_));
    at_ += count;
    return {at_ - count, at_};
  }

  void act() {
    if (at_ == end_) throw mote::Error("the impostor has gone");
    switch (byte() % 4) {
      case 0:  // bytes as they are
        for (const uint8_t byte : bytes(byte())) waiting_.push_back(static_cast<std::byte>(byte));
        break;
      case 1: {  // an answer to the last request
        const uint8_t status = byte(), low = byte();
        answer(0, status, bytes(static_cast<size_t>(low | byte() << 8)));
        break;
      }
      case 2: {  // to one near it
        const uint8_t back = byte(), status = byte();
        answer(static_cast<uint16_t>(back - 8), status, bytes(byte()));
        break;
      }
      default: break;  // nothing comes
    }
  }

  void answer(uint16_t ahead, uint8_t status, const std::vector<uint8_t>& payload) {
    std::vector<uint8_t> frame(asked_, asked_ + wire::header_bytes);
    frame[0] = static_cast<uint8_t>(frame[0] | wire::response_bit);
    frame[1] = status;
    wire::put16(&frame[4], wire::get16(&frame[4]) + ahead);
    frame.insert(frame.end(), payload.begin(), payload.end());
    wire::Crc32 crc;
    crc.add(frame.data(), frame.size());
    frame.resize(frame.size() + wire::crc_bytes);
    wire::put32(&frame[frame.size() - wire::crc_bytes], crc.value());
    const auto sink = [&](const uint8_t* from, size_t count) {
      for (size_t i = 0; i < count; ++i) waiting_.push_back(static_cast<std::byte>(from[i]));
    };
    wire::Stuffer<decltype(sink)> stuffer(sink);
    stuffer.add(frame.data(), frame.size());
    stuffer.end();
  }

  const uint8_t* at_;
  const uint8_t* end_;
  uint8_t frame_[1 << 16];
  wire::Unstuffer unstuffer_;
  uint8_t asked_[wire::header_bytes] = {};
  std::vector<std::byte> waiting_;
  std::chrono::steady_clock::time_point now_{};
};

std::shared_ptr<const mote::OwnerKey> owner() {
  static const auto key = std::make_shared<const mote::OwnerKey>(mote::OwnerKey::make());
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  try {
    const mote::LinkTimes times{std::chrono::milliseconds(10), std::chrono::milliseconds(100)};
    mote::Device device(std::make_unique<Impostor>(data + 1, size - 1), times,
                        data[0] % 2 == 0 ? nullptr : owner());
    mote::fuzz::use_device(device);
  } catch (const mote::Error&) {
  }
  return 0;
}
