// SPDX-License-Identifier: Apache-2.0
// Streams to devices over real sockets and pseudo-terminals, and what is said when there is nobody.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <thread>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/connect.hpp"
#include "device/serial.hpp"
#include "device/tcp.hpp"
#include "support/error_text.hpp"

namespace mote {
namespace {

using test::error_of;

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Every byte there is, and those that terminals treat: line ends, control characters, flow control, erase.
Bytes awkward_bytes() {
  Bytes bytes;
  for (int round = 0; round < 2; ++round) {
    for (int value = 0; value < 256; ++value)
      bytes.push_back(static_cast<std::byte>(round == 0 ? value : 255 - value));
  }
  for (const int value : {13, 10, 13, 3, 4, 17, 19, 19, 26, 28, 127, 8, 21, 255, 255, 0}) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

Bytes read_all(Transport& stream, size_t bytes) {
  Bytes all;
  std::byte buffer[100];
  for (int idle = 0; all.size() < bytes && idle < 50;) {
    const size_t got = stream.read(buffer, sizeof buffer, milliseconds(20));
    all.insert(all.end(), buffer, buffer + got);
    idle = got == 0 ? idle + 1 : 0;
  }
  return all;
}

Bytes read_descriptor(int descriptor, size_t bytes) {
  Bytes all(bytes);
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = read(descriptor, all.data() + done, bytes - done);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  all.resize(done);
  return all;
}

void write_descriptor(int descriptor, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    ASSERT_GT(written, 0);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

// Whatever is sent arrives, in both directions; a read without bytes ends in time.
void expect_carries(Transport& stream, int other_end) {
  const Bytes bytes = awkward_bytes();
  stream.write(bytes);
  EXPECT_EQ(read_descriptor(other_end, bytes.size()), bytes);
  write_descriptor(other_end, bytes);
  EXPECT_EQ(read_all(stream, bytes.size()), bytes);
  const Clock::time_point begin = Clock::now();
  std::byte none{};
  EXPECT_EQ(stream.read(&none, 1, milliseconds(50)), 0U);
  EXPECT_GE(Clock::now() - begin, milliseconds(45));
  EXPECT_LT(Clock::now() - begin, milliseconds(2000));
}

class Terminal {
 public:
  Terminal() {
    char name[100];
    EXPECT_EQ(openpty(&master_, &slave_, name, nullptr, nullptr), 0);
    path_ = name;
    close(slave_);
  }
  ~Terminal() { hang_up(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  void hang_up() {
    if (master_ >= 0) close(master_);
    master_ = -1;
  }
  [[nodiscard]] int master() const { return master_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int master_ = -1, slave_ = -1;
  std::string path_;
};

// <termios.h> has no speeds without a name: the kernel's struct termios2, whose last word it is.
uint32_t speed_of(int descriptor) {
  uint32_t words[11] = {};
  EXPECT_EQ(ioctl(descriptor, _IOC(_IOC_READ, 'T', 0x2A, sizeof words), words), 0);
  return words[10];
}

class Listener {
 public:
  explicit Listener(int family = AF_INET) : descriptor_(socket(family, SOCK_STREAM, 0)) {
    if (family == AF_INET6) {
      sockaddr_in6 any{};
      any.sin6_family = AF_INET6;
      any.sin6_addr = in6addr_loopback;
      bound_ = bind(descriptor_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
    } else {
      sockaddr_in any{};
      any.sin_family = AF_INET;
      any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      bound_ = bind(descriptor_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
    }
    bound_ = bound_ && listen(descriptor_, 4) == 0;
    sockaddr_storage name{};
    socklen_t bytes = sizeof name;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&name), &bytes);
    port_ = ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                     : reinterpret_cast<sockaddr_in&>(name).sin_port);
  }
  ~Listener() { close(descriptor_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int accept_one() const { return accept(descriptor_, nullptr, nullptr); }

 private:
  int descriptor_;
  bool bound_ = false;
  int port_ = 0;
};

TEST(Tcp, CarriesEveryByteBothWays) {
  const Listener listener;
  const std::string address = fmt::format("tcp://127.0.0.1:{}", listener.port());
  const std::unique_ptr<Transport> stream = connect_tcp(address);
  EXPECT_EQ(stream->name(), address);
  const int other = listener.accept_one();
  expect_carries(*stream, other);
  close(other);
  std::byte none{};
  EXPECT_EQ(error_of([&] { return stream->read(&none, 1, milliseconds(1000)); }),
            address + ": the connection is lost");
}

TEST(Tcp, KnowsHostsByNameAndIpv6) {
  const Listener listener;
  EXPECT_NE(connect_tcp(fmt::format("tcp://localhost:{}/", listener.port())), nullptr);
  const Listener six(AF_INET6);
  if (!six.bound()) GTEST_SKIP() << "this machine has no IPv6";
  EXPECT_NE(connect_tcp(fmt::format("tcp://[::1]:{}", six.port())), nullptr);
}

TEST(Tcp, AnEndThatIsGoneIsNoSignal) {
  const Listener listener;
  const std::string address = fmt::format("tcp://127.0.0.1:{}", listener.port());
  const std::unique_ptr<Transport> stream = connect_tcp(address);
  close(listener.accept_one());
  const std::string problem = error_of([&] {
    for (int i = 0; i < 100; ++i) {
      stream->write(Bytes(1000));
      std::this_thread::sleep_for(milliseconds(1));
    }
    return 0;
  });
  EXPECT_TRUE(problem.starts_with(address + ": the connection is lost (")) << problem;
}

TEST(Tcp, MoreThanTheSocketHoldsIsSentAsTheOtherEndReads) {
  const Listener listener;
  const std::unique_ptr<Transport> stream = connect_tcp(fmt::format("tcp://127.0.0.1:{}", listener.port()));
  const int other = listener.accept_one();
  Bytes many(20 << 20);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::byte>(i * 2654435761U >> 13);
  Bytes got;
  std::thread reader([&] { got = read_descriptor(other, many.size()); });
  stream->write(many);
  reader.join();
  EXPECT_EQ(got, many);
  close(other);
}

TEST(Address, SaysWhatKindItIs) {
  const Terminal terminal;
  EXPECT_EQ(connect(terminal.path() + "@9600")->name(), terminal.path());
  EXPECT_EQ(speed_of(terminal.master()), 9600U);
  EXPECT_EQ(connect("pty:" + terminal.path())->name(), terminal.path());
  const Listener listener;
  const std::string tcp = fmt::format("tcp://localhost:{}", listener.port());
  EXPECT_EQ(connect(tcp)->name(), tcp);
  EXPECT_EQ(error_of([] { return connect("COM3"); }),
            "'COM3' is no device's address; /dev/PORT, tcp://HOST:PORT, pty:/dev/pts/NUMBER and qemu:TARGET are");
}

TEST(Tcp, NobodyThere) {
  int port = 0;
  {
    const Listener closed;
    port = closed.port();
  }
  const std::string address = fmt::format("tcp://127.0.0.1:{}", port);
  EXPECT_EQ(error_of([&] { return connect_tcp(address); }),
            address + ": nobody answers there: Connection refused");
  EXPECT_TRUE(error_of([] {
                return connect_tcp("tcp://no-such-host.invalid:5555");
              }).starts_with("tcp://no-such-host.invalid:5555: the host 'no-such-host.invalid' is not known: "));
  for (const char* const wrong :
       {"tcp://host", "tcp://:5", "tcp://host:", "tcp://host:http", "tcp://::1:5", "host:5"}) {
    EXPECT_EQ(error_of([&] { return connect_tcp(wrong); }),
              std::string(wrong) + ": a socket's address is tcp://HOST:PORT, or tcp://[IPV6]:PORT");
  }
}

TEST(Pty, CarriesEveryByteBothWays) {
  Terminal terminal;
  const std::unique_ptr<Transport> stream = connect_pty("pty:" + terminal.path());
  EXPECT_EQ(stream->name(), terminal.path());
  expect_carries(*stream, terminal.master());
  terminal.hang_up();
  std::byte none{};
  EXPECT_TRUE(error_of([&] {
                return stream->read(&none, 1, milliseconds(1000));
              }).starts_with(terminal.path() + ": the connection is lost"));
  EXPECT_TRUE(error_of([&] {
                return stream->write(Bytes(1)), 0;
              }).starts_with(terminal.path() + ": the connection is lost"));
}

TEST(Pty, IsATerminal) {
  EXPECT_EQ(error_of([] { return connect_pty("pty:/dev/pts/none"); }),
            "/dev/pts/none: there is no such terminal; the emulator that makes one prints its path");
  EXPECT_EQ(error_of([] { return connect_pty("pty:/dev/null"); }),
            "/dev/null: is no terminal; the emulator that makes one prints its path");
}

TEST(Serial, CarriesEveryByteBothWays) {
  Terminal terminal;
  termios settings{};
  ASSERT_EQ(tcgetattr(terminal.master(), &settings), 0);
  settings.c_cflag |= HUPCL | CRTSCTS | CSTOPB | PARENB;  // as another program may have left it
  settings.c_iflag |= IXON | ISTRIP | INLCR;
  ASSERT_EQ(tcsetattr(terminal.master(), TCSANOW, &settings), 0);
  const std::unique_ptr<Transport> stream = connect_serial(terminal.path() + "@1234567");
  EXPECT_EQ(stream->name(), terminal.path());
  expect_carries(*stream, terminal.master());
  ASSERT_EQ(tcgetattr(terminal.master(), &settings), 0);
  // HUPCL: closing would reset many a board.
  EXPECT_EQ(settings.c_cflag & static_cast<tcflag_t>(HUPCL | CRTSCTS | CSTOPB | PARENB), 0U);
  EXPECT_EQ(speed_of(terminal.master()), 1234567U);
  terminal.hang_up();
  std::byte none{};
  EXPECT_TRUE(error_of([&] {
                return stream->read(&none, 1, milliseconds(1000));
              }).starts_with(terminal.path() + ": the connection is lost"));
}

TEST(Serial, RunsAtTheUsualSpeedWithoutOne) {
  const Terminal terminal;
  const std::unique_ptr<Transport> stream = connect_serial(terminal.path());
  EXPECT_EQ(speed_of(terminal.master()), 115200U);
}

TEST(Serial, SpeedsAreNumbers) {
  EXPECT_EQ(error_of([] { return connect_serial("/dev/ttyX@fast"); }),
            "/dev/ttyX@fast: behind @ stands the speed in baud, as in /dev/ttyX@115200");
  for (const char* const wrong :
       {"/dev/ttyX@", "/dev/ttyX@-5", "/dev/ttyX@0", "/dev/ttyX@49", "/dev/ttyX@9600x", "/dev/ttyX@99999999999"}) {
    EXPECT_NE(error_of([&] { return connect_serial(wrong); }).find("behind @ stands the speed"), std::string::npos)
        << wrong;
  }
}

TEST(Serial, ATakenPortNamesTheProgramThatHasIt) {
  const Terminal terminal;
  const std::unique_ptr<Transport> first = connect_serial(terminal.path());
  EXPECT_EQ(error_of([&] { return connect_serial(terminal.path()); }),
            terminal.path() + ": another program has the port open; close it there");
  const Terminal other;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int descriptor = open(other.path().c_str(), O_RDWR | O_NOCTTY);
    flock(descriptor, LOCK_EX);
    (void)!write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(error_of([&] { return connect_serial(other.path()); }),
            fmt::format("{}: another program (device_transpor, process {}) has the port open; close it there",
                        other.path(), child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]), close(ready[1]);
  EXPECT_EQ(error_of([&] { return connect_serial(other.path()); }), "no error");
}

TEST(Serial, APortCanBeOpenedAgain) {
  const Terminal terminal;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error_of([&] { return connect_serial(terminal.path()); }), "no error");
}

TEST(Serial, MissingPortsAndOtherFiles) {
  std::vector<std::string> names;
  for (const SerialPort& port : list_serial_ports()) names.push_back(port.path);
  const std::string missing = error_of([] { return connect_serial("/dev/ttyMote7"); });
  EXPECT_TRUE(missing.starts_with("/dev/ttyMote7: there is no such port; ")) << missing;
  if (names.empty()) {
    EXPECT_TRUE(missing.ends_with("this machine has none: is the board plugged in, and its cable one for data?"));
  } else {
    EXPECT_NE(missing.find(" there is /dev/"), std::string::npos) << missing;
  }
  const TemporaryDirectory folder;
  write_file(folder.path() / "file", std::string_view("text"));
  for (const std::string& path : {(folder.path() / "file").string(), std::string("/dev/null")}) {
    EXPECT_TRUE(error_of([&] { return connect_serial(path); }).starts_with(path + ": is no serial port; "))
        << path;
  }
  EXPECT_EQ(read_text(folder.path() / "file"), "text");
}

// What the error says to somebody who may not use the port.
TEST(Serial, ForbiddenPortsNameTheGroupThatMay) {
  const Terminal terminal;
  ASSERT_EQ(chmod(terminal.path().c_str(), 0060), 0);
  struct stat file {};
  ASSERT_EQ(stat(terminal.path().c_str(), &file), 0);
  int text[2];
  ASSERT_EQ(pipe(text), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(1);
    const std::string problem = error_of([&] { return connect_serial(terminal.path()); });
    (void)!write(text[1], problem.data(), problem.size());
    _exit(0);
  }
  close(text[1]);
  const Bytes bytes = read_descriptor(text[0], 1000);
  waitpid(child, nullptr, 0);
  close(text[0]);
  const std::string problem(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(
      problem.starts_with(terminal.path() + ": you may not use the port; its group may: sudo usermod -aG "))
      << problem;
  EXPECT_TRUE(problem.ends_with(" $USER, then log in again")) << problem;
}

TEST(Serial, PortsAreListedOnceEachInOrder) {
  const std::vector<SerialPort> ports = list_serial_ports();
  for (size_t i = 0; i < ports.size(); ++i) {
    EXPECT_TRUE(ports[i].path.starts_with("/")) << ports[i].path;
    EXPECT_TRUE(i == 0 || ports[i - 1].path < ports[i].path);
  }
}

}  // namespace
}  // namespace mote
