// SPDX-License-Identifier: Apache-2.0
#include "support/agent/pretended_device.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace mote::test {

PretendedBoard::PretendedBoard(uint32_t pool_bytes, uint32_t address, const uint8_t* owner) {
  const int where = address == 0 ? MAP_32BIT : MAP_FIXED_NOREPLACE;
  void* const pool = mmap(reinterpret_cast<void*>(static_cast<uintptr_t>(address)), pool_bytes,
                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | where, -1, 0);
  require(pool != MAP_FAILED, "no memory below 4 GB");
  region_ = agent::Region{"ram", static_cast<uint8_t*>(pool), pool_bytes, 1};
  std::strcpy(identity_.target, "pretended");
  std::strcpy(identity_.board, "memory");
  identity_.key = owner;
}

PretendedBoard::~PretendedBoard() { munmap(region_.begin, region_.bytes); }

size_t PretendedBoard::read(uint8_t* to, size_t limit) {
  const size_t count = std::min(limit, arrived.size());
  std::copy_n(arrived.begin(), count, to);
  arrived.erase(arrived.begin(), arrived.begin() + static_cast<ptrdiff_t>(count));
  return count;
}

const agent::Region* PretendedBoard::regions(uint32_t& count) const {
  count = 1;
  return &region_;
}

void PretendedBoard::random(uint8_t* to, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(++randoms * 2654435761U >> 24);
}

PretendedDevice::PretendedDevice(Spoil spoil, const uint8_t* owner)
    : board(1 << 20, 0, owner), agent(std::make_unique<agent::Agent>(board)), spoil_(std::move(spoil)) {}

// The device works until it has nothing to do, or for a while when a call goes on.
void PretendedDevice::settle() {
  for (int slices = 0; slices < 8; ++slices) {
    agent->step();
    if (board.was_reset) {
      board.was_reset = false;
      agent = std::make_unique<agent::Agent>(board);
    }
    if (board.arrived.empty() && agent->idle()) break;
  }
  std::vector<uint8_t> bytes(board.sent.begin(), board.sent.end());
  board.sent.clear();
  if (spoil_) spoil_(false, bytes);
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
}

size_t PretendedDevice::read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) {
  if (waiting_.empty()) settle();
  const size_t count = std::min(limit, waiting_.size());
  if (count == 0) now_ += std::max(timeout, std::chrono::milliseconds(1));
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<std::byte>(waiting_[i]);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
  return count;
}

void PretendedDevice::write(ByteSpan bytes) {
  std::vector<uint8_t> octets(bytes.size());
  std::memcpy(octets.data(), bytes.data(), bytes.size());
  if (spoil_) spoil_(true, octets);
  board.arrived.insert(board.arrived.end(), octets.begin(), octets.end());
}

}  // namespace mote::test
