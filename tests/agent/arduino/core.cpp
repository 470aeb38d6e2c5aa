// SPDX-License-Identifier: Apache-2.0
#include "Arduino.h"

namespace {

volatile uint32_t& at(uint32_t address) { return *reinterpret_cast<volatile uint32_t*>(address); }

constexpr uint32_t uart = 0x40004000, systick = 0xE000E010, ticks_per_ms = 25000;
volatile unsigned long passed_ms = 0;

}  // namespace

extern "C" {
extern void (*const init_array_begin[])();
extern void (*const init_array_end[])();

void SysTick_Handler() { passed_ms = passed_ms + 1; }

void agent_main() {
  at(systick + 4) = ticks_per_ms - 1;
  at(systick + 8) = 0;
  at(systick) = 7;
  for (void (*const* constructor)() = init_array_begin; constructor != init_array_end; ++constructor)
    (*constructor)();
  setup();
  for (;;) loop();
}

void __cxa_pure_virtual() {}
int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }
char __dso_handle;
}

SerialPort Serial;

void SerialPort::begin(unsigned long) {
  at(uart + 0x10) = 16;
  at(uart + 0x08) = 3;
}
int SerialPort::available() { return static_cast<int>(at(uart + 0x04) >> 1 & 1); }
int SerialPort::read() { return static_cast<int>(at(uart) & 0xFF); }
size_t SerialPort::write(const uint8_t* from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    while ((at(uart + 0x04) & 1) != 0) {
    }
    at(uart) = from[i];
  }
  return bytes;
}

unsigned long millis() { return passed_ms; }
unsigned long micros() {
  for (;;) {
    const unsigned long ms = passed_ms;
    const uint32_t left = at(systick + 8);
    if (ms == passed_ms) return ms * 1000 + (ticks_per_ms - 1 - left) / (ticks_per_ms / 1000);
  }
}
