// SPDX-License-Identifier: Apache-2.0
// Which types of C and C++ can be handed over to another machine, and as what. Included by device/ only.
#pragma once

#include <clang-c/Index.h>

#include <string>

#include "device/scalar.hpp"

namespace mote {

struct DeclaredType {
  std::string refused;  // "a struct; pass its ..." where it cannot be handed over, else empty
  Scalar element = Scalar::int32;
  bool is_array = false;   // a pointer, too
  bool read_only = false;  // an array of const elements
  int64_t row = 1;         // as of Parameter
  int64_t declared = 0;
};

[[nodiscard]] DeclaredType classify(CXType type);

}  // namespace mote
