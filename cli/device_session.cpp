// SPDX-License-Identifier: Apache-2.0
#include "device_session.hpp"

#include "common.hpp"
#include "device/connect.hpp"
#include "device/keys.hpp"

namespace mote::cli {

void DeviceSession::add_flags(CLI::App& command) {
  if (!in_shell_) {
    command
        .add_option("-d,--device", address_,
                    "/dev/PORT[@BAUD] (`mote device list` lists them), tcp://HOST:PORT, pty:/dev/pts/NUMBER, "
                    "qemu:TARGET (an emulated board of its own); also from the environment's MOTE_DEVICE")
        ->envname("MOTE_DEVICE")
        ->required();
    command
        .add_option("--key", key_,
                    "the owner's secret key (PEM), for keyed devices; also from the environment's MOTE_DEVICE_KEY")
        ->envname("MOTE_DEVICE_KEY");
  }
  command.add_flag("--json", json_, "print one JSON object instead of text");
}

void DeviceSession::open_shell() {
  (void)device();
  in_shell_ = true;
}

Device DeviceSession::open(const std::string& address) const {
  if (key_.empty()) return Device(connect(address));
  const auto owner = std::make_shared<const OwnerKey>(OwnerKey::load(key_));
  return Device(connect(address, owner->public_key()), {}, owner);
}

Device& DeviceSession::device() {
  if (!device_) {
    const Progress progress("connecting to " + address_);
    device_.emplace(open(address_));
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
