// SPDX-License-Identifier: Apache-2.0
#include "emulate/toolchain.hpp"

#include <algorithm>
#include <regex>

#include "base/embedded.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

// Arithmetic that the toolchain's own libraries lack; the model pays for what it uses of it, like for libgcc.
std::string library_source(const Target& target) {
  const std::string path = fmt::format("firmware/{}/library.cpp", target.architecture);
  const auto files = embedded_files();
  const bool exists =
      std::any_of(files.begin(), files.end(), [&](const EmbeddedFile& file) { return file.path == path; });
  return exists ? std::string(embedded_file(path)) : std::string();
}

}  // namespace

ProcessResult run_tool(const std::vector<std::string>& command, std::string_view what) {
  ProcessResult result = run_process(command, compiler_timeout);
  require(!result.timed_out, "{}: {} did not end within {} s", what, command[0], compiler_timeout.count());
  require(result.exit_status == 0, "{}: {} failed:\n{}", what, command[0],
          tail(result.errors + result.output, 30));
  return result;
}

void append(std::vector<std::string>& command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
}

namespace {

void compile(std::vector<std::string> command, const Target& target, const fs::path& source,
             const fs::path& object, const std::vector<std::string>& flags) {
  append(command,
         {"-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
          "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra"});
  append(command, flags);
  append(command, {"-c", source.string(), "-o", object.string()});
  run_tool(command, fmt::format("compiling {} for {}", source.filename().string(), target.name));
}

std::vector<std::string> cross_compiler(const Target& target) {
  std::vector<std::string> command{std::string(target.compiler)};
  append(command, split_words(target.compile_flags));
  return command;
}

// With the C library of the target's own toolchain, whose linker and libgcc it meets later. As g++ does when it
// optimises, it leaves the frame pointer out, which clang keeps where there is no operating system.
std::vector<std::string> clang(const Target& target) {
  std::vector<std::string> command{std::string(target.model_compiler)};
  append(command, split_words(target.clang_flags));
  append(command, {"-nostdlibinc", "-fomit-frame-pointer"});
  std::vector<std::string> other = cross_compiler(target);
  append(other, {"-x", "c++"});
  for (const SystemInclude& include : system_includes(std::move(other))) {
    // What the other compiler brings for itself comes behind what clang has of the kind.
    append(command, {include.of_compiler ? "-idirafter" : "-isystem", include.path.string()});
  }
  return command;
}

}  // namespace

void compile_source(const Target& target, const fs::path& source, const fs::path& object,
                    const std::vector<std::string>& flags) {
  compile(cross_compiler(target), target, source, object, flags);
}

void compile_generated(const Target& target, const fs::path& source, const fs::path& object,
                       std::vector<std::string> flags) {
  const bool other = !target.model_compiler.empty();
  append(flags,
         {"-Werror", "-ffp-contract=off", "-fno-math-errno", other ? "-fstack-usage" : "-fcallgraph-info=su"});
  compile(other ? clang(target) : cross_compiler(target), target, source, object, flags);
}

std::vector<SystemInclude> system_includes(std::vector<std::string> command) {
  append(command, {"-E", "-v", "/dev/null"});
  const std::string text = run_tool(command, "asking for the folders of headers").errors;
  const size_t begin = text.find("#include <...>");
  const size_t end = text.find("End of search list", begin);
  require(begin != std::string::npos && end != std::string::npos, "{} -v lists no folders of headers", command[0]);
  std::vector<SystemInclude> found;
  const std::regex own("/lib(exec)?/gcc/[^/]+/[^/]+/include(-fixed)?");
  for (size_t at = text.find('\n', begin) + 1; at < end; at = text.find('\n', at) + 1) {
    if (text[at] != ' ') continue;
    const fs::path path = fs::path(text.substr(at + 1, text.find('\n', at) - at - 1)).lexically_normal();
    found.push_back({path, std::regex_search(path.string(), own)});
  }
  return found;
}

void compile_library(const Target& target, const fs::path& directory) {
  write_file(directory / "library.cpp", library_source(target));
  compile_source(target, directory / "library.cpp", directory / "library.o",
                 {"-O2", "-ffreestanding", "-fcallgraph-info=su"});
}

}  // namespace mote
