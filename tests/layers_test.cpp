// SPDX-License-Identifier: Apache-2.0
// The layers of DESIGN.md: no file includes what stands to the right of its own layer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace {

namespace fs = std::filesystem;

// Smaller may not include larger; equal ranks may not include each other. The same row as in DESIGN.md.
const std::map<std::string, int> rank = {
    {"nn", 0},      {"agent", 0},    {"base", 1},      {"ir", 2},       {"formats", 3}, {"target", 3},
    {"ops", 4},     {"import", 5},   {"passes", 6},    {"plan", 7},     {"codegen", 8}, {"simulate", 8},
    {"compile", 9}, {"emulate", 10}, {"quantize", 10}, {"measure", 11}, {"extend", 11}, {"fit", 12},
    {"verify", 12}, {"report", 12},  {"zoo", 13},      {"device", 14}};

std::vector<std::string> violations(const fs::path& root) {
  std::vector<std::string> found;
  const std::regex include("^#include \"([a-z_0-9]+)/");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
    const std::string layer = entry.path().lexically_relative(root).begin()->string();
    std::ifstream stream(entry.path());
    for (std::string line; std::getline(stream, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string other = match[1];
      if (rank.count(layer) == 0 || rank.count(other) == 0) {
        found.push_back(entry.path().string() + ": unknown layer in " + line);
      } else if (other != layer && rank.at(other) >= rank.at(layer)) {
        found.push_back(entry.path().string() + ": " + layer + " may not include " + other);
      }
    }
  }
  return found;
}

TEST(Layers, LeftNeverIncludesRight) {
  for (const std::string& violation : violations(fs::path(MOTE_SOURCE_DIR) / "src")) ADD_FAILURE() << violation;
}

TEST(Layers, AViolationIsSeen) {
  const fs::path root = fs::path(testing::TempDir()) / "layers";
  fs::create_directories(root / "ir");
  std::ofstream(root / "ir" / "bad.cpp") << "#include \"plan/plan.hpp\"\n";
  EXPECT_EQ(violations(root).size(), 1U);
  fs::remove_all(root);
}

TEST(Layers, KernelsIncludeOnlyKernelsAndFreestandingHeaders) {
  const std::regex allowed(
      "^#include "
      "(\"(nn|rv32|xtensa|cortex_m_dsp|cortex_m_mve)/[a-z_0-9]+\\.hpp\"|<(stdint|stddef|string|math)\\.h>)");
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(fs::path(MOTE_SOURCE_DIR) / "kernels")) {
    std::ifstream stream(entry.path());
    for (std::string line; std::getline(stream, line);) {
      if (line.rfind("#include", 0) != 0) continue;
      EXPECT_TRUE(std::regex_search(line, allowed)) << entry.path() << ": " << line;
    }
  }
}

}  // namespace
