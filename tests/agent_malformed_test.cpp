// SPDX-License-Identifier: Apache-2.0
// Requests of any length with any command are answered, and the agent lives on.
#include <gtest/gtest.h>

#include "device/link.hpp"
#include "support/agent/pretended_device.hpp"

namespace mote {
namespace {

using test::PretendedDevice;

TEST(AgentMalformed, PayloadsOfAnyLengthAreAnswered) {
  Link link(std::make_unique<PretendedDevice>());
  ASSERT_EQ(link.hello().status, wire::Status::ok);
  for (int command = 2; command < 0x80; ++command) {
    if (command == static_cast<int>(wire::Command::reset)) continue;
    for (size_t length = 0; length <= 100; ++length)
      static_cast<void>(link.ask(static_cast<wire::Command>(command), Bytes(length, std::byte{1})));
  }
  const DeviceAnswer heap = link.ask(wire::Command::heap, {});
  EXPECT_EQ(heap.status, wire::Status::ok);
  EXPECT_EQ(heap.payload.size(), sizeof(wire::HeapOf));
}

// 0 marks the places that are free.
TEST(AgentMalformed, NoModelHasTheNumberZero) {
  Link link(std::make_unique<PretendedDevice>());
  ASSERT_EQ(link.hello().status, wire::Status::ok);
  using wire::Command;
  for (const Command command : {Command::commit, Command::unload, Command::input, Command::call, Command::output})
    EXPECT_EQ(link.ask(command, Bytes(12, std::byte{0})).status, wire::Status::no_such_model)
        << static_cast<int>(command);
}

// To let everybody in would be worse than to let nobody in.
TEST(AgentMalformed, AKeyWithoutCryptographyMakesTheDeviceSilent) {
  const Key owner{1};
  auto device = std::make_unique<PretendedDevice>(PretendedDevice::Spoil(), owner.data());
  Link link(std::move(device), {std::chrono::milliseconds(50), std::chrono::milliseconds(500)});
  EXPECT_THROW(static_cast<void>(link.hello()), Error);
}

}  // namespace
}  // namespace mote
