// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

namespace agent {

wire::Status Pool::allocate(const wire::Allocate& asked, uint32_t& address, wire::Shortage& shortage) {
  if (count_ == most_blocks) return wire::Status::too_many_blocks;
  Gap gap{asked.bytes, asked.alignment < least_alignment ? least_alignment : asked.alignment, 0, 0, false};
  for (uint32_t r = 0; r < region_count_; ++r) {
    if (asked.region < region_count_ && r != asked.region) continue;
    if (asked.kind == wire::Kind::code && regions_[r].executable == 0) continue;
    wire::HeapOf use;
    walk(r, use, gap);
    shortage.free += use.free;
    if (use.largest > shortage.largest) shortage.largest = use.largest;
    if (!gap.found) continue;
    Block* const place = blocks_ + gap.at;
    for (Block* at = blocks_ + count_++; at > place; --at) at[0] = at[-1];
    address = gap.address;
    *place = Block{address, asked.bytes, 0, 1, asked.kind};
    const uint32_t used = use.bytes - use.free + asked.bytes;
    if (used > high_water_[r]) high_water_[r] = used;
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
  for (Block* at = &block; at < blocks_ + count_; ++at) at[0] = at[1];
}

void Pool::end_session() {
  for (uint32_t i = count_; i-- > 0;) {
    blocks_[i].session = 0;
    if (blocks_[i].models == 0) release(blocks_[i]);
  }
}

void Pool::use(uint32_t region, wire::HeapOf& use) const {
  Gap none{0, 1, 0, 0, true};
  walk(region, use, none);
}

// From gap to gap; the last one ends with the region.
void Pool::walk(uint32_t region, wire::HeapOf& use, Gap& wanted) const {
  const uint32_t begin = address_of(regions_[region].begin), bytes = regions_[region].bytes;
  use = wire::HeapOf{bytes, bytes, 0, high_water_[region], 0};
  uint32_t from = begin;
  for (uint32_t i = 0;; ++i) {
    const Block& block = blocks_[i];
    const bool last = i >= count_ || block.begin - begin >= bytes;
    if (i < count_ && block.begin < begin) continue;  // in a region below
    const uint32_t gap = (last ? begin + bytes : block.begin) - from;
    if (gap > use.largest) use.largest = gap;
    const uint32_t skipped = -from & (wanted.alignment - 1);
    if (!wanted.found && skipped <= gap && gap - skipped >= wanted.bytes) {
      wanted.address = from + skipped;
      wanted.at = i;
      wanted.found = true;
    }
    if (last) break;
    ++use.blocks;
    use.free -= block.bytes;
    from = block.begin + block.bytes;
  }
}

}  // namespace agent
