// SPDX-License-Identifier: Apache-2.0
#include "device/function_program.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "base/text.hpp"
#include "device/elf.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr int64_t usual_stack_bytes = 8192;
constexpr int64_t frame_alignment = 16;
// mote_start() calls constructors through pointers, which no bound knows: its own frame, with room.
constexpr int64_t start_frame_bytes = 64;

bool has_constructors(const ElfFile& elf) {
  return elf.value("__init_array_start") != elf.value("__init_array_end");
}

// Of the entry, and of every constructor that mote_start() calls.
StackUse stack_of(const FunctionImage& image, const Program& program, const ElfFile& elf, const fs::path& linked) {
  std::vector<fs::path> frames;
  for (const FunctionObject& object : image.objects) frames.push_back(object.frames);
  StackUse most = stack_use(linked, *program.target, image.entry, frames);
  for (const ElfSymbol& symbol : elf.symbols) {
    if (!symbol.function || !symbol.name.starts_with("_GLOBAL__sub_I_") || !most.bytes) continue;
    const StackUse one = stack_use(linked, *program.target, symbol.name, frames);
    if (!one.bytes) return one;
    most.bytes = std::max(*most.bytes, *one.bytes + start_frame_bytes);
  }
  return most;
}

}  // namespace

FunctionProgram compile_function_for_device(const FunctionOptions& options, const Target& target,
                                            const ObjectCache& cache) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const FunctionImage image = build_function(options.request, target, directory->path(), cache);
  FunctionProgram made;
  made.signature = image.signature;
  for (const FunctionObject& object : image.objects) made.compiled += object.cached ? 0 : 1;
  Program& program = made.program;
  program.name = options.name.empty() ? image_name(image.signature) : options.name;
  if (options.name.empty()) program.name.resize(std::min<size_t>(program.name.size(), wire::name_bytes - 1));
  program.target = &target;
  for (const FunctionObject& object : image.objects) program.objects.push_back(object.object);
  program.run = image.entry;
  program.start = image.start;
  program.io_bytes = align_up(std::max<int64_t>(options.frame_bytes, 8), frame_alignment);
  const wire::PlaceOf frame{0, narrow<uint32_t>(program.io_bytes)};
  program.inputs = program.outputs = {frame};  // one block: a call says where in it what lies
  program.stack_bytes = usual_stack_bytes;
  program.unprotected = !options.firmware.empty();
  program.firmware = options.firmware;
  program.directory = directory;
  made.linked = trial_link(program);
  const ElfFile elf = read_elf(made.linked, program.name);
  const fs::path linked = directory->path() / "trial.elf";
  write_file(linked, made.linked);
  made.stack = stack_of(image, program, elf, linked);
  if (!has_constructors(elf)) program.start.clear();
  if (options.stack_bytes > 0) {
    program.stack_bytes = align_up(options.stack_bytes, frame_alignment);
  } else if (made.stack.bytes) {
    program.stack_bytes = align_up(*made.stack.bytes + interrupt_frame_bytes, frame_alignment);
  }
  return made;
}

Returned call_function(Device& device, const DeviceModel& model, const FunctionSignature& signature,
                       const std::vector<CallArgument>& arguments, CallOptions options) {
  const Marshalled call = marshal(signature, arguments);
  require(
      call.frame_bytes <= model.input_bytes,
      "{}: the arguments and results take {} B; it was loaded for up to {} B: load it again with a frame of {} B",
      model.name, thousands(call.frame_bytes), thousands(model.input_bytes), call.frame_bytes);
  options.frame = wire::FrameOf{0, narrow<uint32_t>(call.output_offset), narrow<uint32_t>(call.output_bytes)};
  return unmarshal(signature, call, device.call(model, call.input, options));
}

}  // namespace mote
