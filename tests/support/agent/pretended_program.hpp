// SPDX-License-Identifier: Apache-2.0
// Code of the pretended core, put into service without a linker.
#pragma once

#include "device/device.hpp"
#include "device/program.hpp"

namespace mote::test {

struct PretendedProgram {
  Bytes code;
  uint32_t io_bytes = 0;
  std::vector<wire::PlaceOf> inputs, outputs;
};

[[nodiscard]] DeviceModel load_pretended(Device& device, const PretendedProgram& program);

}  // namespace mote::test
