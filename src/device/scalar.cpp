// SPDX-License-Identifier: Apache-2.0
#include "device/scalar.hpp"

#include "base/error.hpp"

namespace mote {

std::string_view name(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean: return "bool";
    case Scalar::int8: return "int8";
    case Scalar::uint8: return "uint8";
    case Scalar::int16: return "int16";
    case Scalar::uint16: return "uint16";
    case Scalar::int32: return "int32";
    case Scalar::uint32: return "uint32";
    case Scalar::int64: return "int64";
    case Scalar::uint64: return "uint64";
    case Scalar::float32: return "float32";
    case Scalar::float64: return "float64";
  }
  fail("no scalar type has the number {}", static_cast<int>(scalar));
}

int64_t byte_size(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean:
    case Scalar::int8:
    case Scalar::uint8: return 1;
    case Scalar::int16:
    case Scalar::uint16: return 2;
    case Scalar::int32:
    case Scalar::uint32:
    case Scalar::float32: return 4;
    case Scalar::int64:
    case Scalar::uint64:
    case Scalar::float64: return 8;
  }
  fail("no scalar type has the number {}", static_cast<int>(scalar));
}

bool is_float(Scalar scalar) { return scalar == Scalar::float32 || scalar == Scalar::float64; }

bool is_signed(Scalar scalar) {
  return is_float(scalar) || scalar == Scalar::int8 || scalar == Scalar::int16 || scalar == Scalar::int32 ||
         scalar == Scalar::int64;
}

Scalar integer(int64_t bytes, bool is_signed) {
  switch (bytes) {
    case 1: return is_signed ? Scalar::int8 : Scalar::uint8;
    case 2: return is_signed ? Scalar::int16 : Scalar::uint16;
    case 4: return is_signed ? Scalar::int32 : Scalar::uint32;
    case 8: return is_signed ? Scalar::int64 : Scalar::uint64;
    default: fail("there is no integer type of {} bytes", bytes);
  }
}

}  // namespace mote
