// SPDX-License-Identifier: Apache-2.0
// QEMU's MPS2 boards: the CMSDK serial port, SysTick for slices, the counter of firmware/cortex-m for time.
#include "board_parts.hpp"
#include "firmware.hpp"
#include "machine.hpp"  // firmware/cortex-m

namespace {

// Data, state, control, interrupt, baud rate divider.
volatile uint32_t& uart(uint32_t offset) { return *machine_register(MOTE_UART + offset); }
constexpr uint32_t transmit_full = 1, received = 2;                               // of the state
constexpr uint32_t enable = 1 | 2, receive_interrupt = 8, clear_interrupts = 15;  // of the control

#if MOTE_UART == 0x40004000  // MPS2 AN385, AN386, AN500
constexpr uint32_t clock_hz = 25000000, receive_line = 0;
#elif MOTE_UART == 0x50200000  // AN505
constexpr uint32_t clock_hz = 20000000, receive_line = 32;
#else                          // MPS3 AN547
constexpr uint32_t clock_hz = 32000000, receive_line = 33;
#endif
// The emulator runs with -icount shift=7: 128 ns an instruction.
constexpr uint64_t instructions_per_tick_q16 = 1000000000ull * 65536 / 128 / clock_hz;
constexpr uint32_t line_word = receive_line / 32 * 4, line_bit = 1u << receive_line % 32;

// What has arrived and nobody has read yet. When it is full, the emulator is held back.
constexpr uint32_t buffer_bytes = 8192;
uint8_t buffer[buffer_bytes];
volatile uint32_t arrived, taken;

class Mps2 final : public agent::Board {
 public:
  Mps2() {
    machine_start_counter();
    begin_ = machine_sample();
    uart(0x10) = 16;  // the fastest
    uart(0x08) = enable | receive_interrupt;
    *machine_register(0xE000E100 + line_word) = line_bit;  // NVIC_ISER
  }
  const agent::Identity& identity() const override { return identity_; }
  size_t read(uint8_t* to, size_t limit) override {
    size_t count = 0;
    while (count < limit && taken != arrived) {
      to[count++] = buffer[taken % buffer_bytes];
      taken = taken + 1;
    }
    uart(0x08) = enable | receive_interrupt;
    // A byte that came while the buffer was full has lost its interrupt.
    if ((uart(0x04) & received) != 0) *machine_register(0xE000E200 + line_word) = line_bit;  // NVIC_ISPR
    return count;
  }
  void write(const uint8_t* from, size_t bytes) override {
    for (size_t i = 0; i < bytes; ++i) {
      while ((uart(0x04) & transmit_full) != 0) {
      }
      uart(0) = from[i];
    }
  }
  uint32_t receive_buffer_bytes() const override { return buffer_bytes; }
  const agent::Region* regions(uint32_t& count) const override {
    count = 1;
    return &pool_;
  }
  void sync_code(const void* begin, size_t bytes) override { agent::sync_caches(begin, bytes); }
  uint32_t milliseconds() const override {
    const uint32_t passed = (static_cast<uint32_t>(counters().cycles) - counted_) / (clock_hz / 1000);
    counted_ += passed * (clock_hz / 1000);
    return milliseconds_ += passed;
  }
  agent::Counters counters() const override {
    bool wrapped = false;
    const uint64_t ticks = machine_ticks(begin_, machine_sample(), wrapped);
    return agent::Counters{ticks, ticks * instructions_per_tick_q16 >> 16};
  }
  void interrupt_after(uint32_t microseconds) override { agent::systick_after(microseconds, clock_hz); }
  // The machines have no source of randomness: a keyed firmware is for tests of the protocol only.
  void random(uint8_t* to, size_t bytes) override {
    for (size_t i = 0; i < bytes; ++i) {
      seed_ = seed_ * 6364136223846793005u + counters().cycles;
      to[i] = static_cast<uint8_t>(seed_ >> 56);
    }
  }
  void reset() override { agent::system_reset(); }

 private:
  agent::Identity identity_ = agent::firmware_identity("qemu-mps2", clock_hz);
  agent::Region pool_{"ram", agent_pool_begin, static_cast<uint32_t>(agent_pool_end - agent_pool_begin), 1};
  uint64_t seed_ = 1;
  Sample begin_;
  mutable uint32_t counted_ = 0, milliseconds_ = 0;  // asked for more often than 32 bits of the counter wrap
};

}  // namespace

extern "C" void agent_board_interrupt() {
  while ((uart(0x04) & received) != 0) {
    if (arrived - taken == buffer_bytes) {
      uart(0x08) = enable;
      break;
    }
    buffer[arrived % buffer_bytes] = static_cast<uint8_t>(uart(0));
    arrived = arrived + 1;
  }
  uart(0x0C) = clear_interrupts;
}

extern "C" [[noreturn]] void agent_main() { agent::serve<Mps2>(); }
