// SPDX-License-Identifier: Apache-2.0
// A device's address in words, and the stream that it stands for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "device/keys.hpp"
#include "device/transport.hpp"

namespace mote {

// "tcp://HOST:PORT", "pty:/dev/pts/3", "/dev/ttyUSB0@115200", or "qemu:rv32imac", which starts an emulated board
// with Mote's agent for as long as the stream lives; given an `owner`, it obeys nobody else. Throws Error.
[[nodiscard]] std::unique_ptr<Transport> connect(const std::string& address,
                                                 const std::optional<Key>& owner = std::nullopt);

}  // namespace mote
