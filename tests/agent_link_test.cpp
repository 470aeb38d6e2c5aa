// SPDX-License-Identifier: Apache-2.0
// Whatever the wire does to frames, both ends agree on what was done, and it was done once.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "support/agent/pretended_core.hpp"
#include "support/agent/pretended_device.hpp"
#include "support/agent/pretended_program.hpp"

namespace mote {
namespace {

using test::Instruction;
using test::PretendedDevice;

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Bytes random_bytes(std::mt19937& random, size_t count) {
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 4 == 0 ? 0 : random());
  return bytes;
}

constexpr uint32_t half = 24, io_bytes = 8 + 2 * half;

const Bytes counting_code = bytes_of({static_cast<int>(Instruction::count), static_cast<int>(Instruction::reverse),
                                      half, static_cast<int>(Instruction::back), 0});

Bytes expected_output(const Bytes& input, uint32_t calls) {
  Bytes output(input.rbegin(), input.rend());
  const Bytes count = to_bytes(std::vector<uint32_t>{calls});
  output.insert(output.end(), count.begin(), count.end());
  return output;
}

// Spoils about one frame in four, in one way or another, and counts how often.
class Spoiler {
 public:
  explicit Spoiler(uint32_t seed) : random_(seed) {}

  void operator()(bool to_device, std::vector<uint8_t>& bytes) {
    std::vector<uint8_t> result;
    std::vector<uint8_t> frame;
    for (const uint8_t byte : bytes) {
      frame.push_back(byte);
      if (byte == 0) pass(to_device, std::exchange(frame, {}), result);
    }
    result.insert(result.end(), frame.begin(), frame.end());
    bytes = result;
  }
  int64_t faults() const { return faults_; }
  const std::map<int, int64_t>& kinds() const { return kinds_; }

 private:
  void pass(bool to_device, std::vector<uint8_t> frame, std::vector<uint8_t>& result) {
    std::vector<uint8_t>& held = held_[to_device ? 1 : 0];
    const auto emit = [&](const std::vector<uint8_t>& some) {
      result.insert(result.end(), some.begin(), some.end());
    };
    const auto kind = static_cast<int>(random_() % 32);
    if (kind < 8) {
      ++faults_;
      ++kinds_[kind];
    }
    const size_t at = random_() % frame.size();
    switch (kind) {
      case 0: return;              // lost
      case 1: emit(frame); break;  // doubled
      case 2:                      // kept back behind later ones, once or for long
        held.insert(held.end(), frame.begin(), frame.end());
        return;
      case 3: frame.resize(at); break;  // cut off, and so run together with the next one
      case 4: frame[at] ^= static_cast<uint8_t>(1 << random_() % 8); break;
      case 5: std::swap(frame[at], frame[random_() % frame.size()]); break;
      case 6: frame.erase(frame.begin() + static_cast<ptrdiff_t>(at)); break;
      case 7:
        for (int i = 0; i < 5; ++i) frame.insert(frame.begin() + static_cast<ptrdiff_t>(at), random_() & 255);
        break;
      default: break;
    }
    emit(frame);
    if (random_() % 3 == 0) emit(std::exchange(held, {}));
  }

  std::mt19937 random_;
  int64_t faults_ = 0;
  std::map<int, int64_t> kinds_;
  std::vector<uint8_t> held_[2];
};

// Blocks of the session and what must be in them.
struct Shadow {
  std::map<uint32_t, Bytes> blocks;
  uint32_t calls = 0;
};

void act(Device& device, const DeviceModel& model, Shadow& shadow, std::mt19937& random) {
  const uint32_t what = random() % 8;
  if (what == 0 && shadow.blocks.size() < 20) {
    const size_t bytes = 1 + random() % 3000;
    const uint32_t address = device.allocate(wire::Kind::data, static_cast<int64_t>(bytes));
    for (const auto& [other, content] : shadow.blocks)
      ASSERT_TRUE(address >= other + content.size() || other >= address + bytes) << "blocks overlap";
    const Bytes content = random_bytes(random, bytes);
    device.write(address, content);
    shadow.blocks[address] = content;
  } else if (what < 4 && !shadow.blocks.empty()) {
    const auto block = std::next(shadow.blocks.begin(), static_cast<ptrdiff_t>(random() % shadow.blocks.size()));
    if (what == 1) {
      device.release(block->first);
      shadow.blocks.erase(block);
    } else if (what == 2) {
      const size_t from = random() % block->second.size();
      const Bytes content = random_bytes(random, 1 + random() % (block->second.size() - from));
      device.write(block->first + static_cast<uint32_t>(from), content);
      std::copy(content.begin(), content.end(), block->second.begin() + static_cast<ptrdiff_t>(from));
    } else {
      ASSERT_EQ(device.read(block->first, static_cast<int64_t>(block->second.size())), block->second);
    }
  } else {
    const Bytes input = random_bytes(random, half);
    ASSERT_EQ(device.call(model, input), expected_output(input, ++shadow.calls));
  }
}

constexpr int64_t wanted_faults = 1'000'000;

TEST(AgentLink, NothingIsDoneTwiceOrWrongOnABadWire) {
  Spoiler spoiler(11);
  auto owned = std::make_unique<PretendedDevice>(std::ref(spoiler));
  Device device(std::move(owned), {std::chrono::milliseconds(50), std::chrono::hours(1)});
  const DeviceModel model =
      test::load_pretended(device, {counting_code, io_bytes, {{8, half}}, {{8 + half, half}, {0, 4}}});
  std::mt19937 random(5);
  Shadow shadow;
  while (spoiler.faults() < wanted_faults && !HasFatalFailure()) act(device, model, shadow, random);
  for (const auto& [address, content] : shadow.blocks)
    ASSERT_EQ(device.read(address, static_cast<int64_t>(content.size())), content);
  EXPECT_EQ(spoiler.kinds().size(), 8U);
  EXPECT_GT(device.statistics().repeated, wanted_faults / 10);
}

TEST(AgentLog, KeepsTheEndOfALongText) {
  std::vector<uint8_t> text(1000);
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<uint8_t>(i * 7);
  agent::Log log;
  log.add(text.data(), 10);
  log.add(text.data(), 1000);
  EXPECT_EQ(log.end(), 1010U);
  uint32_t position = log.begin();
  EXPECT_EQ(position, log.end() - agent::Log::size);
  while (position != log.end()) {
    uint32_t count = 0;
    const uint8_t* const bytes = log.from(position, count);
    for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(bytes[i], text[position + i - 10]);
    position += count;
  }
}

}  // namespace
}  // namespace mote
