// SPDX-License-Identifier: Apache-2.0
// A model laid out for given memories: what users may ask for, what they get, and what is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "codegen/codegen.hpp"
#include "emulate/process.hpp"
#include "fit/memories.hpp"
#include "support/models.hpp"

namespace mote {
namespace {

using Json = nlohmann::json;

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_memory(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Memory, IsANameAndBytes) {
  EXPECT_EQ(parse_memory("fast=200000").bytes, 200000);
  EXPECT_EQ(parse_memory("fast=200000").name, "fast");
  EXPECT_EQ(parse_memory("psram=8M").bytes, 8 << 20);
  EXPECT_EQ(parse_memory("sram=96K").bytes, 96 << 10);
  for (const char* const text : {"", "fast", "=5", "fast=", "fast=0", "fast=-5", "fast=5k", "fast=5MM", "fast=x",
                                 "fast=99999999999", "fast=5 "}) {
    EXPECT_EQ(error_of(text),
              "--memory " + std::string(text) + ": is not NAME=BYTES, such as sram=200000 or psram=8M");
  }
}

Compiled digits() { return compile_file(test::digits_model()); }

TEST(Memories, OneThatHoldsAllChangesNothing) {
  const Compiled before = digits();
  Compiled model = digits();
  use_memories(model, {{before.plan.arena_bytes, 1, "fast"}, {1 << 20, 2, "slow"}});
  ASSERT_EQ(model.plan.arenas.size(), 1U);
  EXPECT_EQ(model.plan.arenas[0].memory, "fast");
  EXPECT_EQ(model.plan.arena_bytes, before.plan.arena_bytes);
  for (const Mode mode : {Mode::size, Mode::speed}) {
    const std::vector<GeneratedFile> files = generate(model.graph, model.plan, mode);
    const std::vector<GeneratedFile> expected = generate(before.graph, before.plan, mode);
    ASSERT_EQ(files.size(), expected.size());
    for (size_t i = 0; i < files.size(); ++i) EXPECT_EQ(files[i].text, expected[i].text) << files[i].path;
  }
}

TEST(Memories, TwoGetAnArenaEachThatFits) {
  Compiled model = digits();
  use_memories(model, {{600, 1, "fast"}, {4096, 2, "slow"}});
  ASSERT_EQ(model.plan.arenas.size(), 2U);
  EXPECT_LE(model.plan.arenas[0].bytes, 600);
  EXPECT_EQ(model.plan.arena_bytes, model.plan.arenas[0].bytes + model.plan.arenas[1].bytes);
  EXPECT_NO_THROW(check_plan(model.plan));
  std::string header;
  for (const GeneratedFile& file : generate(model.graph, model.plan, Mode::size))
    header += file.path == "digits.h" ? file.text : "";
  EXPECT_NE(header.find(fmt::format("#define DIGITS_ARENA_BYTES {}  /* fast */\n"
                                    "#define DIGITS_ARENA2_BYTES {}  /* slow */\n",
                                    model.plan.arenas[0].bytes, model.plan.arenas[1].bytes)),
            std::string::npos)
      << header;
  EXPECT_NE(header.find("void digits_run(void* arena, void* arena2);"), std::string::npos);
}

TEST(Memories, AWrongPlanIsRejected) {
  Compiled model = digits();
  use_memories(model, {{600, 1, "fast"}, {4096, 2, "slow"}});
  size_t rejected = 0;
  for (size_t i = 0; i < model.plan.buffers.size(); ++i) {
    Plan spoiled = model.plan;
    spoiled.buffers[i].arena = 2;
    EXPECT_THROW(check_plan(spoiled), Error) << "there is no third arena";
    spoiled = model.plan;
    spoiled.buffers[i].offset = spoiled.arenas[spoiled.buffers[i].arena].bytes;
    EXPECT_THROW(check_plan(spoiled), Error) << "behind the arena";
    // Moved to the other arena at the same offset it may meet a buffer there.
    spoiled = model.plan;
    spoiled.buffers[i].arena = 1 - spoiled.buffers[i].arena;
    try {
      check_plan(spoiled);
    } catch (const Error&) {
      ++rejected;
    }
  }
  EXPECT_GT(rejected, 0U);
  Plan smaller = model.plan;
  smaller.arena_bytes -= 4;
  EXPECT_THROW(check_plan(smaller), Error);
}

TEST(Memories, TooSmallOnesAreRefusedWithTheirNames) {
  Compiled model = digits();
  try {
    use_memories(model, {{300, 1, "fast"}, {200, 2, "slow"}});
    FAIL() << "500 bytes cannot hold it";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "digits does not fit\nRAM: the arena takes 1088 B in one piece, and no way was found to spread its "
        "buffers over fast 300 B, slow 200 B");
  }
}

class MemoriesProgram : public testing::Test {
 protected:
  static ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MOTE_PROGRAM);
    return run_process(arguments, std::chrono::seconds(300));
  }

  // A board with two internal memories, neither of which holds the digits.
  std::string small_board(int64_t flash_bytes) {
    Json board = Json::parse(embedded_file("boards/stm32l476.json"));
    board["name"] = "small";
    board["reserved"] = {{"ram_bytes", 0}, {"flash_bytes", 0}};
    board["memory"][0]["bytes"] = 1400;
    board["memory"][1]["bytes"] = 800;
    board["memory"][2]["bytes"] = flash_bytes;
    const std::string file = (folder_.path() / "small.json").string();
    write_file(file, board.dump());
    return file;
  }

  const std::string digits_ = test::digits_model().string();
  TemporaryDirectory folder_;
};

TEST_F(MemoriesProgram, ABoardBringsItsTargetAndItsMemories) {
  const Json json = Json::parse(run({"run", digits_, "--board", small_board(100000), "--json"}).output);
  EXPECT_EQ(json["target"], "cortex-m4f");
  int64_t bytes = 0;
  for (const Json& arena : json["arenas"]) bytes += arena["bytes"].get<int64_t>();
  EXPECT_EQ(json["arena_bytes"].get<int64_t>(), bytes);
  const ProcessResult verify =
      run({"verify", digits_, "--board", small_board(100000), "--golden", test::digits_golden().string()});
  EXPECT_EQ(verify.exit_status, 0) << verify.errors << verify.output;
}

TEST_F(MemoriesProgram, TheBoardsFlashIsALimit) {
  const ProcessResult result =
      run({"compile", digits_, "--board", small_board(4000), "-o", folder_.path() / "out"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.errors.find("digits does not fit small\nflash: weights "), std::string::npos) << result.errors;
}

TEST_F(MemoriesProgram, CompileSaysWhereTheArenasBelong) {
  const ProcessResult result = run({"compile", digits_, "--target", "rv32imac", "--memory", "tcm=600", "--memory",
                                    "ram=64K", "-o", folder_.path() / "out"});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_NE(result.output.find("memory  arena of "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find(" B in tcm\nmemory  arena2 of "), std::string::npos) << result.output;
}

TEST_F(MemoriesProgram, TheReportShowsTheArenasOneBehindTheOther) {
  const Json json =
      Json::parse(run({"report", digits_, "--memory", "tcm=600", "--memory", "ram=64K", "--json"}).output);
  ASSERT_EQ(json["arenas"].size(), 2U);
  const int64_t first = json["arenas"][0]["bytes"];
  for (const Json& buffer : json["arena"]["buffers"]) {
    const bool in_first = buffer["offset"].get<int64_t>() < first;
    EXPECT_EQ(buffer["memory"], in_first ? "tcm" : "ram");
    EXPECT_LE(buffer["offset"].get<int64_t>() + buffer["bytes"].get<int64_t>(),
              in_first ? first : json["arena_bytes"].get<int64_t>());
  }
  // The boards are judged by the plan with one arena, whatever was asked for here.
  EXPECT_EQ(json["fit"]["boards"], Json::parse(run({"report", digits_, "--json"}).output)["fit"]["boards"]);
}

}  // namespace
}  // namespace mote
