// SPDX-License-Identifier: Apache-2.0
// Models are loaded into an emulated board that is running, called, replaced and unloaded.
#include <gtest/gtest.h>

#include "device/connect.hpp"
#include "device/loader.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

// A small image classifier; the number of classes changes the last layer only.
Compiled classifier(const std::string& target, int classes) {
  test::NetWriter net(4, DType::i8);
  const int x = net.conv(net.depthwise(net.conv(net.image(16, 16, 3), 16, 3, 2), 3, 1), 32, 1, 1);
  return compile_model(net.finish({net.conv(net.mean(x), classes, 1, 1)}), "net", {}, find_target(target).core);
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

class EmulatedDevice : public testing::TestWithParam<std::string> {
 protected:
  // Patient: the machine that runs the tests may have much else to do.
  EmulatedDevice()
      : device_(connect("qemu:" + GetParam()), {std::chrono::seconds(10), std::chrono::seconds(60)}) {}

  Program program(const Compiled& model) const {
    return compile_for_device(model, find_target(GetParam()), Mode::balanced);
  }
  void expect_hosts_bytes(const DeviceModel& on_device, const Compiled& model, int cases) {
    std::mt19937 random(3);
    for (int i = 0; i < cases; ++i) {
      const std::vector<Bytes> inputs = random_case(model.graph, random, "device").inputs;
      EXPECT_EQ(device_.call(on_device, joined(inputs)), joined(simulate(model.graph, model.plan, inputs)));
    }
  }

  Device device_;
};

TEST_P(EmulatedDevice, ComputesWhatTheHostComputes) {
  EXPECT_EQ(device_.info().target, GetParam());
  EXPECT_TRUE(device_.info().protects);
  EXPECT_EQ(device_.info().firmware_id.size(), 40U);
  const Compiled model = classifier(GetParam(), 10);
  const LoadReport report = load_program(device_, program(model));
  EXPECT_FALSE(report.already_there);
  expect_hosts_bytes(report.model, model, 5);
  const std::vector<DeviceModel> models = device_.models();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].name, "net");
  EXPECT_TRUE(models[0].serving);
  EXPECT_EQ(models[0].calls, 5U);
  EXPECT_EQ(models[0].faults, 0U);
  EXPECT_EQ(models[0].input_bytes, 16U * 16 * 3);
  EXPECT_TRUE(load_program(device_, program(model)).already_there);
  device_.unload(models[0].id);
  EXPECT_TRUE(device_.models().empty());
  const DeviceRegion region = device_.heap()[0];
  EXPECT_EQ(region.free, region.bytes);
  EXPECT_GT(region.high_water, 0U);
}

TEST_P(EmulatedDevice, ACallCostsAtMost64BytesBesidesInputAndOutput) {
  const Compiled model = classifier(GetParam(), 10);
  const LoadReport report = load_program(device_, program(model));
  const LinkStatistics before = device_.statistics();
  expect_hosts_bytes(report.model, model, 1);
  const LinkStatistics& after = device_.statistics();
  const int64_t wire_bytes = after.bytes_out - before.bytes_out + after.bytes_in - before.bytes_in;
  EXPECT_LE(wire_bytes - report.model.input_bytes - report.model.output_bytes, 64);
}

TEST_P(EmulatedDevice, WeightsThatAreThereAreNotSentAgain) {
  const Compiled first = classifier(GetParam(), 10), second = classifier(GetParam(), 12);
  const LoadReport before = load_program(device_, program(first));
  const LoadReport after = load_program(device_, program(second));
  EXPECT_EQ(before.kept_bytes, 0);
  EXPECT_GT(after.kept_bytes, 512);  // the pointwise layer's weights alone are 16 x 32
  EXPECT_LT(after.sent_bytes + after.kept_bytes / 2, before.sent_bytes + 200);
  expect_hosts_bytes(after.model, second, 2);
  ASSERT_EQ(device_.models().size(), 1U);  // the new one has taken the old one's place
  EXPECT_EQ(device_.models()[0].output_bytes, 12U);
}

TEST_P(EmulatedDevice, TheOldModelServesUntilTheNewOneIsChecked) {
  const Compiled first = classifier(GetParam(), 10);
  const LoadReport before = load_program(device_, program(first));
  const uint32_t free = device_.heap()[0].free;
  LoadOptions options;
  options.check = [&](Device& device, const DeviceModel& candidate) {
    EXPECT_FALSE(candidate.serving);
    EXPECT_EQ(device.models().size(), 2U);
    expect_hosts_bytes(before.model, first, 1);
    fail("it is no good");
  };
  EXPECT_THROW((void)load_program(device_, program(classifier(GetParam(), 12)), options), Error);
  ASSERT_EQ(device_.models().size(), 1U);
  EXPECT_EQ(device_.heap()[0].free, free);
  expect_hosts_bytes(before.model, first, 1);
}

TEST_P(EmulatedDevice, SaysHowMuchMemoryIsMissing) {
  const LoadReport report = load_program(device_, program(classifier(GetParam(), 10)));
  Program large = program(classifier(GetParam(), 12));
  large.io_bytes += 64 << 20;
  try {
    (void)load_program(device_, large);
    FAIL() << "it has loaded 64 MB";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("B are missing"), std::string::npos) << text;
    EXPECT_NE(text.find("models that could be unloaded: net ("), std::string::npos) << text;
  }
  expect_hosts_bytes(report.model, classifier(GetParam(), 10), 1);
}

TEST_P(EmulatedDevice, ProfilesTheLastCall) {
  const Compiled model = classifier(GetParam(), 10);
  const Program compiled = program(model);
  const LoadReport report = load_program(device_, compiled);
  CallOptions options;
  options.paint_stack = true;
  (void)device_.call(report.model, Bytes(report.model.input_bytes), options);
  const CallProfile profile = device_.profile();
  const Measurement alone =
      measure(model, find_target(GetParam()), Mode::balanced, {{Bytes(report.model.input_bytes)}}, false);
  // Entering and leaving costs some instructions, on Cortex-M's slower clock for many slices.
  const bool cortex_m = find_target(GetParam()).architecture == "cortex-m";
  const auto instructions = static_cast<uint64_t>(alone.instructions[0]);
  EXPECT_GE(profile.instructions, instructions);
  EXPECT_LE(profile.instructions, instructions + 2000 + (cortex_m ? instructions / 20 : 0));
  EXPECT_GT(profile.stack_bytes, 0U);
  // On Cortex-M, what interrupts the code leaves a frame there.
  EXPECT_LE(profile.stack_bytes, alone.sizes->stack_bound_bytes + (cortex_m ? 128 : 0));
}

INSTANTIATE_TEST_SUITE_P(Targets, EmulatedDevice,
                         testing::Values("rv32imac", "rv32imafc", "cortex-m4f", "cortex-m33"));

TEST(Connect, SaysWhatAnAddressLooksLike) {
  EXPECT_THROW((void)connect("COM3"), Error);
  EXPECT_THROW((void)connect("tcp://nobody"), Error);
  EXPECT_THROW((void)connect("tcp://127.0.0.1:1"), Error);
}

}  // namespace
}  // namespace mote
