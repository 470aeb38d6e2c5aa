// SPDX-License-Identifier: Apache-2.0
// QEMU's RV32 machine "virt": the 16550 serial port, the CLINT's timer, 32 MB of memory for loaded code.
#include "firmware.hpp"

namespace {

volatile uint8_t& uart(uint32_t index) { return *reinterpret_cast<volatile uint8_t*>(0x10000000 + index); }
volatile uint32_t& clint(uint32_t offset) { return *reinterpret_cast<volatile uint32_t*>(0x2000000 + offset); }
volatile uint32_t& plic(uint32_t offset) { return *reinterpret_cast<volatile uint32_t*>(0xc000000 + offset); }
constexpr uint32_t plic_claim = 0x200004, uart_interrupt = 10;
constexpr uint32_t interrupt_enable = 1, fifo_control = 2, line_status = 5, received = 1, can_send = 0x20,
                   time_compare = 0x4000, time_now = 0xbff8;
constexpr uint32_t timer_hz = 10000000;
constexpr uint32_t timer_interrupt = 1 << 7, external_interrupt = 1 << 11;  // in mie

uint64_t now() {
  for (;;) {
    const uint32_t high = clint(time_now + 4), low = clint(time_now);
    if (clint(time_now + 4) == high) return static_cast<uint64_t>(high) << 32 | low;
  }
}

uint64_t counter() {
  uint32_t high, low, again;
  asm volatile("csrr %0, minstreth\n\tcsrr %1, minstret\n\tcsrr %2, minstreth"
               : "=&r"(high), "=&r"(low), "=&r"(again));
  return static_cast<uint64_t>(low < 0x80000000u ? again : high) << 32 | low;
}

class Virt final : public agent::Board {
 public:
  Virt() {
    uart(fifo_control) = 0xc1;  // 14 bytes at once
    uart(interrupt_enable) = received;
    plic(4 * uart_interrupt) = 1;         // its priority
    plic(0x2000) = 1u << uart_interrupt;  // for machine mode of hart 0
  }
  const agent::Identity& identity() const override { return identity_; }
  size_t read(uint8_t* to, size_t limit) override {
    size_t count = 0;
    while (count < limit && (uart(line_status) & received) != 0) to[count++] = uart(0);
    return count;
  }
  void write(const uint8_t* from, size_t bytes) override {
    for (size_t i = 0; i < bytes; ++i) {
      while ((uart(line_status) & can_send) == 0) {
      }
      uart(0) = from[i];
    }
  }
  uint32_t receive_buffer_bytes() const override { return 1 << 16; }  // the emulator holds back what is not read
  const agent::Region* regions(uint32_t& count) const override {
    count = 1;
    return &pool_;
  }
  void sync_code(const void*, size_t) override {
    asm volatile(".option push\n\t.option arch, +zifencei\n\tfence.i\n\t.option pop" ::: "memory");
  }
  uint32_t milliseconds() const override {
    const uint32_t passed = (clint(time_now) - counted_) / (timer_hz / 1000);
    counted_ += passed * (timer_hz / 1000);
    return milliseconds_ += passed;
  }
  agent::Counters counters() const override { return agent::Counters{counter(), counter()}; }
  // Off, the time to compare with lies in the past: the emulator's idle clock jumps to the next time that is asked
  // for.
  void interrupt_after(uint32_t microseconds) override {
    const uint64_t at = microseconds == 0 ? 0 : now() + microseconds * (timer_hz / 1000000);
    asm volatile("csrc mie, %0" : : "r"(timer_interrupt));
    clint(time_compare + 4) = 0xffffffffu;
    clint(time_compare) = static_cast<uint32_t>(at);
    clint(time_compare + 4) = static_cast<uint32_t>(at >> 32);
    if (microseconds != 0) asm volatile("csrs mie, %0" : : "r"(timer_interrupt));
  }
  // The machine has no source of randomness: a keyed firmware is for tests of the protocol only.
  void random(uint8_t* to, size_t bytes) override {
    for (size_t i = 0; i < bytes; ++i) {
      seed_ = seed_ * 6364136223846793005u + now();
      to[i] = static_cast<uint8_t>(seed_ >> 56);
    }
  }
  void wait() override {
    if ((uart(line_status) & received) != 0) return;
    // The interrupt wakes the core; nobody takes it, because interrupts are off in the agent.
    asm volatile("csrs mie, %0\n\twfi\n\tcsrc mie, %0" : : "r"(external_interrupt));
    plic(plic_claim) = plic(plic_claim);  // served; it comes again if there is more
  }
  void reset() override { *reinterpret_cast<volatile uint32_t*>(0x100000) = 0x7777; }

 private:
  agent::Identity identity_ = agent::firmware_identity("qemu-virt", timer_hz);
  agent::Region pool_{"ram", agent_pool_begin, static_cast<uint32_t>(agent_pool_end - agent_pool_begin), 1};
  uint64_t seed_ = 1;
  mutable uint32_t counted_ = 0, milliseconds_ = 0;  // asked for more often than the low word of the timer wraps
};

}  // namespace

extern "C" [[noreturn]] void agent_main() { agent::serve<Virt>(); }

extern "C" [[noreturn]] void agent_lost_board() {
  for (;;) *reinterpret_cast<volatile uint32_t*>(0x100000) = 0x7777;
}
