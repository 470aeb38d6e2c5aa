// SPDX-License-Identifier: Apache-2.0
// mote device: what runs on a board, and what is sent to it; its shell.
#include <unistd.h>

#include <iostream>

#include "base/temporary_directory.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "device/agent_firmware.hpp"
#include "device/keys.hpp"
#include "device/serial.hpp"
#include "device_key.hpp"
#include "device_package.hpp"
#include "device_session.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"

namespace mote::cli {

namespace {

void add_commands(CLI::App& parent, const SessionPointer& session) {
  add_device_info(parent, session);
  add_device_load(parent, session);
  add_device_function(parent, session);
  add_device_call(parent, session);
  add_device_memory(parent, session);
  add_device_watch(parent, session);
}

// One line. An error is told and the shell goes on.
void run_line(const std::string& line, const SessionPointer& session) {
  CLI::App app("Commands of the shell; `quit` ends it.", "");
  app.require_subcommand(1);
  add_commands(app, session);
  session->forget_flags();
  try {
    app.parse(line);
  } catch (const CLI::ParseError& usage) {
    app.exit(usage);
  } catch (const Error& problem) {
    std::fputs(fmt::format("error: {}\n", problem.what()).c_str(), stderr);
  }
}

void shell(const SessionPointer& session) {
  session->open_shell();
  const bool terminal = isatty(STDIN_FILENO) != 0;
  if (terminal) fmt::print("{}: `--help` lists the commands, `quit` ends\n", session->address());
  for (std::string line;;) {
    if (terminal) fmt::print("> ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line) || line == "quit" || line == "exit") return;
    if (line.find_first_not_of(" \t") != std::string::npos) run_line(line, session);
  }
}

struct EmulateFlags {
  std::string target = "rv32imac", serial = "tcp::5555,server,nowait,nodelay", key;
};

void emulate_board(const EmulateFlags& flags) {
  const Target& target = find_target(flags.target);
  const TemporaryDirectory directory;
  std::optional<Key> owner;
  if (!flags.key.empty()) owner = OwnerKey::load(flags.key).public_key();
  const AgentFirmware firmware = build_agent(target, directory.path(), owner);
  fmt::print("an emulated {} with Mote's agent, its serial port is {}; Ctrl-C ends it\n", target.name,
             flags.serial);
  std::fflush(stdout);
  run_in_foreground(agent_command(target, firmware.program, flags.serial));
}

void ports(bool as_json) {
  auto json = nlohmann::ordered_json::array();
  const std::vector<SerialPort> all = list_serial_ports();
  for (const SerialPort& port : all)
    json.push_back({{"path", port.path}, {"description", port.description}, {"usb", port.usb}});
  if (as_json) return print_json({{"ports", json}});
  if (all.empty()) fmt::print("this machine has no serial port\n");
  for (const SerialPort& port : all) fmt::print("{:16} {:22} {}\n", port.path, port.usb, port.description);
}

void add_ports(CLI::App& parent) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App* const command = parent.add_subcommand("list", "the serial ports of this machine")->alias("ports");
  command->add_flag("--json", *as_json, "print one JSON object instead of text");
  command->callback([as_json] { ports(*as_json); });
}

}  // namespace

void add_device_emulate(CLI::App& parent) {
  const auto flags = std::make_shared<EmulateFlags>();
  CLI::App* const command = parent.add_subcommand("emulate", "run an emulated board with Mote's agent");
  command->add_option("--target", flags->target, "whose board")->capture_default_str();
  command->add_option("--key", flags->key, "a key file: the board obeys its owner only");
  command
      ->add_option("--serial", flags->serial,
                   "where its serial port is, as QEMU's -serial takes it: tcp::5555,server,nowait,nodelay or pty")
      ->capture_default_str();
  command->callback([flags] { emulate_board(*flags); });
}

void add_device(CLI::App& app) {
  CLI::App* const device = app.add_subcommand("device", "send models to a running board, call and inspect them");
  device->require_subcommand(1);
  const auto session = std::make_shared<DeviceSession>();
  add_commands(*device, session);
  add_watch(app, session);
  CLI::App* const command =
      device->add_subcommand("shell", "many commands in one session, from the keyboard or a file");
  session->add_flags(*command);
  command->callback([session] { shell(session); });
  add_ports(*device);
  add_device_emulate(*device);
  add_device_key(*device);
  add_device_package(*device);
}

}  // namespace mote::cli
