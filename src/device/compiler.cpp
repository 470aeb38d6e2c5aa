// SPDX-License-Identifier: Apache-2.0
#include "device/compiler.hpp"

#include "base/embedded.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "emulate/process.hpp"

namespace mote {

namespace fs = std::filesystem;

void require_compiler(const Target& target) {
  require(!target.compiler.empty(), "{} has no compiler; choose a target that is a device (`mote targets`)",
          target.name);
  require_program(target.compiler, target.compiler_packages);
}

std::string run_compiler(const std::vector<std::string>& command, const std::string& what) {
  return run_tool(command, what).output;
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
  command.insert(command.end(), {"-x", language == Language::c ? "c" : "c++"});
  return system_includes(std::move(command));
}

void write_device_headers(const fs::path& folder) {
  fs::create_directories(folder / "mote");
  write_file(folder / "mote" / "services.h", embedded_file("agent/loaded/services.h"));
}

std::string compiler_version(const Target& target) {
  return run_compiler({std::string(target.compiler), "--version"}, "asking for the compiler's version");
}

}  // namespace mote
