// SPDX-License-Identifier: Apache-2.0
// The commands of `mote device` as a person types them, on an emulated board that stays.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "device/transport.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

constexpr const char* digits = MOTE_SOURCE_DIR "/examples/digits/digits.tflite";

// A board whose serial port is a pseudo-terminal: QEMU says which.
class DeviceCommands : public testing::Test {
 protected:
  DeviceCommands() {
    const AgentFirmware firmware = build_agent(find_target("rv32imac"), folder_.path());
    board_ = process_transport(agent_command(find_target("rv32imac"), firmware.program, "pty"), "board");
    std::string said;
    while (said.find('\n') == std::string::npos) {
      std::byte letter{};
      if (board_->read(&letter, 1, std::chrono::milliseconds(100)) == 1) said += static_cast<char>(letter);
    }
    const size_t begin = said.find("/dev/pts/");
    address_ = "pty:" + said.substr(begin, said.find(' ', begin) - begin);
  }

  ProcessResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {MOTE_PROGRAM, "device"});
    arguments.insert(arguments.end(), {"-d", address_});
    return run_process(arguments, std::chrono::seconds(120));
  }
  nlohmann::json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.errors;
    EXPECT_EQ(result.errors, "");
    return nlohmann::json::parse(result.output);
  }
  std::string shell(const std::string& lines) const {
    const std::string file = (folder_.path() / "lines").string();
    write_file(file, std::string_view(lines));
    const ProcessResult result = run_process(
        {"sh", "-c", std::string(MOTE_PROGRAM) + " device shell -d " + address_ + " < " + file + " 2>&1"},
        std::chrono::seconds(120));
    EXPECT_EQ(result.exit_status, 0) << result.output;
    return result.output;
  }

  TemporaryDirectory folder_;
  std::unique_ptr<Transport> board_;
  std::string address_;
};

TEST_F(DeviceCommands, ModelsComeAreCalledAndGo) {
  EXPECT_EQ(json({"hello"})["target"], "rv32imac");
  EXPECT_TRUE(json({"models"})["models"].empty());
  const nlohmann::json first = json({"load", digits, "--check"});
  EXPECT_EQ(first["kept_bytes"], 0);
  EXPECT_TRUE(first["model"]["serving"]);
  EXPECT_TRUE(json({"load", digits})["already_there"]);
  const nlohmann::json again = json({"load", digits, "--again"});
  EXPECT_GT(again["kept_bytes"], 4000);  // the weights
  EXPECT_EQ(again["sent_bytes"].get<int64_t>() + again["kept_bytes"].get<int64_t>(), first["sent_bytes"]);

  const auto input = static_cast<size_t>(first["model"]["input_bytes"].get<int64_t>());
  const std::string image = (folder_.path() / "image.bin").string(),
                    output = (folder_.path() / "out.bin").string();
  const Bytes images = read_file(MOTE_SOURCE_DIR "/examples/digits/test_images.bin"),
              outputs = read_file(MOTE_SOURCE_DIR "/examples/digits/test_outputs.bin");
  write_file(image, ByteSpan(images).first(input));
  const nlohmann::json called = json({"call", "digits", "-i", image, "-o", output, "--profile"});
  EXPECT_EQ(read_file(output),
            Bytes(outputs.begin(), outputs.begin() + static_cast<ptrdiff_t>(called["output"].size())));
  EXPECT_GT(called["profile"]["instructions"], 1000);

  const ProcessResult source = run({"load", MOTE_SOURCE_DIR "/examples/function/fir.c"});
  EXPECT_NE(source.errors.find("is a source and no model; `mote device function "), std::string::npos)
      << source.errors;
  const ProcessResult wrong = run({"call", "letters", "-i", image});
  EXPECT_EQ(wrong.exit_status, 1);
  EXPECT_NE(wrong.errors.find("no model 'letters' is on the device; there are: digits"), std::string::npos);
  const ProcessResult short_input = run({"call", "digits"});
  EXPECT_NE(short_input.errors.find("B of input, 0 B are given"), std::string::npos) << short_input.errors;

  EXPECT_EQ(json({"unload", "digits"})["unloaded"], "digits");
  const nlohmann::json region = json({"heap"})["regions"][0];
  EXPECT_EQ(region["free_bytes"], region["bytes"]);
}

TEST_F(DeviceCommands, TheShellIsOneSession) {
  write_file(folder_.path() / "text", std::string_view("sixteen letters."));
  const std::string file = (folder_.path() / "text").string();
  // The first block of an empty board begins where its memory does.
  const std::string said = shell("allocate 100\nwrite 0x82000000 " + file + "\nread 0x82000000 16\nnonsense\n" +
                                 "write 0x82001000 " + file + "\nrelease 0x82000000\nread 0x82000000 16\nquit\n");
  EXPECT_NE(said.find("0x82000000: 100 B"), std::string::npos) << said;
  EXPECT_NE(said.find("sixteen letters."), std::string::npos) << said;
  EXPECT_NE(said.find("the memory at 0x82001000 is not this session's"), std::string::npos) << said;
  EXPECT_NE(said.find("reading memory failed: the memory at 0x82000000 is not this session's"), std::string::npos)
      << said;
}

TEST_F(DeviceCommands, ManyDevicesAtOnceAndOneThatIsNotThere) {
  const std::string list = (folder_.path() / "devices.txt").string();
  write_file(list, std::string_view("# the laboratory\n" + address_ +
                                    "\nqemu:rv32imafc  # another\ntcp://127.0.0.1:1\n"));
  const ProcessResult result = run_process(
      {MOTE_PROGRAM, "device", "load", digits, "--to", list, "--check", "--json"}, std::chrono::seconds(120));
  EXPECT_EQ(result.exit_status, 1);
  const nlohmann::json all = nlohmann::json::parse(result.output);
  ASSERT_EQ(all["devices"].size(), 3U);
  EXPECT_EQ(all["failed"], 1);
  EXPECT_TRUE(all["devices"][0]["load"]["model"]["serving"]);
  EXPECT_TRUE(all["devices"][1]["load"]["model"]["serving"]);
  EXPECT_NE(all["devices"][2]["error"].get<std::string>().find("tcp://127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(json({"models"})["models"][0]["calls"], 1);  // its check
}

TEST_F(DeviceCommands, TheFlagGoesBeforeTheEnvironment) {
  const auto hello = [&](const std::string& environment, const std::vector<std::string>& flags) {
    std::vector<std::string> command{"env", environment, MOTE_PROGRAM, "device", "hello"};
    command.insert(command.end(), flags.begin(), flags.end());
    return run_process(command, std::chrono::seconds(120));
  };
  EXPECT_EQ(hello("MOTE_DEVICE=" + address_, {}).exit_status, 0);
  EXPECT_EQ(hello("MOTE_DEVICE=tcp://127.0.0.1:1", {"-d", address_}).exit_status, 0);
  const ProcessResult flag = hello("MOTE_DEVICE=" + address_, {"-d", "tcp://127.0.0.1:1"});
  EXPECT_EQ(flag.exit_status, 1);
  EXPECT_NE(flag.errors.find("tcp://127.0.0.1:1"), std::string::npos) << flag.errors;
  EXPECT_NE(hello("MOTE_DEVICE=", {}).errors.find("which device?"), std::string::npos);
}

TEST_F(DeviceCommands, AFunctionIsLoadedByItsSource) {
  const std::string source = MOTE_SOURCE_DIR "/examples/function/fir.c";
  const nlohmann::json loaded = json({"load", "--source", source, "--function", "fir"});
  EXPECT_EQ(loaded["model"]["name"], "fir");
  EXPECT_FALSE(loaded.contains("result"));
  EXPECT_NE(run({"load"}).errors.find("--source FILE --function NAME"), std::string::npos);
  EXPECT_NE(run({"load", "--source", source}).exit_status, 0);
  EXPECT_NE(run({"load", digits, "--source", source, "--function", "fir"}).exit_status, 0);
}

TEST_F(DeviceCommands, TheLinkCarriesPayload) {
  const nlohmann::json bench = json({"bench", "--bytes", "65536"});
  EXPECT_GE(bench["write_payload_share"], 0.9);
  EXPECT_GE(bench["read_payload_share"], 0.9);
}

TEST_F(DeviceCommands, WatchLoadsWhatChanges) {
  const std::string model = (folder_.path() / "watched.tflite").string();
  write_file(model, read_file(digits));
  const ProcessResult result = run({"watch", model, "--count", "1", "--check"});
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_NE(result.output.find("watched serves on qemu-virt"), std::string::npos) << result.output;
  const ProcessResult alone =
      run_process({MOTE_PROGRAM, "watch", model, "--count", "1", "-d", address_}, std::chrono::seconds(120));
  EXPECT_NE(alone.output.find("watched"), std::string::npos) << alone.output << alone.errors;
  EXPECT_EQ(alone.exit_status, 0);
  EXPECT_NE(run({"watch", model + "x", "--count", "1"}).errors.find("watched.tflitex"), std::string::npos);
}

}  // namespace
}  // namespace mote
