// SPDX-License-Identifier: Apache-2.0
// The program's commands: each adds itself to the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace mote::cli {

void add_compile(CLI::App& app);
void add_run(CLI::App& app);
void add_verify(CLI::App& app);
void add_inspect(CLI::App& app);
void add_report(CLI::App& app);
void add_targets(CLI::App& app);
void add_zoo(CLI::App& app);
void add_fit(CLI::App& app);
void add_boards(CLI::App& app);
void add_quantize(CLI::App& app);
void add_device(CLI::App& app);

}  // namespace mote::cli
