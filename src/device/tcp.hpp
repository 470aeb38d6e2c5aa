// SPDX-License-Identifier: Apache-2.0
// A socket as a stream to a device: a serial server, an emulator, a board with a network.
#pragma once

#include <memory>
#include <string>

#include "device/transport.hpp"

namespace mote {

// "tcp://HOST:PORT", "tcp://[::1]:5555". Throws Error when nobody answers within a few seconds.
[[nodiscard]] std::unique_ptr<Transport> connect_tcp(const std::string& address);

}  // namespace mote
