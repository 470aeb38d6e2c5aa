// SPDX-License-Identifier: Apache-2.0
// What the commands of `mote device` share: the device that they talk to, and how they print.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "device/device.hpp"

namespace mote::cli {

class DeviceSession {
 public:
  // --device and --json; in the shell --json alone, because there the device is the shell's.
  void add_flags(CLI::App& command);
  void open_shell();  // from now on there is one device
  [[nodiscard]] bool in_shell() const { return in_shell_; }

  // Connects to an address of its own with the session's key.
  [[nodiscard]] Device open(const std::string& address) const;
  [[nodiscard]] Device& device();
  [[nodiscard]] std::string address() const;  // throws Error when neither flag nor environment has one
  [[nodiscard]] DeviceModel model(const std::string& name);  // throws Error that names those that are there
  [[nodiscard]] bool json() const { return json_; }
  // Prints one or the other.
  void show(const nlohmann::ordered_json& json, const std::function<void()>& text) const;
  void forget_flags() { json_ = false; }

 private:
  std::string address_, key_;
  bool json_ = false, in_shell_ = false;
  std::optional<Device> device_;
};

using SessionPointer = std::shared_ptr<DeviceSession>;

// The commands, by what they deal with. Each adds itself to `parent`: `mote device`, or the shell.
void add_device_info(CLI::App& parent, const SessionPointer& session);      // hello, heap, models, unload, reset
void add_device_load(CLI::App& parent, const SessionPointer& session);      // load, watch
void add_watch(CLI::App& parent, const SessionPointer& session);            // watch alone
void add_device_function(CLI::App& parent, const SessionPointer& session);  // function
void add_device_call(CLI::App& parent, const SessionPointer& session);      // call
void add_device_memory(CLI::App& parent, const SessionPointer& session);    // read, write, allocate, release
void add_device_watch(CLI::App& parent, const SessionPointer& session);     // log, monitor, bench
void add_device_emulate(CLI::App& parent);

// Compiles a function, puts it on the device and does not call it.
void load_function(DeviceSession& session, const std::string& source, const std::string& function);

[[nodiscard]] nlohmann::ordered_json model_json(const DeviceModel& model);
void print_regions(const std::vector<DeviceRegion>& regions);
void print_models(const std::vector<DeviceModel>& models);

}  // namespace mote::cli
