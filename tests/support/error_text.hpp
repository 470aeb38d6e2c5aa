// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.hpp"

namespace mote::test {

// What the Error says that a call throws.
template <class Call>
std::string error_of(Call&& call) {
  try {
    (void)call();
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

}  // namespace mote::test
