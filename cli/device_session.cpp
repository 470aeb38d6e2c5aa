// SPDX-License-Identifier: Apache-2.0
#include "device_session.hpp"

#include <cstdlib>

#include "common.hpp"
#include "device/connect.hpp"
#include "device/keys.hpp"

namespace mote::cli {

namespace {

// What the flag says, or else the environment. Not CLI11's envname: all commands share the flag's variable, and
// those that were not given would overwrite it.
std::string flag_or_environment(const std::string& flag, const char* variable) {
  const char* const value = std::getenv(variable);
  return !flag.empty() || value == nullptr ? flag : value;
}

}  // namespace

void DeviceSession::add_flags(CLI::App& command) {
  if (!in_shell_) {
    command.add_option("-d,--device", address_,
                       "/dev/PORT[@BAUD] (`mote device list` lists them), tcp://HOST:PORT, pty:/dev/pts/NUMBER, "
                       "qemu:TARGET (an emulated board of its own); also from the environment's MOTE_DEVICE");
    command.add_option(
        "--key", key_,
        "the owner's secret key (PEM), for keyed devices; also from the environment's MOTE_DEVICE_KEY");
  }
  command.add_flag("--json", json_, "print one JSON object instead of text");
}

void DeviceSession::open_shell() {
  (void)device();
  in_shell_ = true;
}

std::string DeviceSession::address() const {
  const std::string address = flag_or_environment(address_, "MOTE_DEVICE");
  require(!address.empty(), "which device? give its address with --device, or in the environment's MOTE_DEVICE");
  return address;
}

Device DeviceSession::open(const std::string& address) const {
  const std::string key = flag_or_environment(key_, "MOTE_DEVICE_KEY");
  if (key.empty()) return Device(connect(address));
  const auto owner = std::make_shared<const OwnerKey>(OwnerKey::load(key));
  return Device(connect(address, owner->public_key()), {}, owner);
}

Device& DeviceSession::device() {
  if (!device_) {
    const Progress progress("connecting to " + address());
    device_.emplace(open(address()));
  }
  return *device_;
}

DeviceModel DeviceSession::model(const std::string& name) {
  std::string names;
  for (const DeviceModel& model : device().models()) {
    if (model.name == name) return model;
    names += (names.empty() ? "" : ", ") + model.name;
  }
  fail("no model '{}' is on the device; {}", name, names.empty() ? "none is" : "there are: " + names);
}

void DeviceSession::show(const nlohmann::ordered_json& json, const std::function<void()>& text) const {
  if (json_)
    print_json(json);
  else
    text();
}

}  // namespace mote::cli
