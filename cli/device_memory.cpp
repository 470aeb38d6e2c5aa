// SPDX-License-Identifier: Apache-2.0
// mote device read, write, allocate, release: the memory itself.
#include "base/files.hpp"
#include "common.hpp"
#include "device_session.hpp"

namespace mote::cli {

namespace {

struct MemoryFlags {
  std::string address, file, region;
  int64_t bytes = 0;
  bool code = false;
};

uint32_t parse_address(const std::string& text) {
  size_t used = 0;
  unsigned long long value = 0;
  try {
    value = std::stoull(text, &used, 0);
  } catch (const std::exception&) {
    used = 0;
  }
  require(used == text.size() && !text.empty() && value <= UINT32_MAX, "'{}' is no address; write 0x82000000",
          text);
  return static_cast<uint32_t>(value);
}

void print_dump(uint32_t address, ByteSpan bytes) {
  for (size_t at = 0; at < bytes.size(); at += 16) {
    std::string numbers, letters;
    for (size_t i = at; i < std::min(bytes.size(), at + 16); ++i) {
      const int value = std::to_integer<int>(bytes[i]);
      numbers += fmt::format(" {:02x}", value);
      letters += value >= ' ' && value <= '~' ? static_cast<char>(value) : '.';
    }
    fmt::print("{:#010x} {:48}  {}\n", address + static_cast<uint32_t>(at), numbers, letters);
  }
}

void read(DeviceSession& session, const MemoryFlags& flags) {
  const uint32_t address = parse_address(flags.address);
  const Bytes bytes = session.device().read(address, flags.bytes);
  if (!flags.file.empty()) replace_file(flags.file, bytes);
  auto values = nlohmann::ordered_json::array();
  for (const std::byte byte : bytes) values.push_back(std::to_integer<int>(byte));
  session.show({{"address", address}, {"bytes", values}}, [&] {
    if (flags.file.empty()) print_dump(address, bytes);
  });
}

void write(DeviceSession& session, const MemoryFlags& flags) {
  const uint32_t address = parse_address(flags.address);
  const Bytes bytes = read_file(flags.file);
  TransferProgress transfer(flags.file);
  session.device().write(address, bytes,
                         [&](int64_t done) { transfer.show(done, static_cast<int64_t>(bytes.size())); });
  transfer.clear();
  session.show({{"address", address}, {"bytes", bytes.size()}}, [&] {
    fmt::print("{} B are at {:#010x}\n", thousands(static_cast<int64_t>(bytes.size())), address);
  });
}

void allocate(DeviceSession& session, const MemoryFlags& flags) {
  const wire::Kind kind = flags.code ? wire::Kind::code : wire::Kind::data;
  const uint32_t address = session.device().allocate(kind, flags.bytes, 64, flags.region);
  session.show({{"address", address}, {"bytes", flags.bytes}},
               [&] { fmt::print("{:#010x}: {} B\n", address, thousands(flags.bytes)); });
}

void release(DeviceSession& session, const MemoryFlags& flags) {
  const uint32_t address = parse_address(flags.address);
  session.device().release(address);
  session.show({{"released", address}}, [&] { fmt::print("{:#010x} is free\n", address); });
}

}  // namespace

void add_device_memory(CLI::App& parent, const SessionPointer& session) {
  const auto add = [&](const char* name, const char* what, void (*own)(DeviceSession&, const MemoryFlags&)) {
    const auto flags = std::make_shared<MemoryFlags>();
    CLI::App* const command = parent.add_subcommand(name, what);
    session->add_flags(*command);
    command->callback([session, flags, own] { own(*session, *flags); });
    return std::pair(command, flags);
  };
  const auto address = [](CLI::App* command, const std::shared_ptr<MemoryFlags>& flags) {
    command->add_option("address", flags->address, "0x82000000")->required();
  };
  const auto [read_command, read_flags] = add("read", "show memory of models, or of this session", read);
  address(read_command, read_flags);
  read_command->add_option("bytes", read_flags->bytes, "how many")->required()->check(positive());
  read_command->add_option("-o,--output", read_flags->file, "write them to this file instead");

  const auto [write_command, write_flags] =
      add("write", "write memory of this session (`allocate` it before, in `mote device shell`)", write);
  address(write_command, write_flags);
  write_command->add_option("file", write_flags->file, "what to write")->required();
  if (!session->in_shell()) return;  // a block lives as long as its session

  const auto [allocate_command, allocate_flags] = add("allocate", "a block for this session", allocate);
  allocate_command->add_option("bytes", allocate_flags->bytes, "how many")->required()->check(positive());
  allocate_command->add_option("--region", allocate_flags->region,
                               "in this memory; default: the first that has room");
  allocate_command->add_flag("--code", allocate_flags->code, "for instructions");
  const auto [release_command, release_flags] = add("release", "give a block of this session back", release);
  address(release_command, release_flags);
}

}  // namespace mote::cli
