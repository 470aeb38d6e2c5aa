// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of device_fuzz into a folder: what the agent answers to the same questions.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "handmade_model.hpp"
#include "support/agent/pretended_device.hpp"
#include "use_device.hpp"

namespace {

using mote::Bytes;
using mote::fuzz::Handmade;
using mote::test::PretendedDevice;

// The answers as steps of device_fuzz.
class Recorder {
 public:
  void operator()(bool to_device, std::vector<uint8_t>& bytes) {
    for (const uint8_t byte : bytes) {
      if (to_device || !unstuffer_.add(byte)) continue;
      const uint32_t payload = unstuffer_.size() - wire::header_bytes - wire::crc_bytes;
      steps.insert(steps.end(), {1, frame_[1], static_cast<uint8_t>(payload), static_cast<uint8_t>(payload >> 8)});
      steps.insert(steps.end(), frame_ + wire::header_bytes, frame_ + wire::header_bytes + payload);
    }
  }
  std::vector<uint8_t> steps;

 private:
  uint8_t frame_[1 << 12];
  wire::Unstuffer unstuffer_{frame_, sizeof frame_};
};

Bytes as_bytes(const std::vector<uint8_t>& octets) {
  Bytes bytes(octets.size());
  std::memcpy(bytes.data(), octets.data(), octets.size());
  return bytes;
}

void load(mote::Device& device, const std::vector<uint8_t>& instructions) {
  Handmade model{device.allocate(wire::Kind::code, Handmade::code_bytes),
                 device.allocate(wire::Kind::data, Handmade::data_bytes),
                 device.allocate(wire::Kind::constants, Handmade::constants_bytes), instructions};
  model.instructions.resize(Handmade::code_bytes);
  device.write(model.code, as_bytes(model.instructions));
  device.write(model.constants, as_bytes(model.numbers));
  const uint32_t at = device.allocate(wire::Kind::constants, Handmade::record_bytes);
  device.write(at, as_bytes(record(model)));
  device.commit(device.load(at, Handmade::record_bytes));
}

std::vector<uint8_t> session(const std::vector<uint8_t>& instructions) {
  Recorder recorder;
  auto board = std::make_unique<PretendedDevice>([&](bool to_device, auto& bytes) { recorder(to_device, bytes); });
  mote::Device device(std::move(board));
  std::vector<uint8_t> greeting = std::exchange(recorder.steps, {});
  load(device, instructions);
  recorder.steps = std::move(greeting);
  try {
    mote::fuzz::use_device(device);
  } catch (const mote::Error&) {
  }
  recorder.steps.insert(recorder.steps.begin(), 0);  // no key
  return recorder.steps;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  const auto save = [&](const char* name, const std::vector<uint8_t>& bytes) {
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  save("reverses", session({3, 16, 2, 6, 16, 1}));
  save("faults", session({5, 2}));
  return 0;
}
