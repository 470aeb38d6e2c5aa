// SPDX-License-Identifier: Apache-2.0
#include "support/loaded_function.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"

namespace mote::test {

namespace fs = std::filesystem;

namespace {

// The system's loader must find no constructors: mote_start() shall run them.
constexpr const char* link_script =
    "SECTIONS { .mote_init : { __init_array_start = .; KEEP(*(SORT(.init_array.*) .init_array)) "
    "__init_array_end = .; } } INSERT BEFORE .init_array;\n";

}  // namespace

Target native_target() {
  return {.name = "native",
          .description = "this machine",
          .compiler = "g++",
          .compiler_packages = "g++",
          .compile_flags = "-fPIC"};
}

FunctionRequest write_source(const TemporaryDirectory& folder, const std::string& file, const std::string& text,
                             const std::string& function) {
  const fs::path path = folder.path() / file;
  fs::create_directories(path.parent_path());
  write_file(path, text);
  FunctionRequest request;
  request.source = path;
  request.function = function;
  return request;
}

std::string signature_error(const TemporaryDirectory& folder, const FunctionRequest& request) {
  try {
    return "no error: " + to_text(read_signature(request, find_target("rv32imac")));
  } catch (const Error& problem) {
    std::string text = problem.what();
    const std::string name = folder.path().string() + "/";
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name)) text.erase(at, name.size());
    return text;
  }
}

LoadedFunction::LoadedFunction(const FunctionRequest& request)
    : image_(build_function(request, native_target(), folder_.path(), ObjectCache(std::nullopt))) {
  const fs::path library = folder_.path() / "function.so", script = folder_.path() / "link.ld";
  write_file(script, link_script);
  std::vector<std::string> command{"g++", "-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs"};
  for (const FunctionObject& object : image_.objects) command.push_back(object.object.string());
  command.insert(command.end(), {"-Wl,-T," + script.string(), "-o", library.string()});
  const ProcessResult linked = run_process(command, std::chrono::seconds(60));
  require(linked.exit_status == 0, "linking: {}", linked.errors);
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) fail("{}", dlerror());
}

LoadedFunction::~LoadedFunction() { dlclose(library_); }

void* LoadedFunction::symbol(const char* name) const {
  void* const found = dlsym(library_, name);
  require(found != nullptr, "there is no symbol {}", name);
  return found;
}

void LoadedFunction::start() const { reinterpret_cast<void (*)(void*)>(symbol(image_.start.c_str()))(nullptr); }

Returned LoadedFunction::call(const std::vector<CallArgument>& arguments) const {
  const Marshalled call = marshal(image_.signature, arguments);
  std::vector<uint64_t> frame(static_cast<size_t>(call.frame_bytes / 8), 0xA5A5A5A5A5A5A5A5U);
  std::byte* const bytes = reinterpret_cast<std::byte*>(frame.data());
  if (!call.input.empty()) std::memcpy(bytes, call.input.data(), call.input.size());
  reinterpret_cast<void (*)(void*)>(symbol(image_.entry.c_str()))(bytes);
  return unmarshal(image_.signature, call,
                   ByteSpan(bytes + call.output_offset, static_cast<size_t>(call.output_bytes)));
}

}  // namespace mote::test
