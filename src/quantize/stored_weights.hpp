// SPDX-License-Identifier: Apache-2.0
// Models that compute on reals with weights stored as integers ("dynamic range"): the float model they stand for.
#pragma once

#include "ir/graph.hpp"

namespace mote {

// Constants of scaled integers become reals where only operators read them that take and give reals: what rounding
// the activations on the device would change is not in it. `notes` gets a sentence when there are any.
[[nodiscard]] Graph with_real_weights(Graph graph, std::vector<std::string>& notes);

}  // namespace mote
