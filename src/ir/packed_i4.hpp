// SPDX-License-Identifier: Apache-2.0
// Constants of four bits: two elements a byte, the first in the lower half, as files of TensorFlow Lite hold them.
#pragma once

#include <vector>

#include "ir/types.hpp"

namespace mote {

[[nodiscard]] std::vector<int8_t> i4_values(const Tensor& tensor);

// The same constant as i8, of i4; any other stays as it is. And back: its values are from -8 to 7, or Error.
[[nodiscard]] Tensor unpacked_i4(Tensor tensor);
[[nodiscard]] Tensor packed_i4(Tensor tensor);

}  // namespace mote
