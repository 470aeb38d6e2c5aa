// SPDX-License-Identifier: Apache-2.0
// Packages: the cmake one is built and run; the examples of all of them compute what the simulator does, against
// stand-ins for the frameworks' headers; manifests hold what their ecosystems demand.
#include "codegen/package.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "compile/compile.hpp"
#include "emulate/process.hpp"
#include "plan/regions.hpp"
#include "simulate/simulate.hpp"
#include "support/models.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

class Package : public testing::TestWithParam<std::string> {
 protected:
  Package() : digits_(compile_file(test::digits_model())) {}

  // Writes the package; returns its folder.
  fs::path write(const std::string& ecosystem, const std::string& model = "digits.tflite") {
    const fs::path folder = folder_.path() / ecosystem;
    for (const GeneratedFile& file : package(digits_.graph, digits_.plan, {ecosystem, model, Mode::size})) {
      fs::create_directories((folder / file.path).parent_path());
      write_file(folder / file.path, file.text);
    }
    return folder;
  }

  void run(const std::string& command) {
    const ProcessResult result = run_process({"sh", "-c", command}, std::chrono::seconds(300));
    ASSERT_EQ(result.exit_status, 0) << command << "\n" << result.errors << result.output;
    output_ = result.output;
  }

  // What the examples print: the first output for inputs of zeros.
  std::string expected() const {
    const Bytes zeros(static_cast<size_t>(byte_size(digits_.graph.tensors[digits_.graph.inputs[0]].type)));
    std::string text;
    const std::vector<Bytes> outputs = simulate(digits_.graph, digits_.plan, {zeros});
    for (const int8_t value : to_values<int8_t>(outputs[0])) text += fmt::format("{}\n", value);
    return text;
  }

  Compiled digits_;
  TemporaryDirectory folder_;
  std::string output_;
};

TEST_F(Package, CmakeBuildsAndRuns) {
  const fs::path folder = write("cmake");
  const std::string build = (folder_.path() / "build").string();
  run(fmt::format("cmake -S {0} -B {1} && cmake --build {1}", folder.string(), build));
  run(build + "/digits_example");
  EXPECT_EQ(output_, expected());
}

TEST_F(Package, TwoArenasAreTwoArraysOfTheExample) {
  const std::string once = expected();
  ASSERT_TRUE(spread(digits_.plan, std::vector<double>(digits_.plan.buffers.size(), 1.0),
                     {{512, 1, "DTCM"}, {4096, 2, "PSRAM (octal)"}}));
  const fs::path folder = write("cmake");
  const std::string build = (folder_.path() / "build").string();
  run(fmt::format("cmake -S {0} -B {1} && cmake --build {1}", folder.string(), build));
  run(build + "/digits_example");
  EXPECT_EQ(output_, once);
}

TEST_F(Package, CmakeServesAnotherProject) {
  write("cmake");
  write_file(folder_.path() / "CMakeLists.txt",
             "cmake_minimum_required(VERSION 3.13)\nproject(app CXX)\nadd_subdirectory(cmake)\n"
             "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE digits)\n");
  write_file(folder_.path() / "app.cpp",
             "#include \"digits.h\"\nint main() { return digits_version()[0] == 'M' ? 0 : 1; }\n");
  const std::string root = folder_.path().string();
  run(fmt::format("cmake -S {0} -B {0}/build && cmake --build {0}/build && {0}/build/app", root));
  EXPECT_FALSE(fs::exists(folder_.path() / "build" / "digits_example")) << "the example is for the package alone";
}

// Where each ecosystem's example lies, and the framework that it expects.
struct Example {
  std::string source, flags, main;
};

Example example_of(const std::string& ecosystem) {
  if (ecosystem == "cmake") return {"example/main.cpp", "", ""};
  if (ecosystem == "esp-idf")
    return {"examples/basic/main/main.cpp", "", "extern \"C\" void app_main();\nint main() { app_main(); }\n"};
  if (ecosystem == "arduino")
    return {"examples/Basic/Basic.ino", "-include Arduino.h",
            "void setup();\nvoid loop();\nint main() { setup(); loop(); }\n"};
  if (ecosystem == "platformio") return {"examples/basic/src/main.cpp", "", ""};
  if (ecosystem == "zephyr") return {"samples/basic/src/main.cpp", "", ""};
  return {};
}

TEST_P(Package, TheExampleComputesWhatTheSimulatorDoes) {
  const fs::path folder = write(GetParam());
  const Example example = example_of(GetParam());
  ASSERT_TRUE(fs::exists(folder / example.source)) << "an ecosystem without an example, or unknown to this test";
  const fs::path stubs = folder_.path() / "stubs";
  fs::create_directories(stubs / "zephyr" / "sys");
  write_file(stubs / "Arduino.h",
             "#pragma once\n#include <stdio.h>\nstruct SerialPort {\n  void begin(long) {}\n"
             "  void println(double v) { printf(\"%g\\n\", v); }\n};\ninline SerialPort Serial;\n"
             "inline void delay(int) {}\n");
  write_file(stubs / "zephyr" / "sys" / "printk.h", "#include <stdio.h>\n#define printk printf\n");
  write_file(stubs / "main.cpp", example.main);
  ASSERT_NO_FATAL_FAILURE(run(
      fmt::format("cd {} && g++ -std=c++17 -Wall -Wextra -Werror -Isrc -I{} {} -x c++ {} {} src/digits.cpp -o {}",
                  folder.string(), stubs.string(), example.flags, example.source, (stubs / "main.cpp").string(),
                  (stubs / "program").string())));
  run((stubs / "program").string());
  EXPECT_EQ(output_, expected());
}

TEST_P(Package, NoPlaceIsLeftUnfilled) {
  for (const GeneratedFile& file :
       package(digits_.graph, digits_.plan, {GetParam(), "digits.tflite", Mode::size})) {
    EXPECT_FALSE(std::regex_search(file.text, std::regex("@[a-zA-Z_]+@"))) << file.path;
  }
}

// What a file name may hold must not end a string or a list of the manifests.
TEST_P(Package, AStrangeModelNameIsTamed) {
  for (const GeneratedFile& file :
       package(digits_.graph, digits_.plan, {GetParam(), "a\"b]\n@name@#c.tflite", Mode::size})) {
    EXPECT_EQ(file.text.find("a\"b"), std::string::npos) << file.path;
  }
}

INSTANTIATE_TEST_SUITE_P(Ecosystems, Package, testing::ValuesIn(package_ecosystems()),
                         [](const auto& info) { return std::regex_replace(info.param, std::regex("-"), "_"); });

// The Arduino library specification: fields that must be there, and the folder's layout.
TEST_F(Package, ArduinoFollowsTheLibrarySpecification) {
  const fs::path folder = write("arduino");
  std::istringstream lines(read_text(folder / "library.properties"));
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(lines, line);) {
    ASSERT_NE(line.find('='), std::string::npos) << line;
    fields[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  }
  for (const char* const field :
       {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}) {
    EXPECT_FALSE(fields[field].empty()) << field;
  }
  EXPECT_TRUE(std::regex_match(fields["name"], std::regex("[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}")));
  EXPECT_TRUE(std::regex_match(fields["version"], std::regex("\\d+\\.\\d+\\.\\d+")));
  EXPECT_EQ(fields["category"], "Data Processing");
  EXPECT_TRUE(fs::exists(folder / "src" / fields["includes"]));
  EXPECT_TRUE(fs::exists(folder / "examples" / "Basic" / "Basic.ino")) << "a sketch has its folder's name";
}

TEST_F(Package, PlatformIoManifestIsJson) {
  const fs::path folder = write("platformio");
  const nlohmann::json manifest = nlohmann::json::parse(read_text(folder / "library.json"));
  EXPECT_EQ(manifest.at("name"), "digits");
  EXPECT_TRUE(fs::exists(folder / "src" / manifest.at("headers").get<std::string>()));
}

// Where the build system knows that the core is a RISC-V.
TEST(PackageForSize, SharesPrologues) {
  const Compiled digits = compile_file(test::digits_model());
  for (const std::string ecosystem : {"cmake", "esp-idf", "zephyr"}) {
    const std::vector<GeneratedFile> files =
        package(digits.graph, digits.plan, {ecosystem, "digits.tflite", Mode::size});
    const auto lists = std::find_if(files.begin(), files.end(),
                                    [](const GeneratedFile& file) { return file.path == "CMakeLists.txt"; });
    ASSERT_NE(lists, files.end());
    const size_t condition = lists->text.find("if(ON");
    ASSERT_NE(condition, std::string::npos) << ecosystem;
    EXPECT_NE(lists->text.find("-msave-restore", condition), std::string::npos) << ecosystem;
  }
}

TEST_F(Package, EspIdfAndZephyrNameTheirSources) {
  const fs::path component = write("esp-idf"), module = write("zephyr");
  EXPECT_NE(read_text(component / "CMakeLists.txt").find("SRCS \"src/digits.cpp\""), std::string::npos);
  EXPECT_TRUE(fs::exists(component / "idf_component.yml"));
  EXPECT_NE(read_text(module / "zephyr" / "module.yml").find("name: digits"), std::string::npos);
  EXPECT_NE(read_text(module / "CMakeLists.txt").find("CONFIG_MODEL_DIGITS"), std::string::npos);
  EXPECT_NE(read_text(module / "Kconfig").find("config MODEL_DIGITS"), std::string::npos);
}

TEST_F(Package, AnUnknownEcosystemIsRefused) {
  try {
    (void)package(digits_.graph, digits_.plan, {"npm", "digits.tflite", Mode::size});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "--package npm: unknown; choose arduino, cmake, esp-idf, platformio, zephyr");
  }
}

}  // namespace
}  // namespace mote
