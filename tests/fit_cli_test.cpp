// SPDX-License-Identifier: Apache-2.0
// mote fit and mote boards as a person uses them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "support/models.hpp"

namespace mote {
namespace {

using Json = nlohmann::json;

class FitProgram : public testing::Test {
 protected:
  static ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MOTE_PROGRAM);
    return run_process(arguments, std::chrono::seconds(300));
  }

  const std::string digits_ = test::digits_model().string();
  TemporaryDirectory folder_;
};

TEST_F(FitProgram, AllBoardsAsJson) {
  const ProcessResult result = run({"fit", digits_, "--json"});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_EQ(result.errors, "") << "progress is for terminals";
  const Json json = Json::parse(result.output);
  const Json boards = Json::parse(run({"boards", "--json"}).output);
  EXPECT_EQ(json["boards"].size(), boards.size());
  EXPECT_GE(boards.size(), 23U);
  for (const Json& board : json["boards"]) {
    EXPECT_EQ(board["verdict"], "fits") << board["board"];  // 1 KB of arena, 5 KB of weights
    EXPECT_EQ(board["flash_bytes"].get<int64_t>(), board["weight_bytes"].get<int64_t>() +
                                                       board["code_bytes"].get<int64_t>() +
                                                       board["reserved_flash_bytes"].get<int64_t>());
    EXPECT_GT(board["milliseconds"].get<double>(), 0);
    EXPECT_FALSE(board["exact"].get<bool>());
    EXPECT_FALSE(board["estimate_error"].is_null());
    EXPECT_FALSE(board["cycles_per_instruction_source"].get<std::string>().empty());
  }
}

TEST_F(FitProgram, OnlyTheBoardsAskedForInTheirOrder) {
  const Json json =
      Json::parse(run({"fit", digits_, "--board", "rp2040", "--board", "esp32-c3", "--json"}).output);
  ASSERT_EQ(json["boards"].size(), 2U);
  EXPECT_EQ(json["boards"][0]["board"], "rp2040");
  EXPECT_EQ(json["boards"][1]["board"], "esp32-c3");
}

TEST_F(FitProgram, WhatDoesNotFitIsExplained) {
  Json board = Json::parse(embedded_file("boards/stm32f103.json"));
  board["name"] = "tiny";
  board["reserved"] = {{"ram_bytes", 0}, {"flash_bytes", 0}};
  for (Json& memory : board["memory"]) memory["bytes"] = memory["kind"] == "flash" ? 6000 : 800;
  const std::string file = (folder_.path() / "tiny.json").string();
  write_file(file, board.dump());
  const ProcessResult text = run({"fit", digits_, "--board", file});
  ASSERT_EQ(text.exit_status, 0) << text.errors;
  EXPECT_NE(text.output.find("tiny: does not fit\n  RAM: "), std::string::npos) << text.output;
  EXPECT_NE(text.output.find(" B too many. Most is alive in DEPTHWISE_CONV_2D #1 (depthwise2):"),
            std::string::npos)
      << text.output;
  const Json json = Json::parse(run({"fit", digits_, "--board", file, "--json"}).output)["boards"][0];
  const int64_t stack = json["stack_bytes"];
  EXPECT_EQ(json["ram_missing_bytes"].get<int64_t>(), 1088 + stack - 800);  // the arena of the digits is 1,088 B
  ASSERT_FALSE(json["alternatives"].empty());
  for (const Json& way : json["alternatives"])
    EXPECT_LT(way["ram_missing_bytes"].get<int64_t>() + way["flash_missing_bytes"].get<int64_t>(),
              json["ram_missing_bytes"].get<int64_t>() + json["flash_missing_bytes"].get<int64_t>());
}

TEST_F(FitProgram, ErrorsNameThePlaceAndAWayOut) {
  const auto error_of = [](const std::vector<std::string>& arguments) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.output, "");
    return result.errors;
  };
  EXPECT_EQ(error_of({"fit", digits_, "--board", "nrf52480"}),
            "mote: error: there is no board 'nrf52480'; the nearest names: nrf52840, nrf5340, rp2040; `mote "
            "boards` lists all, and a path that ends in .json is a board of your own\n");
  EXPECT_EQ(error_of({"fit", digits_, "--optimize", "fast"}),
            "mote: error: --optimize fast: unknown; choose size, balanced or speed\n");
  EXPECT_NE(error_of({"fit", "none.tflite"}).find("none.tflite"), std::string::npos);
}

TEST_F(FitProgram, ABoardWithItsSources) {
  const ProcessResult result = run({"boards", "esp32-s3"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_NE(result.output.find("sources"), 0U);
  EXPECT_NE(result.output.find("components/esp_system/ld/esp32s3/memory.ld.in"), std::string::npos);
  EXPECT_NE(result.output.find("stand-in"), std::string::npos);
}

}  // namespace
}  // namespace mote
