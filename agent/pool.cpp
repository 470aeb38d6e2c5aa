// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

namespace agent {

Pool::Pool(Board& board) {
  uint32_t count = 0;
  regions_ = board.regions(count);
  region_count_ = count < most_regions ? count : most_regions;
}

// A gap between neighbours; `at` is the block that it comes before.
bool Pool::place(uint32_t region, uint32_t bytes, uint32_t alignment, uint32_t& address, uint32_t& at) const {
  const uint32_t begin = address_of(regions_[region].begin), end = begin + regions_[region].bytes;
  uint32_t from = begin;
  for (at = 0; at <= count_; ++at) {
    const bool last = at == count_ || blocks_[at].begin >= end;
    const uint32_t limit = last ? end : blocks_[at].begin;
    address = (from + (alignment - 1)) & ~(alignment - 1);
    if (limit >= from && address >= from && address <= limit && limit - address >= bytes) return true;
    if (last) return false;
    if (blocks_[at].begin >= begin) from = blocks_[at].begin + blocks_[at].bytes;
  }
  return false;
}

wire::Status Pool::allocate(const wire::Allocate& asked, uint32_t& address) {
  if (count_ == most_blocks) return wire::Status::too_many_blocks;
  const uint32_t alignment = asked.alignment < least_alignment ? least_alignment : asked.alignment;
  for (uint32_t r = 0; r < region_count_; ++r) {
    uint32_t at = 0;
    if (asked.region < region_count_ && r != asked.region) continue;
    if (asked.kind == wire::Kind::code && regions_[r].executable == 0) continue;
    if (!place(r, asked.bytes, alignment, address, at)) continue;
    for (uint32_t i = count_++; i > at; --i) blocks_[i] = blocks_[i - 1];
    blocks_[at] = Block{address, asked.bytes, 0, 1, asked.kind};
    const wire::HeapOf now = use(r);
    if (now.bytes - now.free > high_water_[r]) high_water_[r] = now.bytes - now.free;
    return wire::Status::ok;
  }
  return wire::Status::out_of_memory;
}

Block* Pool::holding(uint32_t address, uint32_t bytes) {
  for (uint32_t i = 0; i < count_ && bytes != 0; ++i) {
    const uint32_t from = address - blocks_[i].begin;
    if (from < blocks_[i].bytes && blocks_[i].bytes - from >= bytes) return &blocks_[i];
  }
  return nullptr;
}

Block* Pool::find(uint32_t address) {
  Block* const block = holding(address, 1);
  return block != nullptr && block->begin == address ? block : nullptr;
}

void Pool::release(Block& block) {
  --count_;
  for (uint32_t i = static_cast<uint32_t>(&block - blocks_); i < count_; ++i) blocks_[i] = blocks_[i + 1];
}

void Pool::end_session() {
  for (uint32_t i = count_; i-- > 0;) {
    blocks_[i].session = 0;
    if (blocks_[i].models == 0) release(blocks_[i]);
  }
}

wire::HeapOf Pool::use(uint32_t region) const {
  const uint32_t begin = address_of(regions_[region].begin), end = begin + regions_[region].bytes;
  wire::HeapOf use{regions_[region].bytes, regions_[region].bytes, 0, high_water_[region], 0};
  uint32_t from = begin;
  for (uint32_t i = 0; i < count_; ++i) {
    const Block& block = blocks_[i];
    if (block.begin < begin || block.begin >= end) continue;
    ++use.blocks;
    use.free -= block.bytes;
    if (block.begin - from > use.largest) use.largest = block.begin - from;
    from = block.begin + block.bytes;
  }
  if (end - from > use.largest) use.largest = end - from;
  return use;
}

}  // namespace agent
