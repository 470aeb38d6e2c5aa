// SPDX-License-Identifier: Apache-2.0
// A compiled model as a program for a device.
#include "base/files.hpp"
#include "device/program.hpp"
#include "emulate/build.hpp"
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

}  // namespace

Program compile_for_device(const Compiled& model, const Target& target, Mode mode) {
  require(!target.compiler.empty(), "{} is no device; `mote targets` lists those that are", target.name);
  require(arenas_of(model.plan).size() == 1 && model.plan.cores == 1 && !streams_input(model.plan),
          "{}: a model that is loaded has one arena, one core and a whole input; leave out --board, --memory, "
          "--cores and "
          "--stream-input",
          model.graph.name);
  const auto directory = std::make_shared<TemporaryDirectory>();
  const std::optional<Sizes> sizes = measure_sizes(model, target, mode);
  for (const GeneratedFile& file : generate(model.graph, model.plan, mode)) {
    fs::create_directories((directory->path() / file.path).parent_path());
    write_file(directory->path() / file.path, file.text);
  }
  const std::string& name = model.graph.name;
  std::vector<std::string> flags = split_words(compiler_flags(target, mode));
  append(flags, generated_code_flags());
  flags.push_back("-I" + directory->path().string());
  compile_source(target, directory->path() / (name + ".cpp"), directory->path() / "model.o", flags);
  compile_library(target, directory->path());
  return {.name = name.substr(0, wire::name_bytes - 1),
          .target = &target,
          .objects = {directory->path() / "model.o", directory->path() / "library.o"},
          .run = name + "_run",
          .start = model.plan.states.empty() ? "" : name + "_reset",
          .io_bytes = model.plan.arena_bytes,
          .inputs = places(model, model.graph.inputs, model.plan.inputs),
          .outputs = places(model, model.graph.outputs, model.plan.outputs),
          .stack_bytes = align_up(sizes->stack_bound_bytes + interrupt_frame_bytes, 16),
          .unprotected = false,
          .firmware = {},
          .directory = directory};
}

}  // namespace mote
