// SPDX-License-Identifier: Apache-2.0
// Small .npy and .npz files for tests, as NumPy writes them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/types.hpp"

namespace mote::test {

// `descr`: NumPy's, "<f4".
[[nodiscard]] Bytes npy(const std::string& descr, const Shape& shape, ByteSpan data);
template <class T>
[[nodiscard]] Bytes npy(const std::string& descr, const Shape& shape, const std::vector<T>& values) {
  return npy(descr, shape, ByteSpan(to_bytes(values)));
}

// The archive of np.savez (or of np.savez_compressed) with these files, named without ".npy".
[[nodiscard]] Bytes npz(const std::vector<std::pair<std::string, Bytes>>& arrays, bool compressed = false);

}  // namespace mote::test
