// SPDX-License-Identifier: Apache-2.0
// The device's cryptography on emulated cores: published vectors, and a session with the host's end. Prints what
// it costs: instructions, stack, code.
#include <gtest/gtest.h>

#include <regex>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/map_file.hpp"
#include "emulate/process.hpp"
#include "support/crypto_vectors.hpp"
#include "support/keyed_device.hpp"
#include "target/find.hpp"

#ifndef MOTE_MONOCYPHER
#define MOTE_MONOCYPHER ""
#endif

namespace mote {
namespace {

namespace fs = std::filesystem;

class EmulatedCrypto : public test::KeyedDevice, public testing::WithParamInterface<const char*> {
 protected:
  std::string run(std::vector<std::string> command) {
    const ProcessResult result = run_process(command, std::chrono::seconds(300));
    require(result.exit_status == 0 && !result.timed_out, "{}: {}", command[0], result.errors + result.output);
    return result.output;
  }

  // Objects of all sources, and the program of them.
  void build() {
    const fs::path source = MOTE_SOURCE_DIR, machine = source / "firmware" / target_.architecture;
    std::vector<std::string> link{std::string(target_.linker)};
    for (const std::string& flag : split_words(target_.link_flags)) link.push_back(flag);
    for (const char* const part :
         {"-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--defsym=mote_stack_bytes=16384",
          "-Wl,--defsym=mote_second_stack_bytes=0"})
      link.push_back(part);
    link.push_back("-Wl,-Map=" + (folder_.path() / "firmware.map").string());
    link.push_back("-T" + (machine / "link.ld").string());
    for (const fs::path& file :
         {machine / "start.S", source / "tests/firmware/crypto_main.cpp", source / "agent/sha512.cpp",
          source / "agent/keyed/crypto.cpp", fs::path(MOTE_MONOCYPHER) / "monocypher.c"}) {
      std::vector<std::string> compile{std::string(target_.compiler)};
      for (const std::string& flag : split_words(target_.compile_flags)) compile.push_back(flag);
      for (const std::string& flag : split_words(target_.firmware_flags)) compile.push_back(flag);
      for (const char* const flag : {"-std=c++17", "-Os", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
                                     "-fno-threadsafe-statics", "-ffunction-sections", "-fdata-sections"})
        compile.push_back(flag);
      for (const fs::path& folder : {source, source / "agent", source / "firmware", machine, source / "tests",
                                     folder_.path(), fs::path(MOTE_MONOCYPHER)})
        compile.push_back("-I" + folder.string());
      const std::string object = (folder_.path() / (file.filename().string() + ".o")).string();
      compile.insert(compile.end(), {"-c", file.string(), "-o", object});
      run(compile);
      link.push_back(object);
    }
    link.insert(link.end(), {"-o", program()});
    run(link);
  }

  std::string program() const { return (folder_.path() / "firmware.elf").string(); }

  std::string emulate() {
    std::vector<std::string> command{std::string(target_.emulator)};
    for (const std::string& word : split_words(target_.emulator_arguments)) command.push_back(word);
    command.insert(command.end(), {"-icount", fmt::format("shift={}", target_.icount_shift), "-nographic",
                                   "-serial", "mon:stdio", "-kernel", program()});
    return run(command);
  }

  // Bytes of flash of everything in the linked program but the harness: libraries, too.
  int64_t code_bytes() const {
    int64_t bytes = 0;
    for (const MapSection& section : read_map_file(read_text(folder_.path() / "firmware.map"))) {
      const std::string file = fs::path(section.file).filename().string();
      const bool flash = section.output == ".text" || section.output == ".rodata";
      if (flash && file != "start.S.o" && file != "crypto_main.cpp.o") bytes += section.bytes;
    }
    return bytes;
  }

  // "NAME TICKS ticks, BYTES bytes of stack" as instructions.
  void print_costs(const std::string& output) const {
    const std::regex row("(.*) ([0-9]+) ticks, ([0-9]+) bytes of stack");
    for (std::sregex_iterator at(output.begin(), output.end(), row), end; at != end; ++at)
      fmt::print("{}: {}, {} instructions, {} bytes of stack\n", target_.name, (*at)[1].str(),
                 std::stoll((*at)[2]) * target_.counter_ns >> target_.icount_shift, (*at)[3].str());
  }

  const Target& target_ = find_target(GetParam());
  TemporaryDirectory folder_;
};

std::string array(const char* name, std::span<const uint8_t> bytes) {
  std::string text = fmt::format("const uint8_t {}[] = {{", name);
  for (const uint8_t byte : bytes) text += fmt::format("{},", byte);
  return text + "};\n";
}

TEST_P(EmulatedCrypto, AgreesWithVectorsAndHost) {
  require_program(target_.compiler, target_.compiler_packages);
  require_program(target_.emulator, target_.emulator_package);
  const uint32_t number = 0x12345678;
  std::vector<uint8_t> image(4096), random(32);
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(i * i >> 3);
  for (size_t i = 0; i < random.size(); ++i) random[i] = static_cast<uint8_t>(1 + 7 * i);  // of renew(1)
  const Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  write_file(folder_.path() / "prepared.hpp",
             "#include <stdint.h>\nnamespace prepared {\n" + array("random", random) +
                 array("challenge", challenge()) + array("owner", owner_.public_key()) +
                 array("firmware_id", firmware_id_) + array("host_key", answer.host_key) +
                 array("signature", answer.signature) + array("image", image) +
                 array("image_signature", sign_image(owner_, firmware_id_, image)) +
                 fmt::format("const uint16_t session = {};\nconst uint32_t number = {};\n}}\n", session_, number));
  build();
  const std::string output = emulate();
  size_t good = 0;
  for (size_t at = output.find("ok "); at != std::string::npos; at = output.find("ok ", at + 1)) ++good;
  EXPECT_EQ(good, std::size(vectors::sha512) + std::size(vectors::hmac) + 2 * std::size(vectors::ed25519) +
                      std::size(vectors::x25519) + 4)
      << output;
  EXPECT_EQ(output.find("WRONG"), std::string::npos) << output;
  std::string tag = "TAG ";
  for (const uint8_t byte : frame_tag(answer.secrets.to_host, number, std::span(image).first(20)))
    tag += fmt::format("{:02x}", byte);
  EXPECT_NE(output.find(tag), std::string::npos) << output;

  const int64_t code = code_bytes();
  EXPECT_GT(code, 8 << 10);
  EXPECT_LE(code, 18 << 10);  // with 6 KB of agent, 24 KB
  fmt::print("{}: cryptography, {} bytes of code\n", target_.name, code);
  print_costs(output);
}

INSTANTIATE_TEST_SUITE_P(Targets, EmulatedCrypto, testing::Values("rv32imac", "cortex-m4f"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace mote
