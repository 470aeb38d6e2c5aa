// SPDX-License-Identifier: Apache-2.0
// The command line: flags to library calls, no logic. Exit status 0: done; 1: an error or a mismatch; 2: bad
// usage.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "commands.hpp"

int main(int count, char** arguments) {
  CLI::App app{"Mote compiles trained neural networks to heap-free C++ for microcontrollers."};
  app.set_version_flag("--version", "Mote " MOTE_VERSION);
  mote::cli::add_compile(app);
  mote::cli::add_run(app);
  mote::cli::add_verify(app);
  mote::cli::add_inspect(app);
  mote::cli::add_fit(app);
  mote::cli::add_report(app);
  mote::cli::add_targets(app);
  mote::cli::add_zoo(app);
  mote::cli::add_boards(app);
  try {
    app.parse(count, arguments);
    if (app.get_subcommands().empty()) {
      std::fputs(app.help().c_str(), stderr);
      return 2;
    }
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::RuntimeError& status) {
    return status.get_exit_code();
  } catch (const CLI::ParseError& usage) {
    app.exit(usage);
    return 2;
  } catch (const std::exception& problem) {
    std::fputs(fmt::format("mote: error: {}\n", problem.what()).c_str(), stderr);  // must not throw again
    return 1;
  }
  return 0;
}
