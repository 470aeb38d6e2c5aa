// SPDX-License-Identifier: Apache-2.0
// Writes a folder of generated files whole or not at all, and never over a file that somebody else wrote.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace mote {

// Paths below the folder and their contents. report.json must be among them: its "files" list marks what Mote
// wrote.
using OutputFiles = std::map<std::string, std::string>;

// Creates `directory` with exactly these files. An existing folder is replaced only when it is empty or holds
// nothing but files that an earlier call listed. Throws Error otherwise, or when the disk is full or read-only;
// then nothing has changed.
void write_output_directory(const std::filesystem::path& directory, const OutputFiles& files);

}  // namespace mote
