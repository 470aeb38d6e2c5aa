// SPDX-License-Identifier: Apache-2.0
#include "emulate/toolchain.hpp"

#include <algorithm>

#include "base/embedded.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "emulate/process.hpp"

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

void run_tool(const std::vector<std::string>& command, std::string_view what) {
  const ProcessResult result = run_process(command, compiler_timeout);
  require(!result.timed_out, "{}: {} did not end within {} s", what, command[0], compiler_timeout.count());
  require(result.exit_status == 0, "{}: {} failed:\n{}", what, command[0],
          tail(result.errors + result.output, 30));
}

void append(std::vector<std::string>& command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
}

void compile_source(const Target& target, const fs::path& source, const fs::path& object,
                    const std::vector<std::string>& flags) {
  std::vector<std::string> command{std::string(target.compiler)};
  append(command, split_words(target.compile_flags));
  append(command,
         {"-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
          "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra"});
  append(command, flags);
  append(command, {"-c", source.string(), "-o", object.string()});
  run_tool(command, fmt::format("compiling {} for {}", source.filename().string(), target.name));
}

std::vector<std::string> generated_code_flags() { return {"-Werror", "-ffp-contract=off", "-fno-math-errno"}; }

void compile_library(const Target& target, const fs::path& directory) {
  write_file(directory / "library.cpp", library_source(target));
  compile_source(target, directory / "library.cpp", directory / "library.o",
                 {"-O2", "-ffreestanding", "-fcallgraph-info=su"});
}

}  // namespace mote
