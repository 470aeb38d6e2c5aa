// SPDX-License-Identifier: Apache-2.0
#include "device/transport.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace mote {
namespace {

constexpr std::chrono::seconds write_timeout{10};

class DescriptorTransport : public Transport {
 public:
  DescriptorTransport(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {
    fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
  }
  DescriptorTransport(const DescriptorTransport&) = delete;
  DescriptorTransport& operator=(const DescriptorTransport&) = delete;
  ~DescriptorTransport() override { close(descriptor_); }

  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    if (!wait(POLLIN, timeout)) return 0;
    const ssize_t bytes = ::read(descriptor_, to, limit);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    require(bytes > 0, "{}: the connection is lost{}", name_,
            bytes == 0 ? "" : fmt::format(" ({})", std::strerror(errno)));
    return static_cast<size_t>(bytes);
  }

  void write(ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = send_some(bytes);
      if (written < 0 && errno == EAGAIN) {
        require(wait(POLLOUT, write_timeout), "{}: nothing could be sent for {} s", name_, write_timeout.count());
        continue;
      }
      require(written >= 0 || errno == EINTR, "{}: the connection is lost ({})", name_, std::strerror(errno));
      bytes = bytes.subspan(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    }
  }

  std::string name() const override { return name_; }

 private:
  // Where the other end of a socket is gone, that is an error and no signal.
  ssize_t send_some(ByteSpan bytes) const {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? ::write(descriptor_, bytes.data(), bytes.size()) : sent;
  }
  bool wait(short event, std::chrono::milliseconds timeout) const {
    pollfd stream{descriptor_, event, 0};
    return poll(&stream, 1, static_cast<int>(timeout.count())) > 0;
  }
  int descriptor_;
  std::string name_;
};

class ProcessTransport final : public DescriptorTransport {
 public:
  ProcessTransport(int descriptor, std::string name, pid_t process)
      : DescriptorTransport(descriptor, std::move(name)), process_(process) {}
  ~ProcessTransport() override {
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

 private:
  pid_t process_;
};

}  // namespace

std::unique_ptr<Transport> descriptor_transport(int descriptor, std::string name) {
  return std::make_unique<DescriptorTransport>(descriptor, std::move(name));
}

std::unique_ptr<Transport> process_transport(const std::vector<std::string>& command, std::string name) {
  std::array<int, 2> ends{};
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "cannot make a socket: {}",
          std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> pointers;
  for (const std::string& argument : command) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t process = -1;
  const int status = posix_spawnp(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (status != 0) close(ends[0]);
  require(status == 0, "cannot start {}: {}", command[0], std::strerror(status));
  return std::make_unique<ProcessTransport>(ends[0], std::move(name), process);
}

}  // namespace mote
