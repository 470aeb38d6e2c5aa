// SPDX-License-Identifier: Apache-2.0
// Board files: the shipped ones are whole, and a wrong one is told apart by its file and field.
#include <gtest/gtest.h>

#include <set>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/nearest.hpp"
#include "base/temporary_directory.hpp"
#include "fit/board.hpp"
#include "fit/costs.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

using Json = nlohmann::ordered_json;

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_board(text, "my.json"));
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

Json valid() { return Json::parse(embedded_file("boards/stm32f103.json")); }

TEST(Boards, TheShippedOnesAreWhole) {
  std::set<std::string> names;
  for (const Board& board : all_boards()) {
    names.insert(board.name);
    EXPECT_EQ(embedded_file("boards/" + board.name + ".json").empty(), false)
        << "the file is named after the board";
    EXPECT_FALSE(find_target(board.target).emulator.empty()) << board.name;
    EXPECT_EQ(costs_of(find_target(board.target)).target, board.target);
    for (const BoardMemory& memory : board.memory) EXPECT_GE(memory.bytes, 16 << 10) << board.name;
  }
  for (const char* const name :
       {"esp32",      "esp32-s2",     "esp32-s3",  "esp32-c3",  "esp32-c6",    "esp32-p4",  "esp8266", "stm32f103",
        "stm32f411",  "stm32f746",    "stm32h747", "stm32u585", "stm32l476",   "nrf52840",  "nrf5340", "rp2040",
        "rp2350-arm", "rp2350-riscv", "gd32vf103", "ch32v307",  "microbit-v2", "nano33ble", "teensy41"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST(Boards, FieldsThatAreMissingOrWrong) {
  const auto changed = [](auto change) {
    Json json = valid();
    change(json);
    return error_of(json.dump());
  };
  EXPECT_EQ(error_of("{"), "my.json: is no JSON; boards/esp32-c3.json is an example");
  EXPECT_EQ(error_of("[]"), "my.json: the file is no object");
  EXPECT_EQ(changed([](Json& j) { j.erase("clock_hz"); }), "my.json: clock_hz is missing");
  EXPECT_EQ(changed([](Json& j) { j["clock_hz"] = 0; }), "my.json: clock_hz is no whole number of at least 1");
  EXPECT_EQ(changed([](Json& j) { j["clock_hz"] = "72 MHz"; }),
            "my.json: clock_hz is no whole number of at least 1");
  EXPECT_EQ(changed([](Json& j) { j["memory"][1]["bytes"] = -5; }),
            "my.json: memory[1].bytes is no whole number of at least 1");
  EXPECT_EQ(changed([](Json& j) { j["memory"][0]["kind"] = "rom"; }),
            "my.json: memory[0].kind is 'rom'; it can be flash, ram or external_ram");
  EXPECT_EQ(changed([](Json& j) { j["memory"][0]["speed"] = 2; }),
            "my.json: memory[0].speed is no number above 0 and up to 1");
  EXPECT_EQ(changed([](Json& j) { j["memory"].erase(1); }),
            "my.json: memory needs an entry of kind flash and one of ram");
  EXPECT_EQ(changed([](Json& j) { j["memory"][0]["optional"] = true; }),
            "my.json: memory[0].optional is set, but only an external_ram can be optional");
  EXPECT_EQ(changed([](Json& j) { j["sources"].erase("flash"); }),
            "my.json: sources.flash is missing: say where the figure comes from, or that it is an assumption");
  EXPECT_EQ(changed([](Json& j) { j["sources"]["sram"] = "x"; }),
            "my.json: sources.sram is the source of nothing in the file");
  EXPECT_EQ(changed([](Json& j) { j["reserved"]["rom_bytes"] = 1; }),
            "my.json: reserved.rom_bytes is no field of a board file; known here: flash_bytes, ram_bytes");
  EXPECT_TRUE(changed([](Json& j) {
                j["target"] = "cortex-m3x";
              }).starts_with("my.json: target: there is no target 'cortex-m3x'; known: cortex-m3, "));
}

TEST(Boards, UnknownNameGetsTheNearest) {
  try {
    static_cast<void>(find_board("esp32c3"));
    FAIL();
  } catch (const Error& problem) {
    EXPECT_EQ(std::string(problem.what()).find("there is no board 'esp32c3'; the nearest names: esp32-c3, "), 0U)
        << problem.what();
  }
}

TEST(Boards, APathIsABoardOfOnesOwn) {
  const TemporaryDirectory folder;
  Json json = valid();
  json["name"] = "mine";
  write_file(folder.path() / "mine.json", json.dump());
  const Board board = find_board((folder.path() / "mine.json").string());
  EXPECT_EQ(board.name, "mine");
  EXPECT_EQ(board.memory.size(), 2U);
  EXPECT_EQ(parse_board(board_json(board).dump(), "again").sources, board.sources);
  EXPECT_THROW(static_cast<void>(find_board((folder.path() / "none.json").string())), Error);
}

// Levenshtein's own example and the ends.
TEST(Nearest, EditDistance) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
  EXPECT_EQ(nearest_first("bb", {"aa", "ab", "bb", "ba"}), (std::vector<std::string>{"bb", "ab", "ba", "aa"}));
}

}  // namespace
}  // namespace mote
