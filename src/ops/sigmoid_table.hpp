// SPDX-License-Identifier: Apache-2.0
// The table behind 16-bit sigmoid and tanh (nn/fixed_sigmoid.hpp), computed as TensorFlow Lite's was.
#pragma once

#include "ir/call.hpp"

namespace mote::op {

// 256 values of Q0.16, as a constant that is shared between all kernels that read it.
[[nodiscard]] Constant sigmoid_table();

}  // namespace mote::op
