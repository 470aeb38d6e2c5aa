// SPDX-License-Identifier: Apache-2.0
// The generated code of a head that learns on the device: NAME_head.h and NAME_head.cpp beside the backbone's
// files.
#pragma once

#include <vector>

#include "codegen/codegen.hpp"
#include "passes/trainable_head.hpp"

namespace mote {

// The backbone's files (of split_head's graph and its plan, in one arena) and the head's.
[[nodiscard]] std::vector<GeneratedFile> generate_with_head(const Graph& backbone, const Plan& plan, Mode mode,
                                                            const TrainableHead& head);

}  // namespace mote
