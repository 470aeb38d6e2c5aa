// SPDX-License-Identifier: Apache-2.0
// Generated code as a package of an ecosystem: the folders below packages/ are the layouts, with @places@ to fill.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codegen/codegen.hpp"

namespace mote {

struct PackageRequest {
  std::string ecosystem;  // a folder of packages/: "esp-idf"
  std::string model;      // the model's file name, for people
  Mode mode = Mode::balanced;
};

[[nodiscard]] std::vector<std::string> package_ecosystems();  // sorted

// The files of generate() moved to src/, with the ecosystem's manifests, readme and a minimal application beside
// them. Throws Error that lists the ecosystems for an unknown one.
[[nodiscard]] std::vector<GeneratedFile> package(const Graph& graph, const Plan& plan,
                                                 const PackageRequest& request);

}  // namespace mote
