// SPDX-License-Identifier: Apache-2.0
// Hand-written models with the interface of generated code, for tests of the emulator.
#pragma once

#include <filesystem>
#include <string>

namespace mote::test {

// Writes NAME.h and NAME.cpp for one input and one output. `body` defines whatever NAME_run needs; it sees
// `input` and `output` as functions of the arena.
void write_tiny_model(const std::filesystem::path& folder, const std::string& name, int input_bytes,
                      int output_bytes, int steps, const std::string& body);

}  // namespace mote::test
