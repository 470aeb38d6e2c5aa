// SPDX-License-Identifier: Apache-2.0
#include "protection.hpp"

namespace agent {
namespace {

constexpr uintptr_t unit = 0xE000ED90;  // MPU_TYPE, MPU_CTRL, MPU_RNR, MPU_RBAR, MPU_RASR (ARMv8-M: MPU_RLAR)
constexpr uint32_t granule = 32;        // the smallest region

enum Access { code, constants, data };

#if __ARM_ARCH >= 8
// Read-only or not and execute-never, of RBAR. Regions that overlap are a fault, also for the agent.
constexpr uint32_t attributes[] = {3u << 1, 3u << 1 | 1, 1u << 1 | 1};
#else
// Of RASR: loaded code may read (AP 2) or write (AP 3), XN, normal memory with write-back caches.
constexpr uint32_t memory = 1u << 19 | 1u << 17 | 1u << 16;
constexpr uint32_t attributes[] = {2u << 24 | memory, 1u << 28 | 2u << 24 | memory, 1u << 28 | 3u << 24 | memory};
#endif

uint32_t round_up(uint32_t value, uint32_t alignment) { return (value + (alignment - 1)) & ~(alignment - 1); }

// Hands out the unit's regions, the last first: of several ARMv7-M regions the one with the highest number counts.
class Regions {
 public:
  void add(Span span, Access access) {
    uint32_t begin = round_up(static_cast<uint32_t>(span.begin), granule);
    const uint32_t end = static_cast<uint32_t>(span.end) & ~(granule - 1);
    while (begin < end && left_ != 0) begin = set(begin, end, attributes[access]);
  }
  void disable_others() {
    while (left_ != 0) write(0, 0);
  }

 private:
  void write(uint32_t base, uint32_t size) {
    volatile uint32_t* const registers = system_register(unit);
    registers[2] = --left_;
    registers[3] = base;
    registers[4] = size;
  }

#if __ARM_ARCH >= 8
  uint32_t set(uint32_t begin, uint32_t end, uint32_t with) {
    write(begin | with, (end - granule) | 1);
    return end;
  }
#else
  // The region that reaches farthest: a power of two, of which the eighths from `begin` on are enabled.
  uint32_t set(uint32_t begin, uint32_t end, uint32_t with) {
    uint32_t reach = begin, best = 0;
    for (uint32_t log = 5; log < 30 && reach < end && (begin & (step(log) - 1)) == 0; ++log) {
      const uint32_t from = begin >> log << log, last = end & ~(step(log) - 1);
      const uint32_t to = last - from < 1u << log ? last : from + (1u << log);
      if (to > reach) {
        reach = to;
        best = log;
      }
    }
    if (best == 0) return end;
    const uint32_t from = begin >> best << best;
    const uint32_t first = (begin - from) / step(best), count = (reach - begin) / step(best);
    const uint32_t enabled = best < 8 ? 0xFF : ((1u << count) - 1) << first;
    write(from, with | (enabled ^ 0xFF) << 8 | (best - 1) << 1 | 1);
    return reach;
  }
  // What can be disabled of a region of 2^log bytes.
  static uint32_t step(uint32_t log) { return 1u << (log < 8 ? log : log - 3); }
#endif

  uint32_t left_ = *system_register(unit) >> 8 & 0xFF;
};

// To the step that protection knows behind the span's end, which is still in its block.
Span whole(Span span) {
  const uint32_t bytes = static_cast<uint32_t>(span.end - span.begin);
  return Span{span.begin, round_up(static_cast<uint32_t>(span.end), core_block_alignment(bytes))};
}

const Activity* programmed = nullptr;  // whose regions the unit has

void program(const Activity& activity) {
  const Span first = whole(activity.code), second = whole(activity.data), rest = activity.constants;
  Regions regions;
  regions.add(first, code);
  regions.add(second, data);
#if __ARM_ARCH >= 8
  const Span low = first.begin < second.begin ? first : second, high = first.begin < second.begin ? second : first;
  const auto part = [&](uintptr_t begin, uintptr_t end) {
    regions.add(Span{begin > rest.begin ? begin : rest.begin, end < rest.end ? end : rest.end}, constants);
  };
  part(rest.begin, low.begin);
  part(low.end, high.begin);
  part(high.end, rest.end);
#else
  regions.add(rest, constants);
#endif
  regions.disable_others();
}

}  // namespace

bool core_protects() { return (*system_register(unit) >> 8 & 0xFF) >= 8; }

#if __ARM_ARCH >= 8
uint32_t core_block_alignment(uint32_t) { return 64; }
#else
// An eighth of the next power of two: the block then lies in two regions at most.
uint32_t core_block_alignment(uint32_t bytes) {
  uint32_t alignment = 64;
  while (alignment * 8 < bytes) alignment *= 2;
  return alignment;
}
#endif

void protection_start() {
  protect_nothing();
#if __ARM_ARCH >= 8
  *system_register(unit + 0x30) = 0xFF;  // MPU_MAIR0: normal memory with write-back caches
#endif
}

void protect(const Activity& activity) {
  if (!core_protects()) return;
  if (programmed != &activity) program(activity);
  programmed = &activity;
  system_register(unit)[1] = 1 | 4;  // the agent has the background region
  asm volatile("dsb\n\tisb" : : : "memory");
}

void forget_protection() { programmed = nullptr; }

void protect_nothing() {
  system_register(unit)[1] = 0;
  asm volatile("dsb\n\tisb" : : : "memory");
}

}  // namespace agent
