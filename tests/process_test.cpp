// SPDX-License-Identifier: Apache-2.0
// Other programs end with this one, however it ends.
#include "emulate/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "support/error_text.hpp"

namespace mote {
namespace {

// Whether it comes true within ten seconds.
bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// A process that runs another in the foreground, and waits for it.
class Foreground : public testing::Test {
 protected:
  void SetUp() override {
    const std::string file = (folder_.path() / "pid").string();
    runner_ = fork();
    if (runner_ == 0) {
      run_in_foreground(
          {"sh", "-c", "echo $$ > " + file + ".new; mv " + file + ".new " + file + "; exec sleep 900"});
      _exit(7);  // it has ended, and this process cleans up
    }
    ASSERT_TRUE(soon([&] { return std::filesystem::exists(file); }));
    other_ = std::stoi(read_text(file));
  }
  void TearDown() override { kill(other_, SIGKILL); }

  int end_by(int signal) const {
    kill(runner_, signal);
    int status = 0;
    if (soon([&] { return waitpid(runner_, &status, WNOHANG) == runner_; })) return status;
    kill(runner_, SIGKILL);
    waitpid(runner_, nullptr, 0);
    return -1;
  }
  bool other_ends() const {
    return soon([&] { return kill(other_, 0) != 0; });
  }

  TemporaryDirectory folder_;
  pid_t runner_ = -1, other_ = -1;
};

TEST_F(Foreground, EndsTheOtherProgramWhenItIsAskedToEnd) {
  const int status = end_by(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_TRUE(other_ends());
}

TEST_F(Foreground, EndsTheOtherProgramWhenItsTerminalGoes) {
  const int status = end_by(SIGHUP);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_TRUE(other_ends());
}

TEST_F(Foreground, TheOtherProgramDoesNotOutliveIt) {
  const int status = end_by(SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(other_ends());
}

TEST(Process, SaysWhatEndedAndWhatCannotStart) {
  EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}, std::chrono::seconds(10)).exit_status, 128 + 9);
  EXPECT_EQ(run_process({"cat"}, std::chrono::seconds(10)).output, "") << "its input is empty";
  EXPECT_EQ(test::error_of([] { return run_process({"no-such-program"}, std::chrono::seconds(10)); }),
            "cannot start no-such-program: No such file or directory");
  const auto foreground = [](const std::vector<std::string>& command) {
    return test::error_of([&] {
      run_in_foreground(command);
      return 0;
    });
  };
  EXPECT_EQ(foreground({"sh", "-c", "exit 4"}), "sh ended with status 4");
  EXPECT_EQ(foreground({"sh", "-c", "kill -9 $$"}), "sh ended with status 137");
  EXPECT_EQ(foreground({"true"}), "no error");
  EXPECT_EQ(foreground({"no-such-program"}), "cannot start no-such-program: No such file or directory");
}

}  // namespace
}  // namespace mote
