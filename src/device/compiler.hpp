// SPDX-License-Identifier: Apache-2.0
// The compiler of a target: how it is called for C and C++, where it finds headers, which one it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "device/signature.hpp"
#include "emulate/toolchain.hpp"
#include "target/target.hpp"

namespace mote {

// Throws Error that names a way out when the target has no compiler or it is not installed.
void require_compiler(const Target& target);

// Runs it with these arguments and gives its output. Throws Error with its messages, behind `what`.
std::string run_compiler(const std::vector<std::string>& command, const std::string& what);

// The driver and the flags of the target: what every call begins with.
[[nodiscard]] std::vector<std::string> compiler_command(const Target& target, Language language);

// Folders of headers, definitions and standard, as the request has them.
[[nodiscard]] std::vector<std::string> preprocessor_flags(const FunctionRequest& request, Language language);

// Where the compiler searches headers, in that order.
[[nodiscard]] std::vector<SystemInclude> system_includes(const Target& target, Language language);

// Writes the headers that loaded code may include: mote/services.h.
void write_device_headers(const std::filesystem::path& folder);

// What `--version` prints.
[[nodiscard]] std::string compiler_version(const Target& target);

}  // namespace mote
