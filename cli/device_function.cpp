// SPDX-License-Identifier: Apache-2.0
// mote device function: a C or C++ function is put on the device and called.
#include "base/files.hpp"
#include "common.hpp"
#include "device/argument_text.hpp"
#include "device/function_program.hpp"
#include "device/loader.hpp"
#include "device_session.hpp"
#include "target/find.hpp"

namespace mote::cli {

namespace {

struct FunctionFlags {
  FunctionOptions options;
  std::vector<std::string> arguments;
  std::string disassemble;
  double deadline = 0;
  bool again = false, profile = false, inspect = false, load_only = false;
};

// A frame that holds this call, so that nobody needs to know how large it is.
void fit_frame(const FunctionSignature& signature, const FunctionFlags& flags, FunctionOptions& options) {
  if (flags.load_only) return;
  const Marshalled call = marshal(signature, parse_arguments(signature, flags.arguments));
  options.frame_bytes = std::max(options.frame_bytes, call.frame_bytes);
}

std::string stack_text(const FunctionProgram& made) {
  if (made.stack.bytes)
    return fmt::format("{} B, at most {} B used", thousands(made.program.stack_bytes),
                       thousands(*made.stack.bytes));
  return fmt::format("{} B ({})", thousands(made.program.stack_bytes), made.stack.problem);
}

void print_loaded(const FunctionProgram& made, const LoadReport& report, const Device& device) {
  if (report.already_there) return fmt::print("{} is there already, nothing was sent\n", report.model.name);
  fmt::print("{} serves on {} ({})\n", report.model.name, device.info().board, device.info().target);
  fmt::print("  {}\n", to_text(made.signature));
  fmt::print("  image   {} B, {} B of it sent\n", thousands(report.image_bytes), thousands(report.sent_bytes));
  fmt::print("  stack   {}\n", stack_text(made));
  fmt::print("  frame   {} B\n", thousands(made.program.io_bytes));
}

// Its image at the addresses of this device, or at some others where it was there already.
void print_inside(const FunctionProgram& made, const LoadReport& report, const FunctionFlags& flags) {
  const TemporaryDirectory folder;
  const std::filesystem::path elf = folder.path() / (made.program.name + ".elf");
  write_file(elf, report.image.elf.empty() ? made.linked : report.image.elf);
  if (flags.inspect) fmt::print("{}", to_text(introspect(elf, *made.program.target)));
  if (!flags.disassemble.empty()) {
    fmt::print("{}", disassemble(elf, *made.program.target, flags.disassemble == "all" ? "" : flags.disassemble));
  }
}

void print_profile(const CallProfile& profile) {
  if (profile.instructions != 0)
    fmt::print("  speed   {} instructions\n", thousands(static_cast<int64_t>(profile.instructions)));
  fmt::print("  stack   {} B used\n", thousands(profile.stack_bytes));
}

void call(Device& device, const DeviceModel& model, const FunctionSignature& signature, const FunctionFlags& flags,
          nlohmann::ordered_json& json, bool as_text) {
  CallOptions options;
  options.deadline = std::chrono::milliseconds(static_cast<int64_t>(flags.deadline * 1000));
  options.paint_stack = flags.profile;
  const Returned returned =
      call_function(device, model, signature, parse_arguments(signature, flags.arguments), options);
  const nlohmann::ordered_json values = to_json(returned);
  json["result"] = values["result"];
  json["arrays"] = values["arrays"];
  if (as_text) fmt::print("{}", to_text(signature, returned));
  if (!flags.profile) return;
  const CallProfile profile = device.profile();
  json["profile"] = {{"cycles", profile.cycles},
                     {"instructions", profile.instructions},
                     {"stack_bytes", profile.stack_bytes},
                     {"elapsed_ms", profile.elapsed_ms}};
  if (as_text) print_profile(profile);
}

void run(DeviceSession& session, const FunctionFlags& flags) {
  Device& device = session.device();
  const Target& target = find_target(device.info().target);
  FunctionOptions options = flags.options;
  fit_frame(read_signature(options.request, target), flags, options);
  const FunctionProgram made = compile_function_for_device(options, target, ObjectCache(user_cache_directory()));
  LoadOptions load;
  load.again = flags.again;
  const LoadReport report = load_program(device, made.program, load);
  nlohmann::ordered_json json{{"model", model_json(report.model)},     {"signature", to_text(made.signature)},
                              {"already_there", report.already_there}, {"image_bytes", report.image_bytes},
                              {"sent_bytes", report.sent_bytes},       {"stack_bytes", made.program.stack_bytes},
                              {"frame_bytes", made.program.io_bytes}};
  const bool as_text = !session.json();
  if (as_text) print_loaded(made, report, device);
  if (as_text) print_inside(made, report, flags);
  if (!flags.load_only) call(device, report.model, made.signature, flags, json, as_text);
  if (!as_text) print_json(json);
}

void add_source_options(CLI::App& command, FunctionOptions& options) {
  FunctionRequest& request = options.request;
  command.add_option("source", request.source, "a C or C++ file")->required();
  command.add_option("function", request.function, "its name: fir, dsp::fir")->required();
  command
      .add_option("--out", request.outputs, "an array that the function only writes; the argument is its length")
      ->allow_extra_args(false);
  command.add_option("--more", request.more_sources, "another source that belongs to it")->allow_extra_args(false);
  command.add_option("-I,--include", request.includes, "a folder of headers")->allow_extra_args(false);
  command.add_option("-D,--define", request.defines, "NAME or NAME=VALUE for the preprocessor")
      ->allow_extra_args(false);
  command.add_option("--std", request.standard, "language standard: c11, c++20");
  command.add_option("--flags", request.flags, "flags of the compiler: \"-O3 -funroll-loops\"");
  command.add_option("--name", options.name, "it serves under this name; default: the function's");
  command
      .add_option("--frame", options.frame_bytes,
                  "bytes for arguments and results of the largest call; this call always fits")
      ->capture_default_str();
  command
      .add_option(
          "--firmware", options.firmware,
          "ELF file of the firmware on the device: the function may call what is in it, and runs with its rights")
      ->check(CLI::ExistingFile);
  command.add_option("--stack", options.stack_bytes, "bytes of stack; default: what is proven, else 8192");
}

}  // namespace

void load_function(DeviceSession& session, const std::string& source, const std::string& function) {
  FunctionFlags flags;
  flags.options.request.source = source;
  flags.options.request.function = function;
  flags.load_only = true;
  run(session, flags);
}

void add_device_function(CLI::App& parent, const SessionPointer& session) {
  const auto flags = std::make_shared<FunctionFlags>();
  CLI::App* const command =
      parent.add_subcommand("function", "compile a C or C++ function for the device, load it and call it");
  session->add_flags(*command);
  add_source_options(*command, flags->options);
  command->add_option(
      "arguments", flags->arguments,
      "one for each parameter: 7, 2.5; an array: 1,2,3 or @values.npy or text:hello; null; an output: its length");
  command->add_flag("--load-only", flags->load_only, "do not call it");
  command->add_flag("--again", flags->again,
                    "also when the same function serves already; its variables begin anew");
  command->add_option("--deadline", flags->deadline, "seconds that the call may take");
  command->add_flag("--profile", flags->profile, "instructions and stack of the call");
  command->add_flag("--inspect", flags->inspect, "sections, memory map and functions of the image");
  command->add_option("--disassemble", flags->disassemble,
                      "instructions and source of a function of the image, or of `all`");
  command->callback([session, flags] { run(*session, *flags); });
}

}  // namespace mote::cli
