// SPDX-License-Identifier: Apache-2.0
// What device_fuzz does with a device: everything that reads answers.
#pragma once

#include "device/device.hpp"

namespace mote::fuzz {

inline void use_device(Device& device) {
  for (const DeviceModel& model : device.models()) {
    static_cast<void>(device.read(model.code, model.code_bytes % 5000));
    static_cast<void>(device.call(model, Bytes(model.input_bytes % 5000)));
  }
  static_cast<void>(device.heap());
  static_cast<void>(device.find({1, 2, 3}));
  static_cast<void>(device.profile());
  uint32_t position = 0;
  static_cast<void>(device.log(position));
  const uint32_t block = device.allocate(wire::Kind::data, 3000);
  device.write(block, Bytes(3000));
  device.release(block);
  device.reset();
}

}  // namespace mote::fuzz
