// SPDX-License-Identifier: Apache-2.0
// mote device log, monitor, bench: what happens there, and how fast the link is.
#include <unistd.h>

#include <random>
#include <thread>

#include "common.hpp"
#include "device_session.hpp"

namespace mote::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct WatchFlags {
  bool follow = false;
  double interval = 1;
  int64_t count = 0, bytes = 1 << 18;
};

void pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

void log(DeviceSession& session, const WatchFlags& flags) {
  uint32_t position = 0;
  std::string text = session.device().log(position);
  if (session.json()) return print_json({{"log", text}, {"position", position}});
  for (;;) {
    fmt::print("{}", text);
    std::fflush(stdout);
    if (!flags.follow) return;
    pause(0.2);
    text = session.device().log(position);
  }
}

// One picture an interval: on a terminal in the place of the one before.
void monitor(DeviceSession& session, const WatchFlags& flags) {
  Device& device = session.device();
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  uint32_t position = 0;
  for (int64_t i = 0; flags.count == 0 || i < flags.count; ++i) {
    if (i != 0) pause(flags.interval);
    const std::vector<DeviceRegion> regions = device.heap();
    const std::vector<DeviceModel> models = device.models();
    const std::string text = device.log(position);
    if (session.json()) {
      auto all = nlohmann::ordered_json::array();
      for (const DeviceModel& model : models) all.push_back(model_json(model));
      fmt::print(
          "{}\n",
          nlohmann::ordered_json{{"free_bytes", regions.at(0).free}, {"models", all}, {"log", text}}.dump());
    } else {
      if (terminal) fmt::print("\033[H\033[J");
      fmt::print("{} on {}\n", device.info().target, device.info().board);
      print_regions(regions);
      print_models(models);
      if (!text.empty()) fmt::print("{}\n", text);
    }
    std::fflush(stdout);
  }
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Payload of all bytes on the wire, in one direction.
struct Transfer {
  double seconds = 0, payload_share = 0;
};

Transfer timed(Device& device, int64_t payload, const std::function<void()>& transfer, bool out) {
  const LinkStatistics before = device.statistics();
  const Clock::time_point begin = Clock::now();
  transfer();
  const double seconds = seconds_since(begin);
  const LinkStatistics& after = device.statistics();
  const int64_t wire = out ? after.bytes_out - before.bytes_out : after.bytes_in - before.bytes_in;
  return {seconds, static_cast<double>(payload) / static_cast<double>(std::max<int64_t>(wire, 1))};
}

void bench(DeviceSession& session, const WatchFlags& flags) {
  Device& device = session.device();
  const uint32_t address = device.allocate(wire::Kind::data, flags.bytes);
  std::mt19937 random(1);
  Bytes bytes(static_cast<size_t>(flags.bytes));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  Bytes back;
  const Transfer up = timed(
      device, flags.bytes, [&] { device.write(address, bytes); }, true);
  const Transfer down = timed(
      device, flags.bytes, [&] { back = device.read(address, flags.bytes); }, false);
  require(back == bytes, "{}: what was read is not what was written", session.address());
  constexpr int rounds = 50;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < rounds; ++i) (void)device.read(address, 4);
  const double round = seconds_since(begin) / rounds;
  device.release(address);
  const auto speed = [&](const Transfer& transfer) { return static_cast<double>(flags.bytes) / transfer.seconds; };
  session.show({{"bytes", flags.bytes},
                {"write_bytes_per_second", speed(up)},
                {"write_payload_share", up.payload_share},
                {"read_bytes_per_second", speed(down)},
                {"read_payload_share", down.payload_share},
                {"round_trip_seconds", round},
                {"repeated", device.statistics().repeated}},
               [&] {
                 fmt::print("write  {:>12} B/s, {:.1f} % of the bytes on the wire are payload\n",
                            thousands(static_cast<int64_t>(speed(up))), 100 * up.payload_share);
                 fmt::print("read   {:>12} B/s, {:.1f} %\n", thousands(static_cast<int64_t>(speed(down))),
                            100 * down.payload_share);
                 fmt::print("a request and its answer take {:.2f} ms; {} were repeated\n", 1000 * round,
                            device.statistics().repeated);
               });
}

}  // namespace

void add_device_watch(CLI::App& parent, const SessionPointer& session) {
  const auto add = [&](const char* name, const char* what, void (*own)(DeviceSession&, const WatchFlags&)) {
    const auto flags = std::make_shared<WatchFlags>();
    CLI::App* const command = parent.add_subcommand(name, what);
    session->add_flags(*command);
    command->callback([session, flags, own] { own(*session, *flags); });
    return std::pair(command, flags);
  };
  const auto [log_command, log_flags] = add("log", "what loaded code has written with mote_log", log);
  log_command->add_flag("-f,--follow", log_flags->follow, "go on until Ctrl-C");
  const auto [monitor_command, monitor_flags] = add("monitor", "memory, models and log, again and again", monitor);
  monitor_command->add_option("--interval", monitor_flags->interval, "seconds")
      ->capture_default_str()
      ->check(positive());
  monitor_command->add_option("--count", monitor_flags->count, "so many pictures; default: until Ctrl-C")
      ->check(positive());
  const auto [bench_command, bench_flags] = add("bench", "how fast the link is", bench);
  bench_command->add_option("--bytes", bench_flags->bytes, "that are written and read")
      ->capture_default_str()
      ->check(positive());
}

}  // namespace mote::cli
