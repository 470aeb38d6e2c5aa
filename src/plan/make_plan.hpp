// SPDX-License-Identifier: Apache-2.0
// From a graph to a memory plan.
#pragma once

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// Lowers every node for `core`, chooses the order of execution, places all buffers and proves the result with
// check(). `least_align` (bytes, a power of two up to 16) is for kernels that read words of byte tensors; wider
// elements are aligned to their own size. Throws Error that names the node which cannot be lowered.
[[nodiscard]] Plan make_plan(const Graph& graph, const Core& core = {}, int64_t least_align = 4);

}  // namespace mote
