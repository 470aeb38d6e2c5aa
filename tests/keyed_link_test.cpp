// SPDX-License-Identifier: Apache-2.0
// A keyed device on a wire that others can write on, too: only what its owner says is done, and once.
#include <random>

#include "device/device.hpp"
#include "device/program.hpp"
#include "support/agent/pretended_core.hpp"
#include "support/agent/pretended_device.hpp"
#include "support/agent/pretended_program.hpp"
#include "support/keyed_device.hpp"

namespace mote {
namespace {

using test::Instruction;
using test::PretendedDevice;
using Frame = std::vector<uint8_t>;  // unstuffed, without its CRC

Frame unstuffed(std::span<const uint8_t> bytes) {
  Frame frame(bytes.size());
  wire::Unstuffer unstuffer(frame.data(), static_cast<uint32_t>(frame.size()));
  for (const uint8_t byte : bytes) unstuffer.add(byte);
  frame.resize(std::max(unstuffer.size(), wire::crc_bytes) - wire::crc_bytes);
  return frame;
}

// With a CRC that is right.
Frame stuffed(Frame frame) {
  wire::Crc32 crc;
  crc.add(frame.data(), frame.size());
  frame.resize(frame.size() + wire::crc_bytes);
  wire::put32(&frame[frame.size() - wire::crc_bytes], crc.value());
  Frame bytes;
  const auto sink = [&](const uint8_t* from, size_t count) { bytes.insert(bytes.end(), from, from + count); };
  wire::Stuffer<decltype(sink)> stuffer(sink);
  stuffer.add(frame.data(), frame.size());
  stuffer.end();
  return bytes;
}

// Who sits on the wire: sees every frame, and says what goes on in its place.
using Stranger = std::function<std::vector<Frame>(bool to_device, const Frame& frame)>;

class KeyedLink : public test::KeyedDevice {
 protected:
  void SetUp() override {
    KeyedDevice::SetUp();
    key_ = std::make_shared<const OwnerKey>(OwnerKey::make());
    public_key_ = key_->public_key();
  }

  Device connect() {
    auto owned =
        std::make_unique<PretendedDevice>([this](bool out, auto& bytes) { pass(out, bytes); }, public_key_.data());
    device_ = owned.get();
    return Device(std::move(owned), {std::chrono::milliseconds(50), std::chrono::seconds(60)}, key_);
  }

  // The frames of one direction through the stranger's hands.
  void pass(bool to_device, std::vector<uint8_t>& bytes) {
    Frame result;
    for (auto begin = bytes.begin(); begin != bytes.end();) {
      const auto end = std::find(begin, bytes.end(), 0);
      const auto behind = end == bytes.end() ? end : end + 1;
      const Frame frame = unstuffed({begin, behind});
      if (frame.empty() || !stranger_) {
        result.insert(result.end(), begin, behind);
      } else {
        for (const Frame& one : stranger_(to_device, frame)) {
          const Frame again = stuffed(one);
          result.insert(result.end(), again.begin(), again.end());
        }
      }
      begin = behind;
    }
    bytes = result;
  }

  std::shared_ptr<const OwnerKey> key_;
  Key public_key_{};
  PretendedDevice* device_ = nullptr;
  Stranger stranger_;
};

// A model that counts its calls, or one that never ends.
DeviceModel load(Device& device, Instruction instruction) {
  const Bytes code{static_cast<std::byte>(instruction), static_cast<std::byte>(Instruction::back), std::byte{0}};
  return test::load_pretended(device, {code, 24, {{8, 8}}, {{0, 4}}});
}

uint32_t calls(const Bytes& output) { return to_values<uint32_t>(output).at(0); }

TEST_F(KeyedLink, TheOwnerCalls) {
  Device device = connect();
  const DeviceModel model = load(device, Instruction::count);
  for (uint32_t i = 1; i < 20; ++i) EXPECT_EQ(calls(device.call(model, Bytes(8))), i);
}

// Before each frame goes a copy with one bit changed and a CRC that fits.
TEST_F(KeyedLink, ChangedFramesAreDropped) {
  std::mt19937 random(1);
  stranger_ = [&](bool, const Frame& frame) {
    Frame changed = frame;
    const uint8_t command = frame[0] & 0x7F;
    const bool opens = command == 1 || command == 16;
    if (!opens) changed[random() % changed.size()] ^= static_cast<uint8_t>(1 << random() % 8);
    return std::vector<Frame>{changed, frame};
  };
  Device device = connect();
  const DeviceModel model = load(device, Instruction::count);
  const uint32_t block = device.allocate(wire::Kind::data, 400);
  for (uint32_t i = 1; i < 300; ++i) {
    Bytes bytes(400);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    device.write(block, bytes);
    EXPECT_EQ(device.read(block, 400), bytes);
    EXPECT_EQ(calls(device.call(model, Bytes(8))), i);
  }
  EXPECT_GT(device.statistics().dropped, 300);
}

TEST_F(KeyedLink, RepeatedFramesAreDoneOnce) {
  std::mt19937 random(2);
  std::vector<Frame> seen[2];
  stranger_ = [&](bool to_device, const Frame& frame) {
    seen[to_device].push_back(frame);
    std::vector<Frame> all{frame};
    for (int i = 0; i < 6; ++i) all.push_back(seen[to_device][random() % seen[to_device].size()]);
    all.push_back(seen[1 - to_device].empty() ? frame : seen[1 - to_device].back());  // and the other way
    return all;
  };
  Device device = connect();
  const DeviceModel model = load(device, Instruction::count);
  for (uint32_t i = 1; i < 100; ++i) EXPECT_EQ(calls(device.call(model, Bytes(8))), i);
  EXPECT_EQ(device.heap().at(0).blocks, 3U);
}

// Sequence numbers come again after 65,536 requests; the numbers in the tags do not.
TEST_F(KeyedLink, AFrameOfTheRoundBeforeIsDropped) {
  std::vector<Frame> first_round;
  bool recording = true, playing = false;
  stranger_ = [&](bool to_device, const Frame& frame) {
    if (to_device && recording && frame[0] == static_cast<uint8_t>(wire::Command::write))
      first_round.push_back(frame);
    std::vector<Frame> all;
    if (to_device && playing) all = first_round;  // among them the number that comes next
    all.push_back(frame);
    return all;
  };
  Device device = connect();
  const uint32_t block = device.allocate(wire::Kind::data, 64);
  for (uint8_t i = 0; i < 20; ++i) device.write(block, Bytes(64, std::byte{1}));
  recording = false;
  ASSERT_EQ(first_round.size(), 20U);
  device.write(block, Bytes(64, std::byte{2}));
  for (int i = 22; i < 65536; ++i) static_cast<void>(device.profile());
  playing = true;
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(device.profile());
    EXPECT_EQ(device.read(block, 64), Bytes(64, std::byte{2}));
  }
}

// Frames of the owner's own session without a tag or with an invented one, hellos, and answers with another key.
TEST_F(KeyedLink, AStrangerDoesNothing) {
  const OwnerKey other = OwnerKey::make();
  std::mt19937 random(3);
  bool busy = false;
  stranger_ = [&](bool to_device, const Frame& frame) {
    std::vector<Frame> all{frame};
    if (!to_device || !busy) return all;
    for (const wire::Command command : {wire::Command::reset, wire::Command::cancel, wire::Command::unload,
                                        wire::Command::hello, wire::Command::heap, wire::Command::authenticate}) {
      Frame invented(frame.begin(), frame.begin() + wire::header_bytes);
      invented[0] = static_cast<uint8_t>(command);
      wire::put16(&invented[4], wire::get16(&invented[4]) + random() % 4);
      Bytes payload(12);
      if (command == wire::Command::hello) payload = to_bytes(std::vector<uint32_t>{wire::hello_magic, 1});
      if (command == wire::Command::authenticate) {
        const Authentication answer = authenticate(other, Key{9}, firmware_id_, wire::get16(&frame[2]));
        payload = to_bytes(std::span<const uint8_t>(answer.host_key));
        const Bytes signature = to_bytes(std::span<const uint8_t>(answer.signature));
        payload.insert(payload.end(), signature.begin(), signature.end());
      }
      for (const std::byte byte : payload) invented.push_back(std::to_integer<uint8_t>(byte));
      all.push_back(invented);
      wire::put16(&invented[2], static_cast<uint32_t>(random()));  // and as if in a session of its own
      all.push_back(invented);
    }
    return all;
  };
  Device device = connect();
  const DeviceModel model = load(device, Instruction::count);
  busy = true;
  for (uint32_t i = 1; i < 50; ++i) EXPECT_EQ(calls(device.call(model, Bytes(8))), i);
  const DeviceModel endless = load(device, Instruction::spin);
  CallOptions options;
  options.deadline = std::chrono::milliseconds(400);
  try {
    (void)device.call(endless, Bytes(8), options);
    ADD_FAILURE() << "it never ends";
  } catch (const CallError& error) {
    EXPECT_EQ(error.status, wire::Status::deadline) << error.what();  // nobody has cancelled it before
  }
}

TEST_F(KeyedLink, TheOwnerCancels) {
  Device device = connect();
  const DeviceModel endless = load(device, Instruction::spin);
  CallOptions options;
  options.deadline = std::chrono::hours(1);
  options.waiting = [&](const wire::ActivityOf&) { device.cancel(); };
  try {
    (void)device.call(endless, Bytes(8), options);
    ADD_FAILURE() << "it never ends";
  } catch (const CallError& error) {
    EXPECT_EQ(error.status, wire::Status::cancelled);
  }
}

// Of the owner's own, recorded in the same session.
TEST_F(KeyedLink, AnEarlierCancelCancelsNothing) {
  std::vector<Frame> cancels;
  bool playing = false;
  stranger_ = [&](bool to_device, const Frame& frame) {
    std::vector<Frame> all{frame};
    if (to_device && frame[0] == static_cast<uint8_t>(wire::Command::cancel)) cancels.push_back(frame);
    if (to_device && playing) all.insert(all.end(), cancels.begin(), cancels.end());
    return all;
  };
  Device device = connect();
  const DeviceModel endless = load(device, Instruction::spin);
  for (const wire::Status expected : {wire::Status::cancelled, wire::Status::deadline}) {
    CallOptions options;
    options.deadline = std::chrono::milliseconds(500);
    if (!playing) options.waiting = [&](const wire::ActivityOf&) { device.cancel(); };
    try {
      (void)device.call(endless, Bytes(8), options);
      ADD_FAILURE() << "it never ends";
    } catch (const CallError& error) {
      EXPECT_EQ(error.status, expected) << error.what();
    }
    playing = true;
  }
  EXPECT_FALSE(cancels.empty());
}

TEST_F(KeyedLink, LostFramesAreSaidAgain) {
  std::mt19937 random(4);
  stranger_ = [&](bool, const Frame& frame) {
    return random() % 3 == 0 ? std::vector<Frame>() : std::vector<Frame>{frame};
  };
  for (int session = 0; session < 20; ++session) {
    Device device = connect();
    const DeviceModel model = load(device, Instruction::count);
    for (uint32_t i = 1; i < 10; ++i) EXPECT_EQ(calls(device.call(model, Bytes(8))), i);
    uint32_t position = 0;
    EXPECT_EQ(device.log(position), "");
  }
}

TEST_F(KeyedLink, ADeviceThatHasStartedAnewSaysSo) {
  Device first = connect();
  PretendedDevice* const board = device_;
  const DeviceModel endless = load(first, Instruction::spin);
  CallOptions options;
  options.deadline = std::chrono::hours(1);
  options.waiting = [&](const wire::ActivityOf&) { board->agent = std::make_unique<agent::Agent>(board->board); };
  try {
    (void)first.call(endless, Bytes(8), options);
    ADD_FAILURE() << "the device has forgotten it";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the session is over"), std::string::npos) << error.what();
  }
}

// One of several on the same wire.
class Shared final : public Transport {
 public:
  explicit Shared(std::shared_ptr<Transport> wire) : wire_(std::move(wire)) {}
  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    return wire_->read(to, limit, timeout);
  }
  void write(ByteSpan bytes) override { wire_->write(bytes); }
  std::string name() const override { return wire_->name(); }
  std::chrono::steady_clock::time_point now() const override { return wire_->now(); }

 private:
  std::shared_ptr<Transport> wire_;
};

TEST_F(KeyedLink, TheOwnersNextSessionEndsACall) {
  const auto wire = std::make_shared<PretendedDevice>(PretendedDevice::Spoil(), public_key_.data());
  Device first(std::make_unique<Shared>(wire), {}, key_);
  const DeviceModel endless = load(first, Instruction::spin);
  struct Gone {};
  CallOptions options;
  options.deadline = std::chrono::hours(1);
  options.waiting = [&](const wire::ActivityOf&) {
    Device second(std::make_unique<Shared>(wire), {}, key_);
    const DeviceModel model = load(second, Instruction::count);
    EXPECT_EQ(calls(second.call(model, Bytes(8))), 1U);
    throw Gone();
  };
  EXPECT_THROW((void)first.call(endless, Bytes(8), options), Gone);
}

// What a device says that is busy.
class Silent final : public Transport {
 public:
  size_t read(std::byte*, size_t, std::chrono::milliseconds timeout) override {
    now_ += std::max(timeout, std::chrono::milliseconds(1));
    return 0;
  }
  void write(ByteSpan) override {}
  std::string name() const override { return "silent"; }
  std::chrono::steady_clock::time_point now() const override { return now_; }

 private:
  std::chrono::steady_clock::time_point now_{};
};

TEST(LinkPatience, WorkIsWaitedFor) {
  auto owned = std::make_unique<Silent>();
  const Silent& silent = *owned;
  Link link(std::move(owned), {std::chrono::milliseconds(50), std::chrono::seconds(1)});
  EXPECT_THROW((void)link.ask(wire::Command::load, {}, {}, std::chrono::seconds(100)), Error);
  EXPECT_GE(silent.now().time_since_epoch(), std::chrono::seconds(101));
  EXPECT_THROW((void)link.ask(wire::Command::load, {}), Error);
  EXPECT_LE(silent.now().time_since_epoch(), std::chrono::seconds(110));
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(KeyedLink, WithoutASignatureNothingIsLoaded) {
  Link link(std::make_unique<PretendedDevice>(PretendedDevice::Spoil(), public_key_.data()));
  const DeviceAnswer greeting = link.hello();
  Key challenge;
  FirmwareId firmware_id{};
  std::memcpy(challenge.data(), greeting.payload.data() + greeting.payload.size() - 32, 32);
  EXPECT_EQ(link.ask(wire::Command::heap, {}).status, wire::Status::no_session);
  ASSERT_EQ(link.authenticate(authenticate(*key_, challenge, firmware_id, link.session())).status,
            wire::Status::ok);
  const auto allocate = [&](wire::Kind kind, uint32_t bytes) {
    const wire::Allocate asked{255, kind, 0, bytes, 64};
    const DeviceAnswer answer = link.ask(wire::Command::allocate, to_bytes(std::span(&asked, 1)));
    return to_values<uint32_t>(answer.payload).at(0);
  };
  Program program;
  program.name = "pretended";
  Image image;
  const Bytes code(64, std::byte{1});
  image.sections = {{wire::Kind::code, "", allocate(wire::Kind::code, 64), code, 64, content_hash(code)},
                    {wire::Kind::data, "", allocate(wire::Kind::data, 64), {}, 64, 0}};
  image.run = image.sections[0].address;
  image.stack_begin = image.sections[1].address;
  image.io = image.stack_end = image.stack_begin + 64;
  const Bytes record = record_of(program, image, 1);
  const uint32_t at = allocate(wire::Kind::constants, static_cast<uint32_t>(record.size()));
  const auto write = [&](uint32_t address, const Bytes& bytes) {
    Bytes payload = to_bytes(std::vector<uint32_t>{address});
    payload.insert(payload.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(link.ask(wire::Command::write, payload).status, wire::Status::ok);
  };
  write(image.sections[0].address, code);
  write(at, record);
  const wire::Range range{at, static_cast<uint32_t>(record.size())};
  Bytes asked = to_bytes(std::span(&range, 1)), contents = record;
  contents.insert(contents.end(), code.begin(), code.end());
  EXPECT_EQ(link.ask(wire::Command::load, asked).status, wire::Status::bad_signature);
  const std::span<const uint8_t> signed_bytes(reinterpret_cast<const uint8_t*>(contents.data()), contents.size());
  Signature signature = sign_image(*key_, firmware_id, signed_bytes);
  asked.resize(asked.size() + signature.size());
  const auto ask = [&] {
    std::memcpy(asked.data() + sizeof range, signature.data(), signature.size());
    return link.ask(wire::Command::load, asked).status;
  };
  test::each_flipped_bit(signature, [&](size_t bit) { EXPECT_EQ(ask(), wire::Status::bad_signature) << bit; });
  EXPECT_EQ(ask(), wire::Status::ok);
}

TEST_F(KeyedLink, WhoIsWhoIsSaid) {
  const auto wrong = std::make_shared<const OwnerKey>(OwnerKey::make());
  const auto open = [&](const std::shared_ptr<const OwnerKey>& with, const uint8_t* owner) {
    return refusal(
        [&] { Device device(std::make_unique<PretendedDevice>(PretendedDevice::Spoil(), owner), {}, with); });
  };
  EXPECT_EQ(open(key_, public_key_.data()), "");
  EXPECT_NE(open(wrong, public_key_.data()).find("is it the key of its owner?"), std::string::npos);
  EXPECT_NE(open(nullptr, public_key_.data()).find("--key FILE"), std::string::npos);
  EXPECT_NE(open(key_, nullptr).find("this device has no owner"), std::string::npos);
  EXPECT_EQ(open(nullptr, nullptr), "");
}

}  // namespace
}  // namespace mote
