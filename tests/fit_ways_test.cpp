// SPDX-License-Identifier: Apache-2.0
// The ways out that `mote fit` prints, against what a compile gives: the same arena to the byte.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "fit/fit.hpp"
#include "fit/memories.hpp"
#include "fit/predict_int8.hpp"
#include "support/net_writer.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

using test::NetWriter;
using Json = nlohmann::json;

// Layers with random sizes, wide enough in front that strips pay.
Bytes random_net(unsigned seed, DType dtype) {
  NetWriter net(seed, dtype);
  int x = net.image(net.integer(16, 40), net.integer(12, 32), net.integer(1, 4));
  x = net.conv(x, net.integer(8, 24), 3, 1);
  for (int64_t layer = 0; layer < 4; ++layer) {
    switch (net.integer(0, 4)) {
      case 0: x = net.conv(x, net.integer(4, 24), 1, 1); break;
      case 1: x = net.depthwise(x, 3, 2); break;
      case 2: x = net.maximum(x, 2, 2); break;
      case 3: x = net.add(x, net.conv(net.depthwise(x, 3, 1), net.shape(x)[3], 1, 1)); break;
      default: x = net.conv(x, net.integer(4, 16), 3, 2); break;
    }
  }
  return net.finish({net.mean(net.conv(x, 8, 1, 1))});
}

Compiled compiled(unsigned seed, DType dtype = DType::i8) { return compile_model(random_net(seed, dtype), "net"); }

// A shipped board with other amounts of its first internal memory and of flash, and nothing reserved.
Board board_with(int64_t ram_bytes, int64_t flash_bytes = 8 << 20, const std::string& name = "gd32vf103") {
  Board board = find_board(name);
  board.name = "resized";
  board.reserved_ram_bytes = board.reserved_flash_bytes = 0;
  for (BoardMemory& memory : board.memory) {
    if (memory.kind == MemoryKind::flash) memory.bytes = flash_bytes;
    if (memory.kind == MemoryKind::ram) memory.bytes = ram_bytes;
  }
  return board;
}

const Alternative* way(const BoardFit& fit, const std::string& what) {
  for (const Alternative& one : fit.alternatives) {
    if (one.what == what) return &one;
  }
  return nullptr;
}

BoardFit fit_one(const Compiled& model, const Board& board, Mode mode) {
  return fit_boards(model, {board}, mode).boards.at(0);
}

struct Program : testing::Test {
  static Json run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MOTE_PROGRAM);
    const ProcessResult result = run_process(arguments, std::chrono::seconds(300));
    EXPECT_EQ(result.exit_status, 0) << result.errors;
    return Json::parse(result.output, nullptr, false);
  }
  std::string file(const std::string& name, std::string_view text) const {
    write_file(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  [[nodiscard]] std::string out() const { return (folder_.path() / "out").string(); }

  TemporaryDirectory folder_;
};

// Between the least arena and the whole one, and below both.
TEST_F(Program, StreamingIsWhatCompileMakesOfIt) {
  int streamed = 0, nearer = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    const Bytes bytes = random_net(seed, DType::i8);
    const Compiled model = compile_model(bytes, "net");
    const int64_t whole = model.plan.arena_bytes;
    const int64_t least = planned_for(model, plan_options(Mode::size)).plan.arena_bytes;
    if (least == whole) continue;
    for (const int64_t goal : {least - 400, least, (least + whole) / 2}) {
      const int64_t stack = fit_one(model, board_with(1 << 20), Mode::balanced).stack_bytes;
      const Board board = board_with(goal + stack + 200);
      const BoardFit fit = fit_one(model, board, Mode::balanced);
      if (fit.now.ram_missing_bytes == 0) continue;
      const Alternative* const found = way(fit, "streaming");
      ASSERT_NE(found, nullptr) << goal;
      EXPECT_LT(found->arena_bytes, whole);
      EXPECT_GT(found->instructions, fit.instructions);
      if (found->result.ram_missing_bytes > 0) {
        ++nearer;
        EXPECT_EQ(found->arena_bytes, least);
        continue;
      }
      ++streamed;
      const std::string path = file("board.json", board_json(board).dump());
      const std::string net =
          file("net.tflite", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
      const Json by_board = run({"compile", net, "--board", path, "--no-build", "--json", "-o", out()});
      EXPECT_EQ(by_board["arena_bytes"].get<int64_t>(), found->arena_bytes);
      EXPECT_EQ(by_board["arenas"].size(), 1U);
      const int64_t room = arena_room(board, found->stack_bytes);
      const Json by_ram = run({"compile", net, "--target", board.target, "--ram", std::to_string(room),
                               "--no-build", "--json", "-o", out()});
      EXPECT_EQ(by_ram["arena_bytes"].get<int64_t>(), found->arena_bytes);
    }
  }
  EXPECT_GE(streamed, 8);
  EXPECT_GE(nearer, 3);
}

// Layers computed twice: below what strips reach, and what `compile` makes of it in all modes.
TEST_F(Program, RecomputingIsWhatCompileMakesOfIt) {
  const Bytes bytes = test::squeeze_and_excite();
  const std::string net =
      file("net.tflite", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const Compiled model = compile_model(bytes, "net");
  const int64_t without = planned_for(model, plan_options(Mode::size)).plan.arena_bytes;
  for (const Mode mode : {Mode::balanced, Mode::size}) {
    SCOPED_TRACE(name(mode));
    const Board board = board_with(without * 2 / 3 + 600);
    const BoardFit fit = fit_one(model, board, mode);
    EXPECT_EQ(fit.now.verdict, Verdict::does_not_fit);
    const Alternative* const found = way(fit, "recomputing");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(fit.by_board(), found);
    EXPECT_LT(found->arena_bytes, without);
    EXPECT_GT(found->instructions, fit.instructions);
    EXPECT_GT(found->result.milliseconds, fit.now.milliseconds);
    const std::string path = file("board.json", board_json(board).dump());
    const std::string optimize(name(mode));
    const auto compiled_with = [&](std::vector<std::string> limit) {
      limit.insert(limit.begin(), {"compile", net, "--optimize", optimize, "--no-build", "--json", "-o", out()});
      return run(std::move(limit))["arena_bytes"].get<int64_t>();
    };
    EXPECT_EQ(compiled_with({"--board", path}), found->arena_bytes);
    const int64_t room = arena_room(board, found->stack_bytes);
    EXPECT_EQ(compiled_with({"--target", board.target, "--ram", std::to_string(room)}), found->arena_bytes);

    const Json json = run({"fit", net, "--board", path, "--optimize", optimize, "--json"})["boards"][0];
    EXPECT_EQ(json["verdict"], "does not fit");
    EXPECT_EQ(json["answer"], fmt::format("{} with --board", name(found->result.verdict)));
    const std::string ram = std::to_string(without * 2 / 3 + 600);
    const Json limited =
        run({"fit", net, "--ram", ram, "--board", "rp2350-riscv", "--optimize", optimize, "--json"});
    EXPECT_EQ(limited["ram_bytes"].dump(), ram);
    EXPECT_EQ(limited["boards"][0]["answer"], fmt::format("{} with --ram", name(found->result.verdict)));
    EXPECT_EQ(limited["boards"][0]["alternatives"][0]["arena_bytes"], found->arena_bytes);
  }
}

// External RAM comes before layers computed twice, but only some variants of the board have it.
TEST(Ways, RecomputingBesideExternalMemory) {
  const Compiled model = compile_model(test::squeeze_and_excite(), "net");
  const int64_t without = planned_for(model, plan_options(Mode::size)).plan.arena_bytes;
  const Board board = board_with(without * 2 / 3 + 600, 8 << 20, "esp32-s3");
  const BoardFit fit = fit_one(model, board, Mode::balanced);
  const Alternative* const twice = way(fit, "recomputing");
  ASSERT_NE(twice, nullptr);
  ASSERT_NE(way(fit, "external RAM"), nullptr);
  EXPECT_EQ(twice->result.ram_missing_bytes, 0);
  EXPECT_FALSE(twice->by_board);
  EXPECT_EQ(fit.by_board(), nullptr);
  EXPECT_NE(twice->price.find(fmt::format("`--ram {}` does it", twice->arena_bytes + twice->stack_bytes)),
            std::string::npos)
      << twice->price;
  Compiled laid_out = model;
  EXPECT_TRUE(use_board(laid_out, board, find_target(board.target).core, Mode::balanced).split);
}

TEST(Ways, NoStreamingWhereTensorsFitWhole) {
  const Compiled model = compiled(1);
  const BoardFit fit = fit_one(model, board_with(1 << 20, 1000), Mode::balanced);
  EXPECT_EQ(fit.now.verdict, Verdict::does_not_fit);
  EXPECT_GT(fit.now.flash_missing_bytes, 0);
  for (const Alternative& one : fit.alternatives)
    EXPECT_EQ(one.what.find("streaming"), std::string::npos) << one.what;
}

TEST_F(Program, SizeModeIsWhatCompileMakesOfIt) {
  int smaller = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    const Compiled model = compiled(seed);
    const int64_t least = planned_for(model, plan_options(Mode::size)).plan.arena_bytes;
    const Board board = board_with(least + 2000);
    const BoardFit fit = fit_one(model, board, Mode::size);
    EXPECT_EQ(fit.arena_bytes, least);
    Compiled laid_out = model;
    static_cast<void>(use_board(laid_out, board, find_target(board.target).core, Mode::size));
    EXPECT_EQ(laid_out.plan.arena_bytes, least);
    const BoardFit tiny = fit_one(model, board_with(least + 2000, 500), Mode::speed);
    if (const Alternative* const found = way(tiny, "--optimize size")) {
      EXPECT_EQ(found->arena_bytes, least);
      ++smaller;
    }
  }
  EXPECT_GE(smaller, 2);
}

TEST(Ways, ExternalMemoryIsWhatCompileMakesOfIt) {
  int used = 0;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const Compiled model = compiled(seed);
    const int64_t least = planned_for(model, plan_options(Mode::size)).plan.arena_bytes;
    const Board board = board_with(least, 8 << 20, "esp32-s3");
    const BoardFit fit = fit_one(model, board, Mode::balanced);
    const Alternative* const found = way(fit, "external RAM");
    ASSERT_NE(found, nullptr);
    ++used;
    Compiled laid_out = model;
    const Assessment layout = use_board(laid_out, board, find_target(board.target).core, Mode::balanced);
    if (!layout.split) continue;  // in strips after all
    ASSERT_EQ(laid_out.plan.arenas.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(laid_out.plan.arenas[i].memory, found->result.ram.at(i).memory);
      EXPECT_EQ(laid_out.plan.arenas[i].bytes, found->result.ram.at(i).arena_bytes);
    }
  }
  EXPECT_EQ(used, 6);
}

// The same layers in real numbers and in int8: plans of the predicted and of the real int8 model agree, whole and
// in strips, and its figures are those of the way out.
TEST(Ways, Int8IsWhatAnInt8ModelTakes) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    const Compiled wide = compiled(seed, DType::f32), narrow = compiled(seed, DType::i8);
    const Int8Prediction predicted = predict_int8(wide.graph);
    ASSERT_TRUE(predicted.model.has_value()) << predicted.obstacle;
    EXPECT_EQ(predicted.model->plan.arena_bytes, narrow.plan.arena_bytes);
    EXPECT_EQ(planned_for(*predicted.model, plan_options(Mode::size)).plan.arena_bytes,
              planned_for(narrow, plan_options(Mode::size)).plan.arena_bytes);
    const Board board = board_with(narrow.plan.arena_bytes + 2000);
    const BoardFit as_float = fit_one(wide, board, Mode::balanced);
    const BoardFit as_int8 = fit_one(narrow, board, Mode::balanced);
    const Alternative* const found = way(as_float, "int8");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->arena_bytes, as_int8.arena_bytes);
    EXPECT_EQ(found->code_bytes, as_int8.code_bytes);
    EXPECT_EQ(found->stack_bytes, as_int8.stack_bytes);
    EXPECT_NEAR(found->instructions, as_int8.instructions, 0.02 * as_int8.instructions);
    // A constant that two layers have is stored once, and made-up scales are more often equal.
    const auto weights = static_cast<double>(as_int8.weight_bytes);
    EXPECT_NEAR(static_cast<double>(found->weight_bytes), weights, 0.02 * weights + 64);
  }
}

TEST_F(Program, CompileSaysThatABoardsLayoutHasStrips) {
  const std::string digits = std::string(MOTE_SOURCE_DIR) + "/examples/digits/digits.tflite";
  const Compiled model = compile_file(digits);
  const int64_t stack = fit_one(model, board_with(1 << 20), Mode::balanced).stack_bytes;
  const Board board = board_with(1000 + stack);  // whole it takes 1,088 bytes
  const BoardFit fit = fit_one(model, board, Mode::balanced);
  const Alternative* const streaming = way(fit, "streaming");
  ASSERT_NE(streaming, nullptr);
  const std::string path = file("board.json", board_json(board).dump());
  const ProcessResult result = run_process(
      {MOTE_PROGRAM, "compile", digits, "--board", path, "--no-build", "-o", out()}, std::chrono::seconds(60));
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_NE(result.output.find("strips  layers 0 to 1 run in "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find(fmt::format("memory  arena of {} B in SRAM", streaming->arena_bytes)),
            std::string::npos)
      << result.output;
}

// What a core keeps in bytes is no way out.
TEST(Ways, NarrowWeightsWhereTheCoreKeepsThem) {
  const Compiled model = compiled(3);
  Board board = board_with(1 << 20, flash_data(model.plan).weight_bytes / 2);
  for (const std::string_view target : {"rv32imac", "cortex-m4f"}) {
    board.target = target;
    for (const Mode mode : {Mode::balanced, Mode::size}) {
      const BoardFit fit = fit_one(model, board, mode);
      const bool kept = target == "rv32imac" || mode == Mode::size;
      EXPECT_EQ(way(fit, "4-bit weights") != nullptr || way(fit, "ternary weights") != nullptr, kept) << target;
    }
  }
}

TEST_F(Program, OfSharedModelsToo) {
  MOTE_NEEDS_SHARED();
  for (const char* const name : {"person_detect", "vww_96_int8", "resnet_int8"}) {
    SCOPED_TRACE(name);
    const std::string path = (test::shared_directory() / "models" / (std::string(name) + ".tflite")).string();
    const Board board = board_with(32 << 10);
    const std::string json = file("board.json", board_json(board).dump());
    const Json fit = run({"fit", path, "--board", json, "--json"})["boards"][0];
    const auto found = std::find_if(fit["alternatives"].begin(), fit["alternatives"].end(),
                                    [](const Json& one) { return one["what"] == "streaming"; });
    ASSERT_NE(found, fit["alternatives"].end());
    const Json real = run({"compile", path, "--board", json, "--no-build", "--json", "-o", out()});
    EXPECT_EQ(real["arena_bytes"], (*found)["arena_bytes"]);
    EXPECT_EQ(real["weight_bytes"], (*found)["weight_bytes"]);
  }
}

}  // namespace
}  // namespace mote
