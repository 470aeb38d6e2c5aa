// SPDX-License-Identifier: Apache-2.0
// The models that tests compile: the project's own, and real ones where they are there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mote::test {

[[nodiscard]] std::filesystem::path digits_model();   // examples/digits/digits.tflite
[[nodiscard]] std::filesystem::path digits_golden();  // its golden vectors

// Real models whose operators are all supported; names in shared_directory()/models.
[[nodiscard]] const std::vector<std::string>& real_models();

}  // namespace mote::test
