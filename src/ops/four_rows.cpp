// SPDX-License-Identifier: Apache-2.0
#include "ops/four_rows.hpp"

#include <algorithm>

namespace mote::op {

void pack_four_rows(FourRows order, const std::array<std::span<const int8_t>, 4>& rows,
                    std::vector<int8_t>& packed) {
  const size_t taps = rows[0].size();
  const auto append = [&](size_t row, size_t tap) { packed.push_back(tap < taps ? rows[row][tap] : int8_t{0}); };
  if (order == FourRows::scalar) {
    for (size_t tap = 0; tap < (taps + 1) / 2 * 2; ++tap) {
      for (size_t row = 0; row < 4; ++row) append(row, tap);
    }
    return;
  }
  const size_t most = order == FourRows::vector ? 16 : 4;
  for (size_t first = 0; first < taps; first += most) {
    const size_t together = std::min(most, (taps - first + 3) / 4 * 4);
    for (size_t row = 0; row < 4; ++row) {
      for (size_t tap = first; tap < first + together; ++tap) append(row, tap);
    }
  }
}

void end_four_rows(FourRows order, std::vector<int8_t>& packed) {
  if (order == FourRows::vector) packed.insert(packed.end(), 16, int8_t{0});
}

}  // namespace mote::op
