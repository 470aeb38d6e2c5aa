// SPDX-License-Identifier: Apache-2.0
// A target's own compiler and linker, as processes.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.hpp"

namespace mote {

constexpr std::chrono::seconds compiler_timeout{600};

// Throws Error with the end of what the tool printed unless it succeeds. `what` is the activity: "linking kws".
void run_tool(const std::vector<std::string>& command, std::string_view what);

void append(std::vector<std::string>& command, const std::vector<std::string>& more);

// Compiles C++ or assembly with the target's compiler, for the target.
void compile_source(const Target& target, const std::filesystem::path& source, const std::filesystem::path& object,
                    const std::vector<std::string>& flags);

// What every compilation of a generated model has besides the flags of its mode.
[[nodiscard]] std::vector<std::string> generated_code_flags();

// DIRECTORY/library.o: arithmetic that the toolchain's own libraries lack, often nothing.
void compile_library(const Target& target, const std::filesystem::path& directory);

}  // namespace mote
