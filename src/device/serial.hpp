// SPDX-License-Identifier: Apache-2.0
// Serial ports and pseudo-terminals as streams to a device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/transport.hpp"

namespace mote {

struct SerialPort {
  std::string path;         // "/dev/ttyUSB0"
  std::string description;  // "CP2102 USB to UART Bridge Controller"; may be empty
  std::string usb;          // vendor, product and the adapter's own number: "10c4:ea60 0001"; empty: not on USB
};

// Those of this machine, in the order of their paths.
[[nodiscard]] std::vector<SerialPort> list_serial_ports();

// "/dev/ttyUSB0" or "/dev/ttyUSB0@921600"; without a speed 115200 baud. 8 data bits, no parity, one stop bit, no
// flow control; the lines for reset stay as they are. Throws Error that names a way out when the port is missing,
// taken, forbidden, or none.
[[nodiscard]] std::unique_ptr<Transport> connect_serial(const std::string& address);

// "pty:/dev/pts/5": the terminal's own treatment of bytes is switched off.
[[nodiscard]] std::unique_ptr<Transport> connect_pty(const std::string& address);

}  // namespace mote
