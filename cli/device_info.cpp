// SPDX-License-Identifier: Apache-2.0
// mote device hello, heap, models, unload, reset: what is there.
#include "common.hpp"
#include "device_session.hpp"

namespace mote::cli {

namespace {

nlohmann::ordered_json regions_json(const std::vector<DeviceRegion>& regions) {
  auto json = nlohmann::ordered_json::array();
  for (const DeviceRegion& region : regions) {
    json.push_back({{"name", region.name},
                    {"begin", region.begin},
                    {"bytes", region.bytes},
                    {"executable", region.executable},
                    {"free_bytes", region.free},
                    {"largest_free_bytes", region.largest},
                    {"high_water_bytes", region.high_water},
                    {"blocks", region.blocks}});
  }
  return json;
}

void hello(DeviceSession& session) {
  Device& device = session.device();
  const DeviceInfo& info = device.info();
  const std::vector<DeviceRegion> regions = device.heap();
  session.show(
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

void heap(DeviceSession& session) {
  const std::vector<DeviceRegion> regions = session.device().heap();
  session.show({{"regions", regions_json(regions)}}, [&] { print_regions(regions); });
}

void models(DeviceSession& session) {
  const std::vector<DeviceModel> all = session.device().models();
  auto json = nlohmann::ordered_json::array();
  for (const DeviceModel& model : all) json.push_back(model_json(model));
  session.show({{"models", json}}, [&] { print_models(all); });
}

void reset(DeviceSession& session) {
  session.device().reset();
  session.show({{"reset", true}}, [] { fmt::print("the device starts anew; its models are gone\n"); });
}

}  // namespace

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

void print_regions(const std::vector<DeviceRegion>& regions) {
  for (const DeviceRegion& region : regions) {
    const double used = region.bytes == 0 ? 0 : 1 - static_cast<double>(region.free) / region.bytes;
    fmt::print("{:8} {:#010x} {:>11} B {} {:>11} B free, largest block {:>11} B, most taken {} B\n", region.name,
               region.begin, thousands(region.bytes), bar(used, 20), thousands(region.free),
               thousands(region.largest), thousands(region.high_water));
  }
}

void print_models(const std::vector<DeviceModel>& models) {
  if (models.empty()) fmt::print("no model is loaded\n");
  for (const DeviceModel& model : models) {
    fmt::print("{:24} {:>11} B  {} B in, {} B out, {} calls, {} of them failed{}\n", model.name,
               thousands(model.bytes), thousands(model.input_bytes), thousands(model.output_bytes),
               thousands(model.calls), thousands(model.faults), model.serving ? "" : " (not in service yet)");
  }
}

void add_device_info(CLI::App& parent, const SessionPointer& session) {
  const auto add = [&](const char* name, const char* what, void (*own)(DeviceSession&)) {
    CLI::App* const command = parent.add_subcommand(name, what);
    session->add_flags(*command);
    command->callback([session, own] { own(*session); });
  };
  add("hello", "what the device is", hello);
  add("heap", "its memory for loaded code", heap);
  add("models", "what is loaded", models);
  add("reset", "start the device anew, without models", reset);

  CLI::App* const unload = parent.add_subcommand("unload", "take a model from the device");
  session->add_flags(*unload);
  const auto name = std::make_shared<std::string>();
  unload->add_option("name", *name, "the model's name")->required();
  unload->callback([session, name] {
    const DeviceModel model = session->model(*name);
    session->device().unload(model.id);
    session->show({{"unloaded", model.name}}, [&] { fmt::print("{} is gone\n", model.name); });
  });
}

}  // namespace mote::cli
