// SPDX-License-Identifier: Apache-2.0
#include "emulate/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"

namespace mote {
namespace {

using Clock = std::chrono::steady_clock;

class Pipe {
 public:
  Pipe() { require(pipe2(ends_.data(), O_CLOEXEC) == 0, "cannot make a pipe: {}", std::strerror(errno)); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_end(size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// What the new process runs until it is another program; nothing here may allocate memory. Returns when that
// fails.
void become(char* const* arguments, pid_t parent, const std::array<int, 3>& streams, const sigset_t& signals) {
  // Whatever ends this program, its tools end with it.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(EXIT_FAILURE);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  for (int stream = 0; stream < 3; ++stream) {
    const int from = streams[static_cast<size_t>(stream)];
    if (from != stream && dup2(from, stream) < 0) return;
  }
  execvp(arguments[0], arguments);
}

// `streams`: what shall be its standard input, output and errors; `signals`: what it has blocked.
pid_t spawn(const std::vector<std::string>& arguments, const std::array<int, 3>& streams,
            const sigset_t& signals) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  Pipe failure;  // closed by the start of the program, or else told why there is none
  const pid_t parent = getpid(), process = fork();
  if (process == 0) {
    become(pointers.data(), parent, streams, signals);
    const int reason = errno;
    (void)!write(failure.write_end(), &reason, sizeof reason);
    _exit(EXIT_FAILURE);
  }
  require(process > 0, "cannot start {}: {}", arguments[0], std::strerror(errno));
  failure.close_end(1);
  int reason = 0;
  const bool failed = read(failure.read_end(), &reason, sizeof reason) == sizeof reason;
  if (failed) waitpid(process, nullptr, 0);
  require(!failed, "cannot start {}: {}", arguments[0], std::strerror(reason));
  return process;
}

int status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Appends what is there; false at the end of the stream.
bool drain(int descriptor, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t bytes = read(descriptor, buffer.data(), buffer.size());
  if (bytes > 0) text.append(buffer.data(), static_cast<size_t>(bytes));
  return bytes > 0 || (bytes < 0 && errno == EINTR);
}

// Reads both streams to their ends; false when the time was over before.
bool collect(int output, int errors, Clock::time_point end, ProcessResult& result) {
  std::array<pollfd, 2> streams{pollfd{output, POLLIN, 0}, pollfd{errors, POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    if (poll(streams.data(), streams.size(), static_cast<int>(std::min<int64_t>(left, 60'000))) <= 0) continue;
    if (streams[0].revents != 0 && !drain(output, result.output)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !drain(errors, result.errors)) streams[1].fd = -1;
  }
  return true;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, std::chrono::seconds timeout) {
  Pipe output, errors;
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  sigset_t signals;
  pthread_sigmask(SIG_SETMASK, nullptr, &signals);
  const pid_t process = spawn(arguments, {nothing, output.write_end(), errors.write_end()}, signals);
  close(nothing);
  output.close_end(1);
  errors.close_end(1);
  ProcessResult result;
  result.timed_out = !collect(output.read_end(), errors.read_end(), Clock::now() + timeout, result);
  if (result.timed_out) kill(process, SIGKILL);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_status = status_of(status);
  return result;
}

void run_in_foreground(const std::vector<std::string>& arguments) {
  // Taken one at a time below. Ctrl-C reaches the other program by itself; what else asks to end is passed on, and
  // this one goes on to clean up.
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  pid_t process = -1;
  try {
    process = spawn(arguments, {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, before);
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  bool asked = false;
  int status = 0;
  while (waitpid(process, &status, WNOHANG) == 0) {
    const int signal = sigwaitinfo(&signals, nullptr);
    if (signal == SIGTERM || signal == SIGHUP) kill(process, SIGTERM);
    asked = asked || (signal > 0 && signal != SIGCHLD);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  require(asked || status == 0, "{} ended with status {}", arguments[0], status_of(status));
}

void require_program(std::string_view program, std::string_view debian_packages) {
  if (program.find('/') != std::string_view::npos && access(std::string(program).c_str(), X_OK) == 0) return;
  const char* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "/usr/bin:/bin" : path;
  while (!folders.empty()) {
    const size_t end = std::min(folders.find(':'), folders.size());
    const std::string file = std::string(folders.substr(0, end)) + "/" + std::string(program);
    if (access(file.c_str(), X_OK) == 0) return;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  fail("{} is not installed; on Debian or Ubuntu: apt-get install {}", program, debian_packages);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end != 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string tail(std::string_view text, size_t lines) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  size_t begin = text.size();
  for (; lines != 0 && begin != 0; --lines) {
    const size_t found = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
    begin = found == std::string_view::npos ? 0 : found;
  }
  if (begin < text.size() && text[begin] == '\n') ++begin;
  return std::string(text.substr(begin));
}

}  // namespace mote
