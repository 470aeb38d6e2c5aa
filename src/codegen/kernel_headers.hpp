// SPDX-License-Identifier: Apache-2.0
// Kernel headers as files of the generated folder.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "codegen/codegen.hpp"

namespace mote {

// Adds "nn/conv2d.hpp" and what it includes itself. They name each other from the root of the kernels
// ("nn/fixed.hpp"); in the output they do so relative to their own folder, so that no -I is needed.
void add_kernel_header(const std::string& path, std::set<std::string>& done, std::vector<GeneratedFile>& files);

}  // namespace mote
