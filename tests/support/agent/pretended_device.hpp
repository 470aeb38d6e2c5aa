// SPDX-License-Identifier: Apache-2.0
// A device in this process: the agent on a board of memory, and a stream to it whose time passes only when
// somebody waits.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "agent.hpp"
#include "device/transport.hpp"

namespace mote::test {

// Memory below 4 GB, because a device's addresses have 32 bits.
class PretendedBoard final : public agent::Board {
 public:
  // The pool lies anywhere, or at `address` where nothing else may lie. `owner`: 32 bytes that live as long.
  explicit PretendedBoard(uint32_t pool_bytes = 1 << 20, uint32_t address = 0, const uint8_t* owner = nullptr);
  ~PretendedBoard();
  PretendedBoard(const PretendedBoard&) = delete;
  PretendedBoard& operator=(const PretendedBoard&) = delete;

  const agent::Identity& identity() const override { return identity_; }
  size_t read(uint8_t* to, size_t limit) override;
  void write(const uint8_t* from, size_t bytes) override { sent.insert(sent.end(), from, from + bytes); }
  uint32_t receive_buffer_bytes() const override { return 1 << 16; }
  const agent::Region* regions(uint32_t& count) const override;
  void sync_code(const void*, size_t) override {}
  uint32_t milliseconds() const override { return milliseconds_now; }
  agent::Counters counters() const override { return {0, 0}; }
  void interrupt_after(uint32_t microseconds) override { milliseconds_now += microseconds / 1000; }
  void random(uint8_t* to, size_t bytes) override;
  void reset() override { was_reset = true; }

  std::deque<uint8_t> arrived, sent;  // to the device, from it
  uint32_t milliseconds_now = 0;
  bool was_reset = false;
  uint32_t randoms = 0;  // bytes that were asked for, none twice

 private:
  agent::Identity identity_{};
  agent::Region region_{};
};

// Both ends of the wire; `spoil` may do anything to the bytes of one direction: true is that to the device.
class PretendedDevice final : public Transport {
 public:
  using Spoil = std::function<void(bool to_device, std::vector<uint8_t>& bytes)>;
  explicit PretendedDevice(Spoil spoil = {}, const uint8_t* owner = nullptr);

  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override;
  void write(ByteSpan bytes) override;
  [[nodiscard]] std::string name() const override { return "pretended"; }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return now_; }

  PretendedBoard board;
  std::unique_ptr<agent::Agent> agent;

 private:
  void settle();
  Spoil spoil_;
  std::deque<uint8_t> waiting_;
  std::chrono::steady_clock::time_point now_{};
};

}  // namespace mote::test
