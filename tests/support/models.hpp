// SPDX-License-Identifier: Apache-2.0
// The models that tests compile: the project's own, and real ones where they are there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mote::test {

[[nodiscard]] std::filesystem::path digits_model();   // examples/digits/digits.tflite
[[nodiscard]] std::filesystem::path digits_golden();  // its golden vectors

// The names in shared_directory()/models, sorted; {"absent"} when that folder is not there.
[[nodiscard]] std::vector<std::string> shared_models();

// Those of them that also run in emulated cores: every operator, and short enough for every test run.
[[nodiscard]] const std::vector<std::string>& emulated_models();

}  // namespace mote::test
