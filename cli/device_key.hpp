// SPDX-License-Identifier: Apache-2.0
// mote device key: a part of `mote device`.
#pragma once

#include <CLI/CLI.hpp>

namespace mote::cli {

void add_device_key(CLI::App& device);

}  // namespace mote::cli
