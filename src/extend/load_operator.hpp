// SPDX-License-Identifier: Apache-2.0
// A user's own operator: one C++ file, compiled and linked into the running program.
#pragma once

#include <filesystem>

namespace mote {

// Compiles FOLDER/NAME.cpp with the host's compiler (CXX, else g++) unless that was done before, and adds its
// `extern const OpDef mote::op::NAME` to op::all(). Headers beside the file are its kernels: it includes them as
// "user/HEADER", and so does generated code. The compiled file is kept below the system's place for temporary
// files, named by its content. Throws Error that starts with the path.
void load_operator(const std::filesystem::path& source);

}  // namespace mote
