// SPDX-License-Identifier: Apache-2.0
// A stand-in for an Arduino core without an operating system, on QEMU's MPS2 AN386: the serial port, and SysTick
// that counts milliseconds.
#pragma once

#include <stddef.h>
#include <stdint.h>

class Stream {
 public:
  virtual int available() = 0;
  virtual int read() = 0;
  virtual size_t write(const uint8_t* from, size_t bytes) = 0;
};

class SerialPort final : public Stream {
 public:
  void begin(unsigned long baud);
  int available() override;
  int read() override;
  size_t write(const uint8_t* from, size_t bytes) override;
};

extern SerialPort Serial;

unsigned long millis();
unsigned long micros();
void setup();
void loop();
