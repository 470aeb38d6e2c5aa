// SPDX-License-Identifier: Apache-2.0
#include "device/function_image.hpp"

#include <fmt/ranges.h>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "codegen/function_shim.hpp"
#include "device/compiler.hpp"
#include "emulate/process.hpp"
#include "zoo/content_hash.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

// One call of the compiler.
struct Unit {
  fs::path source;   // that the compiler reads
  std::string name;  // of the object and in messages
  Language language = Language::c;
  std::vector<std::string> preprocess, compile;  // flags
};

ShimValue shim_value(Scalar scalar, int64_t row) { return {name(scalar), byte_size(scalar), row}; }

FunctionShim describe_shim(const FunctionRequest& request, const FunctionSignature& signature) {
  FunctionShim shim;
  shim.source = fs::absolute(request.source).lexically_normal();
  shim.cpp = signature.language == Language::cpp;
  shim.function = signature.name;
  for (const Parameter& parameter : signature.parameters) {
    shim.parameters.push_back(shim_value(parameter.element, parameter.is_array() ? parameter.row : 0));
  }
  if (signature.result) shim.result = shim_value(*signature.result, 0);
  return shim;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// With DWARF 5, binutils 2.40 for RISC-V take the including file for the included one.
const std::vector<std::string> always = {"-gdwarf-4", "-ffunction-sections", "-fdata-sections", "-fno-common",
                                         "-fno-asynchronous-unwind-tables"};

Unit user_unit(const FunctionRequest& request, const fs::path& directory, const fs::path& source,
               const std::string& name, Language language) {
  Unit unit{source, name, language, preprocessor_flags(request, language), {"-O2"}};
  unit.preprocess.push_back("-I" + directory.string());
  append(unit.compile, always);
  append(unit.compile, split_words(request.flags));
  // Preprocessed text has them already, but a standard is of both.
  for (const std::string& flag : unit.preprocess) {
    if (flag.starts_with("-std=")) unit.compile.push_back(flag);
  }
  return unit;
}

std::vector<Unit> list_units(const FunctionRequest& request, const FunctionSignature& signature,
                             const fs::path& directory) {
  const std::string shim_name = signature.language == Language::cpp ? "entry.cpp" : "entry.c";
  std::vector<Unit> units;
  units.push_back(user_unit(request, directory, directory / shim_name, shim_name, signature.language));
  for (size_t i = 0; i < request.more_sources.size(); ++i) {
    const fs::path source = fs::absolute(request.more_sources[i]).lexically_normal();
    require(fs::is_regular_file(source), "{}: there is no such file", request.more_sources[i].string());
    units.push_back(user_unit(request, directory, source, fmt::format("{}-{}", i + 1, source.filename().string()),
                              language_of(source)));
  }
  Unit start{directory / "start.cpp", "start.cpp", Language::cpp, {}, {"-Os", "-std=c++17"}};
  append(start.compile, always);
  units.push_back(start);
  return units;
}

void write_sources(const FunctionRequest& request, const FunctionSignature& signature, const fs::path& directory) {
  write_file(directory / "start.cpp", embedded_file("agent/loaded/start.cpp"));
  const FunctionShim shim = describe_shim(request, signature);
  write_file(directory / (shim.cpp ? "entry.cpp" : "entry.c"), function_shim(shim));
}

// The folder's name is another one each time, and says nothing.
std::string without_folder(std::string text, const fs::path& directory) {
  const std::string name = directory.string() + "/";
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) text.erase(at, name.size());
  return text;
}

std::string preprocess(const Unit& unit, const Target& target, const fs::path& directory) {
  std::vector<std::string> command = compiler_command(target, unit.language);
  append(command, unit.preprocess);
  append(command, unit.compile);
  append(command,
         {"-fno-working-directory", "-x", unit.language == Language::c ? "c" : "c++", "-E", unit.source.string()});
  return without_folder(run_compiler(command, fmt::format("reading {} for {}", unit.name, target.name)),
                        directory);
}

CompiledObject compile(const Unit& unit, const Target& target, const std::vector<std::string>& command,
                       const std::string& text, const fs::path& directory) {
  const fs::path source = directory / (unit.name + ".i"), object = directory / (unit.name + ".o");
  write_file(source, text);
  std::vector<std::string> whole = command;
  append(whole, {"-c", source.string(), "-o", object.string()});
  run_compiler(whole, fmt::format("compiling {} for {}", unit.name, target.name));
  return {read_file(object), read_text(fs::path(object).replace_extension(".ci"))};
}

FunctionObject build(const Unit& unit, const Target& target, const std::string& version, const fs::path& directory,
                     const ObjectCache& cache) {
  const std::string text = preprocess(unit, target, directory);
  std::vector<std::string> command = compiler_command(target, unit.language);
  append(command, unit.compile);
  append(command, {"-fcallgraph-info=su", "-x", unit.language == Language::c ? "cpp-output" : "c++-cpp-output"});
  const std::string all = fmt::format("{}\n{}\n{}", fmt::join(command, "\n"), version, text);
  const std::string key = sha256(std::as_bytes(std::span(all)));
  std::optional<CompiledObject> compiled = cache.find(key);
  const bool cached = compiled.has_value();
  if (!cached) {
    compiled = compile(unit, target, command, text, directory);
    cache.store(key, *compiled);
  }
  const FunctionObject built{directory / (unit.name + ".o"), directory / (unit.name + ".ci"), cached};
  write_file(built.object, compiled->object);
  write_file(built.frames, compiled->frames);
  return built;
}

}  // namespace

FunctionImage build_function(const FunctionRequest& request, const Target& target, const fs::path& directory,
                             const ObjectCache& cache) {
  require_compiler(target);
  FunctionImage image;
  const fs::path folder = fs::absolute(directory).lexically_normal();
  image.signature = read_signature(request, target);
  write_device_headers(folder);
  write_sources(request, image.signature, folder);
  const std::string version = compiler_version(target);
  for (const Unit& unit : list_units(request, image.signature, folder)) {
    image.objects.push_back(build(unit, target, version, folder, cache));
  }
  return image;
}

std::string image_name(const FunctionSignature& signature) {
  const size_t colons = signature.name.rfind("::");
  return colons == std::string::npos ? signature.name : signature.name.substr(colons + 2);
}

}  // namespace mote
