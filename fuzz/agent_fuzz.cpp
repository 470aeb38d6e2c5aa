// SPDX-License-Identifier: Apache-2.0
// Any bytes on a device's wire, and any requests in good frames: the agent lives on and answers a hello. Loaded
// code is whatever the bytes are, on the pretended core.
#include "agent_player.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mote::fuzz::AgentPlayer player(data, size);
  player.play();
  player.expect_hello();
  return 0;
}
