// SPDX-License-Identifier: Apache-2.0
// A compiled model as a program for a device.
#include "base/files.hpp"
#include "device/introspect.hpp"
#include "device/program.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"
#include "measure/measure.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

std::vector<wire::PlaceOf> places(const Compiled& model, const std::vector<TensorId>& tensors,
                                  const std::vector<size_t>& buffers) {
  std::vector<wire::PlaceOf> all;
  for (size_t i = 0; i < tensors.size(); ++i)
    all.push_back({narrow<uint32_t>(model.plan.buffers[buffers[i]].offset),
                   narrow<uint32_t>(byte_size(model.graph.tensors[tensors[i]].type))});
  return all;
}

constexpr int64_t stack_alignment = 16;

// Of its entries, which the compiler's figures and the calls in the linked program bound.
int64_t stack_bound_of(const Program& program) {
  const fs::path linked = program.directory->path() / "trial.elf";
  write_file(linked, trial_link(program));
  std::vector<fs::path> frames;
  for (const fs::path& object : program.objects) frames.push_back(fs::path(object).replace_extension(".ci"));
  int64_t most = 0;
  for (const std::string& entry : {program.run, program.start}) {
    if (entry.empty()) continue;
    const StackUse use = stack_use(linked, *program.target, entry, frames);
    require(use.bytes.has_value(), "{}: its stack has no bound: {}", program.name, use.problem);
    most = std::max(most, *use.bytes);
  }
  return most;
}

}  // namespace

Program compile_for_device(const Compiled& model, const Target& target, Mode mode) {
  require(!target.compiler.empty(), "{} is no device; `mote targets` lists those that are", target.name);
  require(arenas_of(model.plan).size() == 1 && model.plan.cores == 1 && !streams_input(model.plan),
          "{}: a model that is loaded has one arena, one core and a whole input; leave out --board, --memory, "
          "--cores and "
          "--stream-input",
          model.graph.name);
  const auto directory = std::make_shared<TemporaryDirectory>();
  for (const GeneratedFile& file : generate(model.graph, model.plan, mode)) {
    fs::create_directories((directory->path() / file.path).parent_path());
    write_file(directory->path() / file.path, file.text);
  }
  const std::string& name = model.graph.name;
  std::vector<std::string> flags = split_words(compiler_flags(target, mode));
  append(flags, {"-I" + directory->path().string()});
  compile_generated(target, directory->path() / (name + ".cpp"), directory->path() / "model.o", flags);
  compile_library(target, directory->path());
  Program program{.name = name.substr(0, wire::name_bytes - 1),
                  .target = &target,
                  .objects = {directory->path() / "model.o", directory->path() / "library.o"},
                  .run = name + "_run",
                  .start = model.plan.states.empty() ? "" : name + "_reset",
                  .io_bytes = model.plan.arena_bytes,
                  .inputs = places(model, model.graph.inputs, model.plan.inputs),
                  .outputs = places(model, model.graph.outputs, model.plan.outputs),
                  .stack_bytes = stack_alignment,
                  .unprotected = false,
                  .firmware = {},
                  .directory = directory};
  program.stack_bytes = align_up(stack_bound_of(program) + interrupt_frame_bytes, stack_alignment);
  return program;
}

}  // namespace mote
