// SPDX-License-Identifier: Apache-2.0
// Slices of a tensor replaced by others, or combined with them, at places that indices name.
#pragma once

#include "ir/operator.hpp"

namespace mote {

// `mode`: one of those in nn/scatter.hpp; other than replacing of f32 and i32 only. Inputs: data, places, updates.
// A place is the number of a slice of the data; a slice has as many elements as there are updates for one place.
[[nodiscard]] OperatorPtr make_scatter(int32_t mode);

}  // namespace mote
