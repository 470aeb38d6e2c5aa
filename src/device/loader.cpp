// SPDX-License-Identifier: Apache-2.0
#include "device/loader.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "device/elf.hpp"

namespace mote {

namespace {

// Blocks that go back unless the load succeeds.
class Blocks {
 public:
  explicit Blocks(Device& device) : device_(device) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() {
    for (const uint32_t address : addresses_) {
      try {
        device_.release(address);
      } catch (const Error&) {  // the device is gone, and the session's blocks with it
        return;
      }
    }
  }
  uint32_t allocate(wire::Kind kind, int64_t bytes, uint32_t alignment = 64) {
    addresses_.push_back(device_.allocate(kind, std::max<int64_t>(bytes, 4), alignment));
    return addresses_.back();
  }
  void keep() { addresses_.clear(); }

 private:
  Device& device_;
  std::vector<uint32_t> addresses_;
};

std::vector<uint32_t> find_constants(Device& device, const Layout& layout) {
  std::vector<uint64_t> hashes;
  for (const Layout::Constants& constants : layout.constants) hashes.push_back(constants.hash);
  std::vector<uint32_t> found = device.find(hashes);
  for (size_t i = 0; i < found.size(); ++i)
    if (hashes[i] == 0) found[i] = 0;
  return found;
}

// The models that could go, for a device that has too little memory.
std::string way_out(Device& device) {
  std::string text;
  for (const DeviceModel& model : device.models())
    text += fmt::format("{}{} ({} B)", text.empty() ? "" : ", ", model.name, model.bytes);
  return text.empty() ? "" : "\nmodels that could be unloaded: " + text;
}

void send(Device& device, const Image& image, const std::vector<uint32_t>& kept, LoadReport& report,
          const LoadOptions& options) {
  std::vector<const ImageSection*> sections;
  int64_t total = 0;
  for (const ImageSection& section : image.sections) {
    report.image_bytes += section.bytes;
    if (std::ranges::count(kept, section.address) != 0) {
      report.kept_bytes += section.bytes;
      continue;
    }
    sections.push_back(&section);
    total += static_cast<int64_t>(section.content.size());
  }
  for (const ImageSection* const section : sections) {
    const uint32_t at = section->kind == wire::Kind::data ? image.stack_end : section->address;
    device.write(at, section->content, [&](int64_t done) {
      if (options.progress) options.progress(report.sent_bytes + done, total);
    });
    report.sent_bytes += static_cast<int64_t>(section->content.size());
  }
}

DeviceModel loaded(Device& device, uint16_t id) {
  for (DeviceModel& model : device.models())
    if (model.id == id) return std::move(model);
  fail("{} is gone from the device", id);
}

// Addresses of one build mean nothing in another.
void check_firmware(const Program& program, const DeviceInfo& info) {
  if (program.firmware.empty()) return;
  const std::string file = program.firmware.string();
  const std::string built = build_id(read_elf(read_file(program.firmware), file));
  require(!built.empty(), "{}: has no build id; link the firmware with -Wl,--build-id=sha1", file);
  require(built == info.firmware_id,
          "{}: is build {}, on the device runs {}; give the ELF file of the firmware that was flashed", file,
          built, info.firmware_id.empty() ? "one without a build id" : info.firmware_id);
}

}  // namespace

LoadReport load_program(Device& device, const Program& program, const LoadOptions& options) {
  const DeviceInfo& info = device.info();
  require(info.target == program.target->name,
          "the device is a {} ({}), the program was compiled for {}; give --target {}", info.target, info.board,
          program.target->name, info.target);
  check_firmware(program, info);
  LoadReport report;
  const uint64_t source = source_of(program);
  if (const std::optional<DeviceModel> there = device.model(program.name);
      there && there->source == source && !options.again) {
    report.model = *there;
    report.already_there = true;
    return report;
  }
  const Layout layout = layout_of(program);
  Blocks blocks(device);
  Addresses addresses;
  addresses.constants = find_constants(device, layout);
  std::vector<uint32_t> kept;
  for (const uint32_t address : addresses.constants)
    if (address != 0) kept.push_back(address);
  Bytes record;
  uint32_t record_at = 0;
  try {
    addresses.code = blocks.allocate(wire::Kind::code, layout.code_bytes);
    addresses.data = blocks.allocate(wire::Kind::data, layout.data_bytes);
    for (size_t i = 0; i < addresses.constants.size(); ++i)
      if (addresses.constants[i] == 0)
        addresses.constants[i] = blocks.allocate(wire::Kind::constants, layout.constants[i].bytes);
    report.image = link_program(program, layout, addresses);
    record = record_of(program, report.image, source);
    record_at = blocks.allocate(wire::Kind::constants, static_cast<int64_t>(record.size()));
  } catch (const Error& problem) {
    throw Error(fmt::format("{}: {}{}", program.name, problem.what(), way_out(device)));
  }
  send(device, report.image, kept, report, options);
  device.write(record_at, record);
  Bytes contents = record;
  for (const ImageSection& section : report.image.sections)
    contents.insert(contents.end(), section.content.begin(), section.content.end());
  const uint16_t id = device.load(record_at, static_cast<int64_t>(record.size()), contents);
  blocks.keep();
  try {
    report.model = loaded(device, id);
    if (report.image.start != 0) {
      CallOptions start;
      start.entry = wire::Entry::start;
      (void)device.call(report.model, {}, start);
    }
    if (options.check) options.check(device, report.model);
    device.commit(id);
    report.model.serving = true;
  } catch (const Error&) {
    try {
      device.unload(id);
    } catch (const Error&) {  // it goes with the session
    }
    throw;
  }
  return report;
}

}  // namespace mote
