// SPDX-License-Identifier: Apache-2.0
// Four rows of weights in the order in which a core multiplies them with one row of values: nn/four_rows.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/core.hpp"

namespace mote::op {

enum class FourRows { scalar, paired, vector };

[[nodiscard]] inline FourRows four_rows_for(const Core& core) {
  return core.mve ? FourRows::vector : core.dsp ? FourRows::paired : FourRows::scalar;
}

// Appends rows of equal lengths.
void pack_four_rows(FourRows order, const std::array<std::span<const int8_t>, 4>& rows,
                    std::vector<int8_t>& packed);

// Behind the last of them: what the kernel may read beyond.
void end_four_rows(FourRows order, std::vector<int8_t>& packed);

}  // namespace mote::op
