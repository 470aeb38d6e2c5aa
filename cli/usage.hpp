// SPDX-License-Identifier: Apache-2.0
// What a command line that cannot be read is told.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace mote::cli {

// "there is no command 'fitt'; the nearest: fit, ..." or the same of an option, from the first word that nothing
// knows; empty where all words are known.
[[nodiscard]] std::string unknown_word(const CLI::App& app, int count, const char* const* arguments);

}  // namespace mote::cli
