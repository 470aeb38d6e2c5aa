// SPDX-License-Identifier: Apache-2.0
// mote device load: compile for the device and put it into service, on one device or on many.
#include <atomic>
#include <fstream>
#include <thread>

#include "common.hpp"
#include "device/loader.hpp"
#include "device_session.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

struct LoadFlags {
  ModelFile model;
  std::string mode = "balanced", name, fleet;
  bool again = false, check = false;
};

// A model for each target that asks for it, compiled once.
class Programs {
 public:
  explicit Programs(const LoadFlags& flags) : flags_(flags) {}

  struct Entry {
    Compiled compiled;
    Program program;
  };
  const Entry& for_target(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found != entries_.end()) return *found->second;
    const Target& target = find_target(name);
    const Mode mode = parse_mode(flags_.mode);
    auto entry = std::make_unique<Entry>();
    entry->compiled = compile(flags_.model, plan_options(mode, target.core));
    entry->program = compile_for_device(entry->compiled, target, mode);
    if (!flags_.name.empty()) entry->program.name = flags_.name;
    return *entries_.emplace(name, std::move(entry)).first->second;
  }

 private:
  const LoadFlags& flags_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

// The new model must give the host's bytes before it takes over.
void compare_with_host(Device& device, const DeviceModel& model, const Compiled& compiled) {
  std::mt19937 random(1);
  const std::vector<Bytes> inputs = random_case(compiled.graph, random, "check").inputs;
  const Measurement host = measure(compiled, find_target("host"), Mode::balanced, {inputs}, false);
  Bytes input, expected;
  for (const Bytes& part : inputs) input.insert(input.end(), part.begin(), part.end());
  for (const Bytes& part : host.outputs.at(0)) expected.insert(expected.end(), part.begin(), part.end());
  require(device.call(model, input) == expected,
          "{}: the device computes something else than the host; what served before serves on", model.name);
}

LoadReport load_on(Device& device, const Programs::Entry& entry, const LoadFlags& flags,
                   const std::function<void(int64_t, int64_t)>& progress) {
  LoadOptions options;
  options.again = flags.again;
  options.progress = progress;
  if (flags.check)
    options.check = [&](Device& on, const DeviceModel& model) { compare_with_host(on, model, entry.compiled); };
  return load_program(device, entry.program, options);
}

nlohmann::ordered_json load_json(const LoadReport& report, const Device& device) {
  return {{"model", model_json(report.model)},
          {"already_there", report.already_there},
          {"image_bytes", report.image_bytes},
          {"sent_bytes", report.sent_bytes},
          {"kept_bytes", report.kept_bytes},
          {"link_bytes_out", device.statistics().bytes_out},
          {"link_bytes_in", device.statistics().bytes_in}};
}

std::string kind_text(wire::Kind kind) {
  switch (kind) {
    case wire::Kind::code: return "code";
    case wire::Kind::constants: return "constants";
    case wire::Kind::data: return "data";
  }
  return "";
}

void print_load(const LoadReport& report, const Device& device) {
  if (report.already_there) {
    fmt::print("{} is there already, nothing was sent\n", report.model.name);
    return;
  }
  fmt::print("{} serves on {} ({})\n", report.model.name, device.info().board, device.info().target);
  fmt::print("  image   {} B in {} sections, {} B of it sent, {} B were there\n", thousands(report.image_bytes),
             report.image.sections.size(), thousands(report.sent_bytes), thousands(report.kept_bytes));
  fmt::print("  link    {} B out, {} B in, {} requests repeated\n", thousands(device.statistics().bytes_out),
             thousands(device.statistics().bytes_in), thousands(device.statistics().repeated));
  std::map<wire::Kind, int64_t> bytes;
  for (const ImageSection& section : report.image.sections) bytes[section.kind] += section.bytes;
  for (const auto& [kind, count] : bytes) {
    fmt::print("  {:9} {:>11} B {}\n", kind_text(kind), thousands(count),
               bar(static_cast<double>(count) / static_cast<double>(report.image_bytes), 30));
  }
}

void load_one(DeviceSession& session, const LoadFlags& flags) {
  Device& device = session.device();
  Programs programs(flags);
  const Programs::Entry& entry = [&]() -> const Programs::Entry& {
    const Progress progress("compiling for " + device.info().target);
    return programs.for_target(device.info().target);
  }();
  TransferProgress transfer(flags.model.path);
  const LoadReport report =
      load_on(device, entry, flags, [&](int64_t sent, int64_t of) { transfer.show(sent, of); });
  transfer.clear();
  session.show(load_json(report, device), [&] { print_load(report, device); });
}

std::vector<std::string> read_addresses(const std::string& path) {
  std::ifstream file(path);
  require(file.good(), "{}: cannot be read", path);
  std::vector<std::string> addresses;
  for (std::string line; std::getline(file, line);) {
    line.erase(std::find(line.begin(), line.end(), '#'), line.end());
    for (const std::string& word : split_words(line)) addresses.push_back(word);
  }
  require(!addresses.empty(), "{}: no device's address is in it (one a line, # begins a comment)", path);
  return addresses;
}

struct Outcome {
  std::string error;
  nlohmann::ordered_json json;
  bool already_there = false;
  double seconds = 0;
};

Outcome load_at(const DeviceSession& session, const std::string& address, Programs& programs,
                const LoadFlags& flags) {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome;
  try {
    Device device = session.open(address);
    const LoadReport report = load_on(device, programs.for_target(device.info().target), flags, {});
    outcome.already_there = report.already_there;
    outcome.json = load_json(report, device);
  } catch (const std::exception& problem) {
    outcome.error = problem.what();
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

constexpr size_t most_at_once = 16;

// Each device switches by itself: one that fails keeps what it had.
void load_fleet(const DeviceSession& session, const LoadFlags& flags) {
  const std::vector<std::string> addresses = read_addresses(flags.fleet);
  std::vector<Outcome> outcomes(addresses.size());
  Programs programs(flags);
  {
    const Progress progress(fmt::format("loading {} devices", addresses.size()));
    std::atomic<size_t> next = 0;
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < std::min(most_at_once, addresses.size()); ++i) {
      workers.emplace_back([&] {
        for (size_t at = next++; at < addresses.size(); at = next++)
          outcomes[at] = load_at(session, addresses[at], programs, flags);
      });
    }
  }
  auto json = nlohmann::ordered_json::array();
  size_t failed = 0;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    if (!outcome.error.empty()) ++failed;
    json.push_back(
        {{"device", addresses[i]},
         {"error", outcome.error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(outcome.error)},
         {"seconds", outcome.seconds},
         {"load", outcome.json}});
  }
  session.show({{"devices", json}, {"failed", failed}}, [&] {
    for (size_t i = 0; i < addresses.size(); ++i) {
      const Outcome& outcome = outcomes[i];
      fmt::print("{:32} {:6.2f} s  {}\n", addresses[i], outcome.seconds,
                 !outcome.error.empty()  ? outcome.error
                 : outcome.already_there ? "was there"
                                         : "serves");
    }
    fmt::print("{} of {} devices serve\n", addresses.size() - failed, addresses.size());
  });
  if (failed != 0) throw CLI::RuntimeError(1);
}

// Who gives a source wants the other command.
void check_is_model(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  for (const char* const source : {".c", ".cc", ".cpp", ".cxx"})
    require(extension != source,
            "{}: is a source and no model; `mote device function {} NAME ...` loads a function of it", path, path);
}

// A file that is half written is an error like any other: what served before serves on.
void watch(DeviceSession& session, const LoadFlags& flags, int64_t count) {
  namespace fs = std::filesystem;
  fs::file_time_type seen = fs::file_time_type::min();
  for (int64_t loads = 0; count == 0 || loads < count;) {
    std::error_code missing;
    const fs::file_time_type now = fs::last_write_time(flags.model.path, missing);
    require(loads != 0 || !missing, "{}: {}", flags.model.path, missing.message());
    if (missing || now == seen) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    seen = now;
    const auto begin = std::chrono::steady_clock::now();
    try {
      load_one(session, flags);
      ++loads;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      if (!session.json()) fmt::print("  {:.2f} s\n", seconds.count());
    } catch (const Error& problem) {
      if (loads == 0) throw;
      std::fputs(fmt::format("{}\n", problem.what()).c_str(), stderr);
    }
    std::fflush(stdout);
  }
}

void add_load_flags(CLI::App& command, const SessionPointer& session, LoadFlags& flags) {
  session->add_flags(command);
  add_model_file(command, flags.model);
  command.add_option("--name", flags.name, "it serves under this name; default: the file's");
  command.add_option("--optimize", flags.mode, "size, balanced or speed")->capture_default_str();
  command.add_flag("--check", flags.check,
                   "before it takes over, compare its output for a random input with the host's");
}

}  // namespace

void add_watch(CLI::App& parent, const SessionPointer& session) {
  const auto flags = std::make_shared<LoadFlags>();
  const auto count = std::make_shared<int64_t>(0);
  CLI::App* const command =
      parent.add_subcommand("watch", "load a model, and again whenever its file changes, until Ctrl-C");
  add_load_flags(*command, session, *flags);
  command->add_option("--count", *count, "end after so many loads")->check(positive());
  command->callback([session, flags, count] { watch(*session, *flags, *count); });
}

void add_device_load(CLI::App& parent, const SessionPointer& session) {
  add_watch(parent, session);
  const auto flags = std::make_shared<LoadFlags>();
  CLI::App* const load = parent.add_subcommand("load", "compile a model for the device and put it into service");
  add_load_flags(*load, session, *flags);
  load->add_flag("--again", flags->again, "also when the same model serves already");
  if (!session->in_shell()) {
    load->add_option("--to", flags->fleet,
                     "load many devices side by side: a file with an address a line; instead of --device");
  }
  const auto source = std::make_shared<std::string>(), function = std::make_shared<std::string>();
  CLI::Option* const from = load->add_option(
      "--source", *source, "instead of a model: a C or C++ file; `mote device function` has more flags");
  load->add_option("--function", *function, "which of its functions")->needs(from);
  from->needs("--function");
  load->get_option("model")->required(false)->excludes(from);
  load->callback([session, flags, load, source, function] {
    if (!source->empty()) return load_function(*session, *source, *function);
    require(load->count("model") != 0, "what to load? a model, or --source FILE --function NAME");
    check_is_model(flags->model.path);
    if (!flags->fleet.empty()) return load_fleet(*session, *flags);
    load_one(*session, *flags);
  });
}

}  // namespace mote::cli
