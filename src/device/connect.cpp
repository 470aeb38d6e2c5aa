// SPDX-License-Identifier: Apache-2.0
#include "device/connect.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "target/find.hpp"

namespace mote {

namespace {

// The emulator, and the files that it was started from.
class EmulatedBoard final : public Transport {
 public:
  EmulatedBoard(const std::string& target_name, const std::optional<Key>& owner) {
    const Target& target = find_target(target_name);
    const AgentFirmware firmware = build_agent(target, directory_.path(), owner);
    stream_ = process_transport(agent_command(target, firmware.program, "stdio"), "qemu:" + target_name);
  }
  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    return stream_->read(to, limit, timeout);
  }
  void write(ByteSpan bytes) override { stream_->write(bytes); }
  std::string name() const override { return stream_->name(); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Transport> stream_;
};

std::unique_ptr<Transport> connect_tcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  require(colon != std::string::npos && colon > 6, "{}: a socket's address is tcp://HOST:PORT", address);
  const std::string host = address.substr(6, colon - 6), port = address.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  require(status == 0, "{}: {}", address, gai_strerror(status));
  int descriptor = -1, problem = 0;
  for (const addrinfo* at = found; at != nullptr && descriptor < 0; at = at->ai_next) {
    descriptor = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (descriptor < 0 || ::connect(descriptor, at->ai_addr, at->ai_addrlen) == 0) continue;
    problem = errno;
    close(descriptor);
    descriptor = -1;
  }
  freeaddrinfo(found);
  require(descriptor >= 0, "{}: nobody listens there ({})", address, std::strerror(problem));
  return descriptor_transport(descriptor, address);
}

}  // namespace

std::unique_ptr<Transport> connect(const std::string& address, const std::optional<Key>& owner) {
  if (address.starts_with("qemu:")) return std::make_unique<EmulatedBoard>(address.substr(5), owner);
  if (address.starts_with("tcp://")) return connect_tcp(address);
  fail("'{}' is no device's address; qemu:TARGET or tcp://HOST:PORT are", address);
}

}  // namespace mote
