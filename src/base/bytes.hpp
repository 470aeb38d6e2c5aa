// SPDX-License-Identifier: Apache-2.0
// Byte buffers and typed views of them. The host and all targets are little-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/error.hpp"

namespace mote {

static_assert(std::endian::native == std::endian::little, "Mote's host side assumes a little-endian machine");

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

// Copies bytes into typed values (no alignment needed). Throws Error when the size is not a multiple of sizeof(T).
template <class T>
[[nodiscard]] std::vector<T> to_values(ByteSpan bytes) {
  require(bytes.size() % sizeof(T) == 0, "{} bytes do not hold whole elements of {} bytes", bytes.size(),
          sizeof(T));
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <class T>
[[nodiscard]] Bytes to_bytes(std::span<const T> values) {
  Bytes bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
[[nodiscard]] Bytes to_bytes(const std::vector<T>& values) {
  return to_bytes(std::span<const T>(values));
}

[[nodiscard]] constexpr int64_t align_up(int64_t value, int64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace mote
