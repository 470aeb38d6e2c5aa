// SPDX-License-Identifier: Apache-2.0
// Whole files in and out; every failure is an Error that names the file and the system's reason.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace mote {

[[nodiscard]] Bytes read_file(const std::filesystem::path& path);
[[nodiscard]] std::string read_text(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, ByteSpan bytes);  // replaces what was there
void write_file(const std::filesystem::path& path, std::string_view text);

// The same, whole or not at all: a full disk leaves the old file. Devices and pipes are written to directly.
void replace_file(const std::filesystem::path& path, ByteSpan bytes);

}  // namespace mote
