// SPDX-License-Identifier: Apache-2.0
// A stranger at a keyed device: whatever is on the wire, nothing but a hello is ever granted.
#include "agent_player.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The public key of RFC 8032, 7.1, TEST 1.
  static const uint8_t owner[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                    0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                    0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
  mote::fuzz::AgentPlayer player(data, size, owner);
  player.play();
  player.each_answer([](wire::Command command, wire::Status status, uint16_t) {
    if (command != wire::Command::hello && status != wire::Status::no_session &&
        status != wire::Status::bad_signature)
      mote::fuzz::broken("a stranger was heard");
  });
  player.expect_hello();
  return 0;
}
