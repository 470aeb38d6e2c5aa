// SPDX-License-Identifier: Apache-2.0
// The agent's packages: CMake's is built and serves, Arduino's serves on a stand-in for a core with vectors of its
// own, ESP-IDF's is compiled.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "device/agent_package.hpp"
#include "device/loader.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"
#include "simulate/simulate.hpp"
#include "support/models.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

const fs::path stand_ins = fs::path(MOTE_SOURCE_DIR) / "tests/agent";

class AgentPackage : public testing::Test {
 protected:
  fs::path write(const std::string& ecosystem, const std::string& target,
                 const std::optional<Key>& owner = std::nullopt) {
    const fs::path folder = folder_.path() / ecosystem;
    for (const GeneratedFile& file : agent_package(ecosystem, find_target(target), owner)) {
      EXPECT_FALSE(std::regex_search(file.text, std::regex("@[a-z_]+@"))) << file.path;
      fs::create_directories((folder / file.path).parent_path());
      write_file(folder / file.path, file.text);
    }
    return folder;
  }

  static Device start(const fs::path& program, const std::string& target,
                      const std::shared_ptr<const OwnerKey>& owner = nullptr) {
    return Device(process_transport(agent_command(find_target(target), program, "stdio"), program.string()), {},
                  owner);
  }

  fs::path build_with_cmake(const fs::path& folder) {
    const fs::path build = folder_.path() / "build";
    run_tool({"cmake", "-S", folder.string(), "-B", build.string(),
              "-DCMAKE_TOOLCHAIN_FILE=" + (folder / "example/toolchain.cmake").string()},
             "configuring");
    run_tool({"cmake", "--build", build.string()}, "building");
    return build / "agent";
  }

  static bool has_monocypher() {
    const auto files = embedded_files();
    return std::ranges::any_of(files,
                               [](const EmbeddedFile& file) { return file.path.ends_with("monocypher.c"); });
  }

  // A model is loaded and computes the host's bytes.
  static void expect_service(Device& device, const std::string& target) {
    EXPECT_EQ(device.info().target, target);
    EXPECT_TRUE(device.info().protects);
    const Compiled model = compile_file(test::digits_model());
    const LoadReport report = load_program(device, compile_for_device(model, find_target(target), Mode::balanced));
    std::mt19937 random(1);
    const std::vector<Bytes> inputs = random_case(model.graph, random, "package").inputs;
    EXPECT_EQ(device.call(report.model, inputs[0]), simulate(model.graph, model.plan, inputs)[0]);
  }

  // Without inputs and outputs.
  Program function(const std::string& name, const std::string& body, const std::string& target) {
    const fs::path source = folder_.path() / (name + ".cpp"), object = folder_.path() / (name + ".o");
    write_file(source, "extern \"C\" void " + name + "(void*) { " + body + " }\n");
    compile_source(find_target(target), source, object, {"-O1"});
    Program program;
    program.name = program.run = name;
    program.target = &find_target(target);
    program.objects = {object};
    program.io_bytes = 64;
    program.stack_bytes = 512;
    return program;
  }

  static wire::Status status_of(Device& device, const Program& program) {
    CallOptions options;
    options.deadline = std::chrono::milliseconds(100);
    try {
      (void)device.call(load_program(device, program).model, {}, options);
    } catch (const CallError& error) {
      return error.status;
    }
    return wire::Status::ok;
  }

  // As the build of a framework does it: every source by itself, only `src` in the path of includes.
  std::vector<std::string> compile(const fs::path& sources, const Target& target, std::vector<std::string> flags) {
    append(flags, {"-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-Werror"});
    std::vector<std::string> objects;
    for (const fs::directory_entry& entry : fs::directory_iterator(sources)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".S") continue;
      objects.push_back(entry.path().string() + ".o");
      compile_source(target, entry.path(), objects.back(), flags);
    }
    return objects;
  }

  TemporaryDirectory folder_;
};

class AgentCmakePackage : public AgentPackage, public testing::WithParamInterface<std::string> {};

TEST_P(AgentCmakePackage, BuildsAndServes) {
  Device device = start(build_with_cmake(write("cmake", GetParam())), GetParam());
  expect_service(device, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Targets, AgentCmakePackage, testing::Values("cortex-m4f", "rv32imac"));

TEST_F(AgentPackage, CmakeHasAKeyedAgentToo) {
  if (!has_monocypher()) GTEST_SKIP() << "Monocypher is absent: tools/monocypher.sh build/monocypher";
  const auto owner = std::make_shared<const OwnerKey>(OwnerKey::make());
  const fs::path program = build_with_cmake(write("cmake", "rv32imac", owner->public_key()));
  EXPECT_THROW(start(program, "rv32imac"), Error);
  Device device = start(program, "rv32imac", owner);
  EXPECT_TRUE(device.info().keyed);
  expect_service(device, "rv32imac");
}

// The stand-in's vectors hang at every fault, and its SysTick counts its milliseconds.
TEST_F(AgentPackage, ArduinoServesInASystemWithVectorsOfItsOwn) {
  const std::string name = "cortex-m4f";
  const Target& target = find_target(name);
  const fs::path folder = write("arduino", name), core = folder_.path() / "core";
  fs::copy(stand_ins / "arduino", core);
  const std::string include = "-I" + (folder / "src").string();
  const fs::path sketch = folder / "examples/Agent/Agent.ino";
  write_file(core / "sketch.cpp", "#include <Arduino.h>\n" + read_text(sketch));
  std::vector<std::string> command{std::string(target.linker)};
  append(command, split_words(target.compile_flags));
  append(command, compile(folder / "src", target, {}));
  append(command, compile(core, target, {include, "-I" + core.string()}));
  const fs::path program = folder_.path() / "sketch.elf";
  append(command, {"-nostartfiles", "-static", "-Wl,--gc-sections", "-T" + (core / "link.ld").string(), "-o",
                   program.string()});
  run_tool(command, "linking");
  Device device = start(program, name);
  EXPECT_EQ(status_of(device, function("wild", "*(volatile int*)0x20000000 = 1;", name)), wire::Status::fault);
  EXPECT_EQ(status_of(device, function("endless", "for (;;) asm volatile(\"\");", name)), wire::Status::deadline);
  EXPECT_EQ(status_of(device, function("lost", "asm volatile(\"mov sp, %0\\n\\tudf #0\" :: \"r\"(0));", name)),
            wire::Status::fault);
  EXPECT_EQ(status_of(device, function("good", "", name)), wire::Status::ok);
  expect_service(device, name);
}

TEST_F(AgentPackage, EspIdfCompilesAgainstTheFrameworksDeclarations) {
  std::optional<Key> owner;  // with one, there is more to compile
  if (has_monocypher()) owner = OwnerKey::make().public_key();
  const fs::path folder = write("esp-idf", "rv32imac", owner), headers = folder_.path() / "headers";
  const std::string all = "#include \"" + (stand_ins / "esp-idf/idf.hpp").string() + "\"\n";
  for (const char* const header : {"freertos/FreeRTOS.h", "freertos/task.h", "driver/uart.h", "esp_heap_caps.h",
                                   "esp_random.h", "esp_system.h", "esp_timer.h"}) {
    fs::create_directories((headers / header).parent_path());
    write_file(headers / header, all);
  }
  write_file(
      headers / "new",
      "#pragma once\n#include <stddef.h>\nnamespace std { struct nothrow_t {}; inline nothrow_t nothrow; }\n"
      "void* operator new(size_t, const std::nothrow_t&) noexcept;\n");
  const std::vector<std::string> objects =
      compile(folder / "src", find_target("rv32imac"), {"-I" + headers.string()});
  const std::string manifest = read_text(folder / "CMakeLists.txt");
  for (const std::string& object : objects) {
    const std::string source = fs::path(object).stem().string();
    EXPECT_NE(manifest.find("\"src/" + source + "\""), std::string::npos) << source;
  }
  EXPECT_TRUE(fs::exists(folder / "idf_component.yml"));
}

TEST_F(AgentPackage, ArduinoFollowsTheLibrarySpecification) {
  const std::string fields = read_text(write("arduino", "cortex-m33") / "library.properties");
  for (const char* const field : {"name=", "version=", "author=", "maintainer=", "sentence=", "paragraph=",
                                  "category=", "url=", "architectures="})
    EXPECT_NE(("\n" + fields).find(std::string("\n") + field), std::string::npos) << field;
}

TEST_F(AgentPackage, WhatThereIsNotIsRefused) {
  const auto error_of = [](const std::string& ecosystem, const std::string& target) {
    try {
      (void)agent_package(ecosystem, find_target(target));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of("npm", "cortex-m4f"), "npm: an unknown ecosystem; choose arduino, cmake, esp-idf");
  const std::string none =
      "there is no agent of the ecosystem {} for this core; cmake has cortex-m and rv32, arduino cortex-m, "
      "esp-idf rv32";
  EXPECT_EQ(error_of("arduino", "rv32imac"), "rv32imac: " + fmt::format(fmt::runtime(none), "arduino"));
  EXPECT_THROW((void)agent_package("arduino", find_target("cortex-m4f"), Key{1}), Error);
  EXPECT_EQ(error_of("cmake", "lx106"), "lx106: " + fmt::format(fmt::runtime(none), "cmake"));
}

}  // namespace
}  // namespace mote
