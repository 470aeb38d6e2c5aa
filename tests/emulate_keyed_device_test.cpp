// SPDX-License-Identifier: Apache-2.0
// An emulated board with an owner: the owner loads and calls, nobody else does anything.
#include <gtest/gtest.h>

#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "device/connect.hpp"
#include "device/loader.hpp"
#include "emulate/process.hpp"
#include "simulate/simulate.hpp"
#include "support/keyed_device.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

Compiled small_model(const std::string& target = "rv32imac") {
  test::NetWriter net(4, DType::i8);
  const int x = net.conv(net.image(8, 8, 3), 8, 3, 2);
  return compile_model(net.finish({net.conv(net.mean(x), 4, 1, 1)}), "net", {}, find_target(target).core);
}

// One of several that share a wire.
class Shared final : public Transport {
 public:
  explicit Shared(std::shared_ptr<Transport> wire) : wire_(std::move(wire)) {}
  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    return wire_->read(to, limit, timeout);
  }
  void write(ByteSpan bytes) override {
    written.insert(written.end(), bytes.begin(), bytes.end());
    wire_->write(bytes);
  }
  std::string name() const override { return "board"; }

  Bytes written;

 private:
  std::shared_ptr<Transport> wire_;
};

class EmulatedKeyedDevice : public test::KeyedDevice {
 protected:
  void SetUp() override {
    KeyedDevice::SetUp();
    if (!IsSkipped()) wire_ = connect("qemu:rv32imac", key_->public_key());
  }
  std::unique_ptr<Shared> end() { return std::make_unique<Shared>(wire_); }
  Device device() { return Device(end(), {}, key_); }

  // What goes wrong for somebody with this key.
  std::string refusal(const std::shared_ptr<const OwnerKey>& key) {
    try {
      Device device(end(), {}, key);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::shared_ptr<const OwnerKey> key_ = std::make_shared<const OwnerKey>(OwnerKey::make());
  std::shared_ptr<Transport> wire_;
};

void expect_hosts_bytes(Device& device, const DeviceModel& on_device, const Compiled& model) {
  std::mt19937 random(3);
  for (int i = 0; i < 3; ++i) {
    const std::vector<Bytes> inputs = random_case(model.graph, random, "device").inputs;
    EXPECT_EQ(device.call(on_device, inputs.at(0)), simulate(model.graph, model.plan, inputs).at(0));
  }
}

class EachCore : public EmulatedKeyedDevice, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    KeyedDevice::SetUp();
    if (!IsSkipped()) wire_ = connect(fmt::format("qemu:{}", GetParam()), key_->public_key());
  }
};

TEST_P(EachCore, ItsOwnerLoadsAndCalls) {
  const Compiled model = small_model(GetParam());
  Device first = device();
  EXPECT_TRUE(first.info().keyed);
  const LoadReport report =
      load_program(first, compile_for_device(model, find_target(GetParam()), Mode::balanced));
  expect_hosts_bytes(first, report.model, model);
  Device second = device();
  EXPECT_EQ(second.models().size(), 1U);
  expect_hosts_bytes(second, report.model, model);
}

INSTANTIATE_TEST_SUITE_P(Cores, EachCore, testing::Values("rv32imac", "cortex-m4f"));

// Of the sections of files whose path contains the text.
int64_t flash_bytes(const AgentFirmware& firmware, std::string_view in = "") {
  int64_t bytes = 0;
  for (const MapSection& section : firmware.sections)
    if ((section.output == ".text" || section.output == ".rodata") && section.file.find(in) != std::string::npos)
      bytes += section.bytes;
  return bytes;
}

// The agent, its cryptography and the board together.
TEST_F(EmulatedKeyedDevice, TheWholeFirmwareIsSmall) {
  const TemporaryDirectory with, without;
  const Target& target = find_target("rv32imac");
  const int64_t keyed = flash_bytes(build_agent(target, with.path(), key_->public_key()));
  const AgentFirmware firmware = build_agent(target, without.path());
  const int64_t open = flash_bytes(firmware);
  const int64_t agent = flash_bytes(firmware, "/agent/") - flash_bytes(firmware, "/agent/boards/") -
                        flash_bytes(firmware, "/agent/core/");
  fmt::print("rv32imac: {} bytes of code with a key, {} without, {} of them agent/*.cpp\n", keyed, open, agent);
  EXPECT_LE(keyed, 24 << 10);
  EXPECT_LE(agent, 6 << 10);
  EXPECT_GT(agent, 4 << 10);
  EXPECT_GT(keyed, open + (10 << 10));
}

// The same from the command line.
TEST_F(EmulatedKeyedDevice, CommandsTakeAKey) {
  const TemporaryDirectory folder;
  const std::string file = (folder.path() / "owner.pem").string();
  const auto mote = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {MOTE_PROGRAM, "device"});
    return run_process(arguments, std::chrono::seconds(120));
  };
  const ProcessResult made = mote({"key", "new", file});
  EXPECT_EQ(made.exit_status, 0) << made.errors;
  EXPECT_TRUE(made.output.starts_with("static const uint8_t owner_key[32] = {")) << made.output;
  EXPECT_EQ(mote({"key", "show", file}).output, made.output);
  EXPECT_EQ(mote({"key", "new", file}).exit_status, 1);
  EXPECT_EQ(mote({"key", "show", file}).output, made.output);
  const ProcessResult hello = mote({"hello", "-d", "qemu:rv32imac", "--key", file});
  EXPECT_EQ(hello.exit_status, 0) << hello.errors;
  EXPECT_NE(hello.output.find("only its owner's key may load and call"), std::string::npos) << hello.output;
}

TEST_F(EmulatedKeyedDevice, NobodyElseGetsIn) {
  EXPECT_NE(refusal(std::make_shared<const OwnerKey>(OwnerKey::make())).find("is it the key of its owner?"),
            std::string::npos);
  EXPECT_NE(refusal(nullptr).find("--key FILE"), std::string::npos);
  EXPECT_TRUE(device().models().empty());
}

TEST_F(EmulatedKeyedDevice, AStrangersHelloEndsNoSession) {
  const Compiled model = small_model();
  Device owner = device();
  const LoadReport report =
      load_program(owner, compile_for_device(model, find_target("rv32imac"), Mode::balanced));
  refusal(nullptr);
  refusal(std::make_shared<const OwnerKey>(OwnerKey::make()));
  expect_hosts_bytes(owner, report.model, model);
}

TEST_F(EmulatedKeyedDevice, RecordedFramesDoNothing) {
  const Compiled model = small_model();
  const Program program = compile_for_device(model, find_target("rv32imac"), Mode::balanced);
  auto tap = end();
  const Shared& recorder = *tap;
  Device first(std::move(tap), {}, key_);
  const uint16_t id = load_program(first, program).model.id;
  first.unload(id);
  const Bytes session = recorder.written;
  EXPECT_TRUE(first.models().empty());
  end()->write(session);
  EXPECT_TRUE(first.models().empty());  // in the session itself
  Device second = device();
  end()->write(session);
  EXPECT_TRUE(second.models().empty());  // and in a later one
  EXPECT_EQ(second.heap().at(0).blocks, 0U);
}

TEST_F(EmulatedKeyedDevice, AnImageThatTheOwnerHasNotSignedIsRefused) {
  Device owner = device();
  const Bytes code(64, std::byte{0x13});
  const uint32_t at = owner.allocate(wire::Kind::code, 64), data = owner.allocate(wire::Kind::data, 256);
  owner.write(at, code);
  owner.write(data, Bytes(256));
  Program program;
  program.name = "handmade";
  Image image;
  image.sections = {{wire::Kind::code, "", at, code, 64, content_hash(code)},
                    {wire::Kind::data, "", data, {}, 256, 0}};
  image.run = at;
  image.stack_begin = data;
  image.stack_end = data + 128;
  image.io = data + 192;  // 64 bytes of variables
  const Bytes record = record_of(program, image, 1);
  const uint32_t record_at = owner.allocate(wire::Kind::constants, static_cast<int64_t>(record.size()));
  owner.write(record_at, record);
  Bytes contents = record;
  contents.insert(contents.end(), code.begin(), code.end());
  contents.resize(contents.size() + 64);
  const auto load = [&](const Bytes& with) -> std::string {
    try {
      (void)owner.load(record_at, static_cast<int64_t>(record.size()), with);
    } catch (const Error& refusal) {
      return refusal.what();
    }
    return "";
  };
  for (const size_t changed : {size_t{0}, record.size(), contents.size() - 1}) {  // record, code, variables
    Bytes other = contents;
    other[changed] ^= std::byte{1};
    EXPECT_NE(load(other).find("does not accept the signature"), std::string::npos) << changed;
  }
  EXPECT_TRUE(owner.models().empty());
  EXPECT_EQ(load(contents), "");
  EXPECT_EQ(owner.models().size(), 1U);
}

}  // namespace
}  // namespace mote
