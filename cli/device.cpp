// SPDX-License-Identifier: Apache-2.0
// mote device: what runs on a board, and what is sent to it.
#include <cstdlib>
#include <functional>

#include "base/files.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "device/agent_firmware.hpp"
#include "device/connect.hpp"
#include "device/loader.hpp"
#include "device/serial.hpp"
#include "device_key.hpp"
#include "device_package.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

struct Flags {
  std::string address, key;
  bool json = false;
};

void add_device_flags(CLI::App& command, Flags& flags) {
  command
      .add_option("-d,--device", flags.address,
                  "/dev/PORT[@BAUD] (`mote device ports` lists them), tcp://HOST:PORT, pty:/dev/pts/NUMBER, "
                  "qemu:TARGET (an "
                  "emulated board of its own); also from the environment's MOTE_DEVICE")
      ->envname("MOTE_DEVICE")
      ->required();
  command
      .add_option("--key", flags.key,
                  "the owner's secret key (PEM), for keyed devices; also from the environment's MOTE_DEVICE_KEY")
      ->envname("MOTE_DEVICE_KEY");
  command.add_flag("--json", flags.json, "print one JSON object instead of text");
}

Device open(const Flags& flags) {
  const Progress progress("connecting to " + flags.address);
  if (flags.key.empty()) return Device(connect(flags.address));
  const auto owner = std::make_shared<const OwnerKey>(OwnerKey::load(flags.key));
  return Device(connect(flags.address, owner->public_key()), {}, owner);
}

// Prints one or the other.
void show(const Flags& flags, const nlohmann::ordered_json& json, const std::function<void()>& text) {
  if (flags.json)
    print_json(json);
  else
    text();
}

nlohmann::ordered_json region_json(const DeviceRegion& region) {
  return {{"name", region.name},
          {"begin", region.begin},
          {"bytes", region.bytes},
          {"executable", region.executable},
          {"free_bytes", region.free},
          {"largest_free_bytes", region.largest},
          {"high_water_bytes", region.high_water},
          {"blocks", region.blocks}};
}

nlohmann::ordered_json regions_json(const std::vector<DeviceRegion>& regions) {
  auto json = nlohmann::ordered_json::array();
  for (const DeviceRegion& region : regions) json.push_back(region_json(region));
  return json;
}

void print_regions(const std::vector<DeviceRegion>& regions) {
  for (const DeviceRegion& region : regions) {
    const double used = region.bytes == 0 ? 0 : 1 - static_cast<double>(region.free) / region.bytes;
    fmt::print("{:8} {:#010x} {:>13} B  {} {:>13} B free, largest block {} B, at most {} B were taken\n",
               region.name, region.begin, thousands(region.bytes), bar(used, 20), thousands(region.free),
               thousands(region.largest), thousands(region.high_water));
  }
}

void hello(const Flags& flags) {
  Device device = open(flags);
  const DeviceInfo& info = device.info();
  const std::vector<DeviceRegion> regions = device.heap();
  show(flags,
       {{"target", info.target},
        {"board", info.board},
        {"firmware_id", info.firmware_id},
        {"protocol_version", wire::protocol_version},
        {"payload_bytes", info.payload_bytes},
        {"window", info.window},
        {"counter_hz", info.counter_hz},
        {"keyed", info.keyed},
        {"protects", info.protects},
        {"regions", regions_json(regions)}},
       [&] {
         fmt::print("{} on {}, firmware {}\n", info.target, info.board,
                    info.firmware_id.empty() ? "unknown" : info.firmware_id);
         fmt::print("{}\n", info.keyed ? "only its owner's key may load and call"
                                       : "open: whoever reaches it may load and call (no key is provisioned)");
         fmt::print("{}\n", info.protects ? "loaded code reaches only its own memory"
                                          : "no memory protection: loaded code can overwrite the firmware");
         print_regions(regions);
       });
}

void heap(const Flags& flags) {
  Device device = open(flags);
  const std::vector<DeviceRegion> regions = device.heap();
  show(flags, {{"regions", regions_json(regions)}}, [&] { print_regions(regions); });
}

nlohmann::ordered_json model_json(const DeviceModel& model) {
  return {{"id", model.id},
          {"name", model.name},
          {"serving", model.serving},
          {"source", fmt::format("{:016x}", model.source)},
          {"bytes", model.bytes},
          {"input_bytes", model.input_bytes},
          {"output_bytes", model.output_bytes},
          {"calls", model.calls},
          {"faults", model.faults}};
}

void models(const Flags& flags) {
  Device device = open(flags);
  const std::vector<DeviceModel> all = device.models();
  auto json = nlohmann::ordered_json::array();
  for (const DeviceModel& model : all) json.push_back(model_json(model));
  show(flags, {{"models", json}}, [&] {
    if (all.empty()) fmt::print("no model is loaded\n");
    for (const DeviceModel& model : all)
      fmt::print("{:24} {:>11} B  {} B in, {} B out, {} calls, {} of them failed{}\n", model.name,
                 thousands(model.bytes), thousands(model.input_bytes), thousands(model.output_bytes),
                 thousands(model.calls), thousands(model.faults), model.serving ? "" : " (not in service yet)");
  });
}

DeviceModel named(Device& device, const std::string& name) {
  const std::vector<DeviceModel> all = device.models();
  std::string names;
  for (const DeviceModel& model : all) {
    if (model.name == name) return model;
    names += (names.empty() ? "" : ", ") + model.name;
  }
  fail("no model '{}' is on the device{}", name, names.empty() ? "; none is" : "; there are: " + names);
}

struct LoadFlags {
  Flags device;
  ModelFile model;
  std::string mode = "balanced", name;
  bool again = false, check = false;
};

// The new model must give the host's bytes before it takes over.
std::function<void(Device&, const DeviceModel&)> host_check(const Compiled& compiled) {
  return [&compiled](Device& device, const DeviceModel& model) {
    std::mt19937 random(1);
    const std::vector<Bytes> inputs = random_case(compiled.graph, random, "check").inputs;
    const Measurement host = measure(compiled, find_target("host"), Mode::balanced, {inputs}, false);
    Bytes input, expected;
    for (const Bytes& part : inputs) input.insert(input.end(), part.begin(), part.end());
    for (const Bytes& part : host.outputs.at(0)) expected.insert(expected.end(), part.begin(), part.end());
    require(device.call(model, input) == expected, "{}: the device computes something else than the host",
            model.name);
  };
}

void print_load(const LoadReport& report, const Device& device) {
  if (report.already_there) {
    fmt::print("{} is there already, nothing was sent\n", report.model.name);
    return;
  }
  const LinkStatistics& link = device.statistics();
  fmt::print("{} serves on {} ({})\n", report.model.name, device.info().board, device.info().target);
  fmt::print("  image   {} B, of which {} B were sent and {} B were there\n", thousands(report.image_bytes),
             thousands(report.sent_bytes), thousands(report.kept_bytes));
  fmt::print("  link    {} B out, {} B in, {} repeated\n", thousands(link.bytes_out), thousands(link.bytes_in),
             thousands(link.repeated));
  for (const ImageSection& section : report.image.sections) {
    const char* const kind = section.kind == wire::Kind::code   ? "code"
                             : section.kind == wire::Kind::data ? "data"
                                                                : "constants";
    fmt::print("  {:10} {:#010x} {:>11} B\n", kind, section.address, thousands(section.bytes));
  }
}

void load_model(const LoadFlags& flags) {
  Device device = open(flags.device);
  const Target& target = find_target(device.info().target);
  const Mode mode = parse_mode(flags.mode);
  const Compiled compiled = compile(flags.model, plan_options(mode, target.core));
  Program program = [&] {
    const Progress progress(activity(target, false));
    return compile_for_device(compiled, target, mode);
  }();
  if (!flags.name.empty()) program.name = flags.name;
  LoadOptions options;
  options.again = flags.again;
  if (flags.check) options.check = host_check(compiled);
  const LoadReport report = load_program(device, program, options);
  const LinkStatistics& link = device.statistics();
  show(flags.device,
       {{"model", model_json(report.model)},
        {"already_there", report.already_there},
        {"image_bytes", report.image_bytes},
        {"sent_bytes", report.sent_bytes},
        {"kept_bytes", report.kept_bytes},
        {"link_bytes_out", link.bytes_out},
        {"link_bytes_in", link.bytes_in}},
       [&] { print_load(report, device); });
}

struct UnloadFlags {
  Flags device;
  std::string name;
};

void unload(const UnloadFlags& flags) {
  Device device = open(flags.device);
  const DeviceModel model = named(device, flags.name);
  device.unload(model.id);
  show(flags.device, {{"unloaded", model.name}}, [&] { fmt::print("{} is gone\n", model.name); });
}

struct PortFlags {
  bool json = false;
};

void ports(const PortFlags& flags) {
  auto json = nlohmann::ordered_json::array();
  const std::vector<SerialPort> all = list_serial_ports();
  for (const SerialPort& port : all)
    json.push_back({{"path", port.path}, {"description", port.description}, {"usb", port.usb}});
  if (flags.json) return print_json({{"ports", json}});
  if (all.empty()) fmt::print("this machine has no serial port\n");
  for (const SerialPort& port : all) fmt::print("{:16} {:22} {}\n", port.path, port.usb, port.description);
}

struct EmulateFlags {
  std::string target = "rv32imac", serial = "tcp::5555,server,nowait", key;
};

// Replaces this process, so that Ctrl-C ends the board.
void emulate_board(const EmulateFlags& flags) {
  const Target& target = find_target(flags.target);
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("mote-agent-{}", flags.target);
  std::filesystem::create_directories(directory);
  std::optional<Key> owner;
  if (!flags.key.empty()) owner = OwnerKey::load(flags.key).public_key();
  const AgentFirmware firmware = build_agent(target, directory, owner);
  fmt::print("an emulated {} with Mote's agent, serial port {}; Ctrl-C ends it\n", target.name, flags.serial);
  std::fflush(stdout);
  run_in_foreground(agent_command(target, firmware.program, flags.serial));
}

template <class F, class Own>
CLI::App* add(CLI::App& device, const std::string& name, const std::string& what, const std::shared_ptr<F>& flags,
              Own own) {
  CLI::App* const command = device.add_subcommand(name, what);
  command->callback([flags, own] { own(*flags); });
  return command;
}

}  // namespace

void add_device(CLI::App& app) {
  CLI::App* const device = app.add_subcommand("device", "send models to a running board, call and inspect them");
  device->require_subcommand(1);
  const auto simple = [&](const std::string& name, const std::string& what, void (*own)(const Flags&)) {
    const auto flags = std::make_shared<Flags>();
    add_device_flags(*add(*device, name, what, flags, own), *flags);
  };
  add_device_key(*device);
  add_device_package(*device);
  simple("hello", "what the device is", hello);
  simple("heap", "its memory for loaded code", heap);
  simple("models", "what is loaded", models);

  const auto port_flags = std::make_shared<PortFlags>();
  add(*device, "ports", "the serial ports of this machine", port_flags, ports)
      ->add_flag("--json", port_flags->json, "print one JSON object instead of text");

  const auto load_flags = std::make_shared<LoadFlags>();
  CLI::App* const load =
      add(*device, "load", "compile a model for the device and put it into service", load_flags, load_model);
  add_device_flags(*load, load_flags->device);
  add_model_file(*load, load_flags->model);
  load->add_option("--name", load_flags->name, "serves under this name; default: the file's");
  load->add_option("--optimize", load_flags->mode, "size, balanced or speed")->capture_default_str();
  load->add_flag("--again", load_flags->again, "also when the same model serves already");
  load->add_flag("--check", load_flags->check,
                 "before it takes over, compare its output for random input with the host's");

  const auto unload_flags = std::make_shared<UnloadFlags>();
  CLI::App* const gone = add(*device, "unload", "take a model from the device", unload_flags, unload);
  add_device_flags(*gone, unload_flags->device);
  gone->add_option("name", unload_flags->name, "the model's name")->required();

  const auto emulate_flags = std::make_shared<EmulateFlags>();
  CLI::App* const emulate =
      add(*device, "emulate", "run an emulated board with the agent, for as long as it is let", emulate_flags,
          emulate_board);
  emulate->add_option("--target", emulate_flags->target, "rv32imac, rv32imafc, ...")->capture_default_str();
  emulate->add_option("--key", emulate_flags->key, "a key file: the board obeys its owner only");
  emulate->add_option("--serial", emulate_flags->serial, "where its serial port is, as QEMU's -serial takes it")
      ->capture_default_str();
}

}  // namespace mote::cli
