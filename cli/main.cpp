// SPDX-License-Identifier: Apache-2.0
// The command line: flags to library calls, no logic. Exit status 0: done; 1: an error or a mismatch; 2: bad
// usage.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "extend/load_operator.hpp"
#include "usage.hpp"

namespace {

// Operators are loaded while the command line is read, so that every command finds them.
void add_operator_flag(CLI::App& command) {
  for (CLI::App* const inner : command.get_subcommands({})) add_operator_flag(*inner);
  if (command.get_option_no_throw("model") == nullptr && command.get_option_no_throw("folder") == nullptr) return;
  command
      .add_option_function<std::vector<std::string>>(
          "--operator",
          [](const std::vector<std::string>& files) {
            for (const std::string& file : files) mote::load_operator(file);
          },
          "C++ file of an operator of your own (may be given several times; docs/custom_operator.md)")
      ->expected(1)
      ->take_all();
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Mote compiles trained neural networks to heap-free C++ for microcontrollers."};
  app.set_version_flag("--version", "Mote " MOTE_VERSION);
  mote::cli::add_compile(app);
  mote::cli::add_run(app);
  mote::cli::add_verify(app);
  mote::cli::add_inspect(app);
  mote::cli::add_fit(app);
  mote::cli::add_report(app);
  mote::cli::add_quantize(app);
  mote::cli::add_targets(app);
  mote::cli::add_zoo(app);
  mote::cli::add_boards(app);
  mote::cli::add_device(app);
  for (CLI::App* const command : app.get_subcommands({})) add_operator_flag(*command);
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
    const std::string unknown = mote::cli::unknown_word(app, count, arguments);
    if (unknown.empty())
      app.exit(usage);
    else
      std::fputs(fmt::format("mote: {}\nRun with --help for more information.\n", unknown).c_str(), stderr);
    return 2;
  } catch (const std::exception& problem) {
    std::fputs(fmt::format("mote: error: {}\n", problem.what()).c_str(), stderr);  // must not throw again
    return 1;
  }
  return 0;
}
