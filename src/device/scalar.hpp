// SPDX-License-Identifier: Apache-2.0
// The scalar types of functions that are loaded into a device, by NumPy's names.
#pragma once

#include <cstdint>
#include <string_view>

namespace mote {

enum class Scalar { boolean, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64 };

[[nodiscard]] std::string_view name(Scalar scalar);  // "bool", "int8", ..., "float64"
[[nodiscard]] int64_t byte_size(Scalar scalar);
[[nodiscard]] bool is_float(Scalar scalar);
[[nodiscard]] bool is_signed(Scalar scalar);  // of the floats, too
[[nodiscard]] Scalar integer(int64_t bytes, bool is_signed);

}  // namespace mote
