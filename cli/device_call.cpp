// SPDX-License-Identifier: Apache-2.0
// mote device call: one call of a model that is there.
#include "base/files.hpp"
#include "base/npy.hpp"
#include "common.hpp"
#include "device_session.hpp"

namespace mote::cli {

namespace {

struct CallFlags {
  std::string name, output;
  std::vector<std::string> inputs;
  double deadline = 0;
  bool profile = false, start = false;
};

Bytes read_all(const std::vector<std::string>& files) {
  Bytes all;
  for (const std::string& file : files) {
    Bytes bytes = read_file(file);
    if (file.ends_with(".npy")) bytes = parse_npy(bytes, file).data;
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

void print_profile(const CallProfile& profile) {
  if (profile.instructions != 0)
    fmt::print("speed    {} instructions\n", thousands(static_cast<int64_t>(profile.instructions)));
  if (profile.cycles != profile.instructions)
    fmt::print("         {} ticks of the counter\n", thousands(static_cast<int64_t>(profile.cycles)));
  fmt::print("         {} ms on the device\n", thousands(profile.elapsed_ms));
  fmt::print("stack    {} B used\n", thousands(profile.stack_bytes));
}

void call(DeviceSession& session, const CallFlags& flags) {
  const DeviceModel model = session.model(flags.name);
  const Bytes input = flags.start ? Bytes() : read_all(flags.inputs);
  require(flags.start || input.size() == model.input_bytes, "{}: takes {} B of input, {} B are given with --input",
          model.name, thousands(model.input_bytes), thousands(static_cast<int64_t>(input.size())));
  CallOptions options;
  options.deadline = std::chrono::milliseconds(static_cast<int64_t>(flags.deadline * 1000));
  options.paint_stack = flags.profile;
  if (flags.start) options.entry = wire::Entry::start;
  TransferProgress progress(model.name);
  options.waiting = [&](const wire::ActivityOf& activity) {
    if (activity.of != 0) progress.show(activity.done, activity.of);
  };
  Device& device = session.device();
  const Bytes output = device.call(model, input, options);
  progress.clear();
  if (!flags.output.empty()) replace_file(flags.output, output);
  nlohmann::ordered_json json{{"model", model.name}, {"output", nlohmann::ordered_json::array()}};
  for (const std::byte byte : output) json["output"].push_back(std::to_integer<int>(byte));
  std::optional<CallProfile> profile;
  if (flags.profile) {
    profile = device.profile();
    json["profile"] = {{"cycles", profile->cycles},
                       {"instructions", profile->instructions},
                       {"stack_bytes", profile->stack_bytes},
                       {"elapsed_ms", profile->elapsed_ms}};
  }
  session.show(json, [&] {
    constexpr size_t shown = 16;
    fmt::print("output   {} B:", output.size());
    for (size_t i = 0; i < std::min(output.size(), shown); ++i)
      fmt::print(" {:02x}", std::to_integer<int>(output[i]));
    fmt::print("{}\n", output.size() > shown ? " ..." : "");
    if (profile) print_profile(*profile);
  });
}

}  // namespace

void add_device_call(CLI::App& parent, const SessionPointer& session) {
  const auto flags = std::make_shared<CallFlags>();
  CLI::App* const command = parent.add_subcommand("call", "call a model that is on the device");
  session->add_flags(*command);
  command->add_option("name", flags->name, "the model's name")->required();
  command->add_option("-i,--input", flags->inputs,
                      ".npy, or raw bytes in the input's dtype; in the order of the inputs");
  command->add_option("-o,--output", flags->output, "write the bytes of all outputs to this file");
  command->add_option("--deadline", flags->deadline, "seconds after which the device ends the call; default: 10")
      ->check(positive());
  command->add_flag("--profile", flags->profile, "instructions and stack of this call");
  command->add_flag("--start", flags->start, "not the model's run but its start: a stateful model begins anew");
  command->callback([session, flags] { call(*session, *flags); });
}

}  // namespace mote::cli
