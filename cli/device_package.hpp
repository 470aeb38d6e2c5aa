// SPDX-License-Identifier: Apache-2.0
// mote device package: a part of `mote device`.
#pragma once

#include <CLI/CLI.hpp>

namespace mote::cli {

void add_device_package(CLI::App& device);

}  // namespace mote::cli
