// SPDX-License-Identifier: Apache-2.0
#include "device/tcp.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mote {

namespace {

constexpr std::chrono::milliseconds answer_timeout{5000};

struct HostAndPort {
  std::string host, port;
};

HostAndPort parse(const std::string& address) {
  constexpr std::string_view scheme = "tcp://";
  const auto wrong = [&] { fail("{}: a socket's address is tcp://HOST:PORT, or tcp://[IPV6]:PORT", address); };
  if (!address.starts_with(scheme)) wrong();
  std::string rest = address.substr(scheme.size());
  while (rest.ends_with('/')) rest.pop_back();
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == rest.size()) wrong();
  HostAndPort parsed{rest.substr(0, colon), rest.substr(colon + 1)};
  const bool bracketed = parsed.host.starts_with('[') && parsed.host.ends_with(']');
  if (bracketed) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  if (parsed.port.find_first_not_of("0123456789") != std::string::npos) wrong();
  if (!bracketed && parsed.host.find(':') != std::string::npos) wrong();
  return parsed;
}

// 0 or an error number.
int finish_connecting(int descriptor) {
  pollfd stream{descriptor, POLLOUT, 0};
  if (poll(&stream, 1, static_cast<int>(answer_timeout.count())) <= 0) return ETIMEDOUT;
  int problem = 0;
  socklen_t bytes = sizeof problem;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &bytes);
  return problem;
}

// The descriptor, or -1 and why.
int try_one(const addrinfo& at, int& problem) {
  const int descriptor = socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at.ai_protocol);
  if (descriptor < 0) {
    problem = errno;
    return -1;
  }
  problem = connect(descriptor, at.ai_addr, at.ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) problem = finish_connecting(descriptor);
  if (problem == 0) return descriptor;
  close(descriptor);
  return -1;
}

}  // namespace

std::unique_ptr<Transport> connect_tcp(const std::string& address) {
  const HostAndPort parsed = parse(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(parsed.host.c_str(), parsed.port.c_str(), &hints, &found);
  require(status == 0, "{}: the host '{}' is not known: {}", address, parsed.host, gai_strerror(status));
  int descriptor = -1, problem = 0;
  for (const addrinfo* at = found; at != nullptr && descriptor < 0; at = at->ai_next)
    descriptor = try_one(*at, problem);
  freeaddrinfo(found);
  require(descriptor >= 0, "{}: nobody answers there: {}", address, std::strerror(problem));
  const int on = 1;  // frames are small and waited for
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor_transport(descriptor, address);
}

}  // namespace mote
