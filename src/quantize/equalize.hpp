// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalisation: channels between two layers are scaled so that the weights on both sides have equal
// ranges. What the model computes stays the same.
#pragma once

#include "ir/graph.hpp"
#include "quantize/scheme.hpp"

namespace mote {

// Between layers whose output scales with their sum (no activation, or ReLU) and the only layer that reads them,
// directly or through pooling. The scale of channel i is sqrt(r1 / r2), r the largest magnitudes of the weights
// that give it and that read it; repeated until nothing moves (Nagel et al., Data-free quantization through weight
// equalization and bias correction, 2019).
[[nodiscard]] Graph equalize(Graph graph, const Scheme& scheme);

}  // namespace mote
