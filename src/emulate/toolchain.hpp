// SPDX-License-Identifier: Apache-2.0
// A target's own compiler and linker, as processes.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "emulate/process.hpp"
#include "target/target.hpp"

namespace mote {

constexpr std::chrono::seconds compiler_timeout{600};

// Throws Error with the end of what the tool printed unless it succeeds. `what` is the activity: "linking kws".
ProcessResult run_tool(const std::vector<std::string>& command, std::string_view what);

void append(std::vector<std::string>& command, const std::vector<std::string>& more);

// Compiles C++ or assembly with the target's compiler, for the target.
void compile_source(const Target& target, const std::filesystem::path& source, const std::filesystem::path& object,
                    const std::vector<std::string>& flags);

// Compiles a generated model, with the compiler that the target has for it. What each function takes of the stack
// stands beside the object: in a .ci file (g++) or a .su file (clang++). `flags`: those of its mode, and folders.
void compile_generated(const Target& target, const std::filesystem::path& source,
                       const std::filesystem::path& object, std::vector<std::string> flags);

struct SystemInclude {
  std::filesystem::path path;
  bool of_compiler = false;  // headers that belong to this very compiler: <stddef.h>, intrinsics
};

// Where a compiler searches headers, in that order. `command` is how it is called, with the language.
[[nodiscard]] std::vector<SystemInclude> system_includes(std::vector<std::string> command);

// DIRECTORY/library.o: arithmetic that the toolchain's own libraries lack, often nothing.
void compile_library(const Target& target, const std::filesystem::path& directory);

}  // namespace mote
