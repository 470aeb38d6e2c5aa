// SPDX-License-Identifier: Apache-2.0
// The machine that Mote itself runs on: models run in the simulator, with the device's kernels.
#include "target/registry.hpp"

namespace mote::target {

extern const Target host{.name = "host", .description = "this machine, in the simulator"};

}  // namespace mote::target
