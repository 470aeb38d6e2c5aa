// SPDX-License-Identifier: Apache-2.0
// Functions of int8 as the reference kernels compute them, for tables: bit for bit, on the host.
#pragma once

#include <functional>

#include "ir/types.hpp"

namespace mote::op {

// An output of 256 bytes, beginning with the value of -128.
[[nodiscard]] Bytes byte_table(const std::function<int32_t(int32_t)>& function);

// round(f(s (q - z)) / s_out) + z_out, all in float.
[[nodiscard]] int32_t by_float(float (*function)(float), int32_t value, const TensorType& in,
                               const TensorType& out);

[[nodiscard]] int32_t logistic_byte(int32_t value, const TensorType& in);
[[nodiscard]] int32_t tanh_byte(int32_t value, const TensorType& in);
[[nodiscard]] int32_t hard_swish_byte(int32_t value, const TensorType& in, const TensorType& out);
[[nodiscard]] int32_t reciprocal_sqrt_byte(int32_t value, const TensorType& in, const TensorType& out);

}  // namespace mote::op
