// SPDX-License-Identifier: Apache-2.0
// The device's memory for loaded code: blocks in the board's regions. What describes them lies outside of them, so
// that no loaded code can damage it.
#pragma once

#include "board.hpp"
#include "protocol.hpp"

namespace agent {

constexpr uint32_t most_blocks = 64, most_regions = 4, least_alignment = 64;

struct Block {
  uint32_t begin, bytes;
  uint16_t models;  // that have a section in it
  uint8_t session;  // 1: the session's and no model's; the session may write it, and it goes with the session
  wire::Kind kind;
};

class Pool {
 public:
  explicit Pool(Board& board) : regions_(board.regions(region_count_)) {
    if (region_count_ > most_regions) region_count_ = most_regions;
  }

  // The lowest place where it fits, in the first region that has one (or in that one only). ok, too_many_blocks,
  // or out_of_memory, and what the regions that it might have lain in have. A block has at least one byte; the
  // alignment is a power of two.
  wire::Status allocate(const wire::Allocate& asked, uint32_t& address, wire::Shortage& shortage);
  // The block that begins there or nullptr.
  Block* find(uint32_t address);
  // The block that these bytes lie in or nullptr. No bytes lie in no block.
  Block* holding(uint32_t address, uint32_t bytes);
  void release(Block& block);  // others move
  void end_session();          // releases what is the session's and no model's
  void use(uint32_t region, wire::HeapOf& use) const;
  uint32_t regions() const { return region_count_; }
  const Region& region(uint32_t index) const { return regions_[index]; }

 private:
  struct Gap {  // that is wanted, and found: its address and the block that it comes before
    uint32_t bytes, alignment, address, at;
    bool found;
  };
  void walk(uint32_t region, wire::HeapOf& use, Gap& wanted) const;

  uint32_t region_count_ = 0, count_ = 0;
  const Region* regions_;
  uint32_t high_water_[most_regions] = {};
  Block blocks_[most_blocks];  // in the order of their addresses
};

// Addresses of devices have 32 bits.
inline uint32_t address_of(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}
inline uint8_t* pointer_to(uint32_t address) {
  return reinterpret_cast<uint8_t*>(static_cast<uintptr_t>(address));
}

}  // namespace agent
