// SPDX-License-Identifier: Apache-2.0
#include "device/serial.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <libserialport.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/files.hpp"
#include "base/nearest.hpp"
#include "device/terminal.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr unsigned usual_speed = 115200, most_speed = 50'000'000;
constexpr size_t shown_ports = 5;

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

SerialPort describe(const sp_port* port) {
  SerialPort found{text_of(sp_get_port_name(port)), text_of(sp_get_port_description(port)), ""};
  int vendor = 0, product = 0;
  if (sp_get_port_transport(port) == SP_TRANSPORT_USB &&
      sp_get_port_usb_vid_pid(port, &vendor, &product) == SP_OK) {
    found.usb = fmt::format("{:04x}:{:04x}", vendor, product);
    const std::string serial = text_of(sp_get_port_usb_serial(port));
    if (!serial.empty()) found.usb += " " + serial;
  }
  return found;
}

// "there is /dev/ttyACM0 (Pico), ..."
std::string known_ports(const std::string& wanted) {
  std::vector<std::string> names;
  for (const SerialPort& port : list_serial_ports()) names.push_back(port.path);
  if (names.empty()) return "this machine has none: is the board plugged in, and its cable one for data?";
  names = nearest_first(wanted, std::move(names));
  const size_t more = names.size() > shown_ports ? names.size() - shown_ports : 0;
  names.resize(names.size() - more);
  return fmt::format("there is {}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

// " (picocom, process 812)", as far as we may know.
std::string holder_of(const std::string& path) {
  std::error_code problem;
  const fs::path real = fs::canonical(path, problem);
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", problem)) {
    const std::string number = process.path().filename().string();
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(process.path() / "fd", problem)) {
      std::error_code gone;
      if (fs::read_symlink(file.path(), gone) != real || number == std::to_string(getpid())) continue;
      std::string program = read_text(process.path() / "comm");
      while (program.ends_with('\n')) program.pop_back();
      return fmt::format(" ({}, process {})", program, number);
    }
  }
  return "";
}

[[noreturn]] void fail_taken(const std::string& path) {
  fail("{}: another program{} has the port open; close it there", path, holder_of(path));
}

[[noreturn]] void fail_forbidden(const std::string& path) {
  struct stat file {};
  const group* const owner = stat(path.c_str(), &file) == 0 ? getgrgid(file.st_gid) : nullptr;
  if (owner == nullptr || (file.st_mode & S_IWGRP) == 0) fail("{}: you may not use the port", path);
  fail("{}: you may not use the port; its group may: sudo usermod -aG {} $USER, then log in again", path,
       owner->gr_name);
}

void require_port(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) fail("{}: there is no such port; {}", path, known_ports(path));
  require(S_ISCHR(file.st_mode), "{}: is no serial port; {}", path, known_ports(path));
  if (access(path.c_str(), R_OK | W_OK) != 0) fail_forbidden(path);
}

// One who opens a terminal may wait for a carrier, get its signals, or take it from another program: none of
// these.
int open_terminal(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0) return descriptor;
  const int problem = errno;
  if (problem == EBUSY) fail_taken(path);
  if (problem == EACCES || problem == EPERM) fail_forbidden(path);
  // So say the system's places for ports that no hardware has.
  require(problem != ENOTTY && problem != EIO && problem != ENXIO, "{}: is no serial port; {}", path,
          known_ports(path));
  fail("{}: cannot be opened: {}", path, std::strerror(problem));
}

void configure(int descriptor, const std::string& path, unsigned speed) {
  const int problem = make_raw(descriptor, speed);
  require(problem != ENOTTY && problem != EIO, "{}: is no serial port; {}", path, known_ports(path));
  require(problem != ERANGE, "{}: the port cannot run at {} baud; choose another speed", path, speed);
  require(problem == 0, "{}: cannot be set up: {}", path, std::strerror(problem));
}

struct SerialAddress {
  std::string path;
  unsigned speed = usual_speed;
};

SerialAddress parse(const std::string& address) {
  const size_t at = address.rfind('@');
  if (at == std::string::npos) return {address, usual_speed};
  SerialAddress parsed{address.substr(0, at), 0};
  const std::string_view digits = std::string_view(address).substr(at + 1);
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.speed);
  require(problem == std::errc() && end == digits.data() + digits.size() && parsed.speed >= 50 &&
              parsed.speed <= most_speed,
          "{}: behind @ stands the speed in baud, as in {}@{}", address, parsed.path, usual_speed);
  return parsed;
}

// One program at a time: both locks are customary, and neither sees the other.
void lock(int descriptor, const std::string& path) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) fail_taken(path);
  ioctl(descriptor, TIOCEXCL);
}

}  // namespace

std::vector<SerialPort> list_serial_ports() {
  sp_port** list = nullptr;
  require(sp_list_ports(&list) == SP_OK, "the serial ports of this machine cannot be listed");
  std::vector<SerialPort> ports;
  for (sp_port** next = list; *next != nullptr; ++next) ports.push_back(describe(*next));
  sp_free_port_list(list);
  std::ranges::sort(ports, {}, &SerialPort::path);
  return ports;
}

std::unique_ptr<Transport> connect_serial(const std::string& address) {
  const SerialAddress parsed = parse(address);
  require_port(parsed.path);
  const int descriptor = open_terminal(parsed.path);
  std::unique_ptr<Transport> stream = descriptor_transport(descriptor, parsed.path);
  lock(descriptor, parsed.path);
  configure(descriptor, parsed.path, parsed.speed);
  return stream;
}

std::unique_ptr<Transport> connect_pty(const std::string& address) {
  const std::string path = address.starts_with("pty:") ? address.substr(4) : address;
  require(fs::exists(path), "{}: there is no such terminal; the emulator that makes one prints its path", path);
  const int descriptor = open_terminal(path);
  std::unique_ptr<Transport> stream = descriptor_transport(descriptor, path);
  require(make_raw(descriptor, 0) == 0, "{}: is no terminal; the emulator that makes one prints its path", path);
  return stream;
}

}  // namespace mote
