// SPDX-License-Identifier: Apache-2.0
#include "device/compiler.hpp"

#include <regex>

#include "base/embedded.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "emulate/process.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds compiler_timeout{600};
constexpr size_t shown_lines = 30;

ProcessResult run(const std::vector<std::string>& command, const std::string& what) {
  ProcessResult result = run_process(command, compiler_timeout);
  require(!result.timed_out, "{}: {} did not end within {} s", what, command[0], compiler_timeout.count());
  require(result.exit_status == 0, "{}: {} failed:\n{}", what, command[0],
          tail(result.errors + result.output, shown_lines));
  return result;
}

}  // namespace

void require_compiler(const Target& target) {
  require(!target.compiler.empty(), "{} has no compiler; choose a target that is a device (`mote targets`)",
          target.name);
  require_program(target.compiler, target.compiler_packages);
}

std::string run_compiler(const std::vector<std::string>& command, const std::string& what) {
  return run(command, what).output;
}

std::vector<std::string> compiler_command(const Target& target, Language language) {
  std::vector<std::string> command{std::string(target.compiler)};
  for (std::string& flag : split_words(target.compile_flags)) command.push_back(std::move(flag));
  if (language == Language::cpp) {
    // Devices have no tables for unwinding and no lock for the first use of a variable.
    command.insert(command.end(), {"-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"});
  }
  return command;
}

std::vector<std::string> preprocessor_flags(const FunctionRequest& request, Language language) {
  std::vector<std::string> flags;
  for (const fs::path& folder : request.includes) flags.push_back("-I" + fs::absolute(folder).string());
  for (const std::string& define : request.defines) flags.push_back("-D" + define);
  const bool for_cpp = request.standard.find("++") != std::string::npos;
  if (!request.standard.empty() && for_cpp == (language == Language::cpp)) {
    flags.push_back("-std=" + request.standard);
  }
  return flags;
}

std::vector<SystemInclude> system_includes(const Target& target, Language language) {
  std::vector<std::string> command = compiler_command(target, language);
  command.insert(command.end(), {"-x", language == Language::c ? "c" : "c++", "-E", "-v", "/dev/null"});
  const std::string text = run(command, "asking for the folders of headers").errors;
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

void write_device_headers(const fs::path& folder) {
  fs::create_directories(folder / "mote");
  write_file(folder / "mote" / "services.h", embedded_file("agent/loaded/services.h"));
}

std::string compiler_version(const Target& target) {
  return run_compiler({std::string(target.compiler), "--version"}, "asking for the compiler's version");
}

}  // namespace mote
