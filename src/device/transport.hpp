// SPDX-License-Identifier: Apache-2.0
// A stream of bytes to a device and back: a serial port, a socket, an emulator that this process has started.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "target/target.hpp"

namespace mote {

class Transport {
 public:
  virtual ~Transport() = default;
  // At most `limit` bytes, as soon as there are any; 0: none came in time. Throws Error when the other end is
  // gone.
  virtual size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) = 0;
  virtual void write(ByteSpan bytes) = 0;
  [[nodiscard]] virtual std::string name() const = 0;
  // The time that its time-outs are measured in.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::now();
  }
};

// Over a file descriptor, which it closes.
[[nodiscard]] std::unique_ptr<Transport> descriptor_transport(int descriptor, std::string name);

// Starts `command` with a stream as its standard input and output; it ends with the transport.
[[nodiscard]] std::unique_ptr<Transport> process_transport(const std::vector<std::string>& command,
                                                           std::string name);

}  // namespace mote
