// SPDX-License-Identifier: Apache-2.0
// Whole files in and out; every failure is an Error that names the file and the system's reason.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/bytes.hpp"

namespace mote {

[[nodiscard]] Bytes read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, ByteSpan bytes);  // replaces what was there
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace mote
