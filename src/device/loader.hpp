// SPDX-License-Identifier: Apache-2.0
// From a program to a model that serves on a device.
#pragma once

#include "device/device.hpp"
#include "device/program.hpp"

namespace mote {

struct LoadReport {
  DeviceModel model;
  bool already_there = false;
  int64_t image_bytes = 0;  // of all sections, the arena too
  int64_t sent_bytes = 0;   // payload of what was written
  int64_t kept_bytes = 0;   // constants that the device had
  Image image;              // empty where the model was there
};

struct LoadOptions {
  bool again = false;  // also when the same program serves already
  std::function<void(int64_t sent, int64_t of)> progress;
  // Called while the new model is loaded and the old one still serves; when it throws, the old one stays.
  std::function<void(Device&, const DeviceModel&)> check;
};

// Allocates, links, sends what the device does not have, checks, and puts the model into service in the place of
// an older one of its name. Until then the older one answers; when anything fails it stays, and all that was
// allocated is released.
[[nodiscard]] LoadReport load_program(Device& device, const Program& program, const LoadOptions& options = {});

}  // namespace mote
