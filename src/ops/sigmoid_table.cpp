// SPDX-License-Identifier: Apache-2.0
#include "ops/sigmoid_table.hpp"

#include <cmath>

namespace mote::op {

// A chord of a curve f over a step h errs by up to h^2 f'' / 8 to one side; moving its ends by half of that, h^2
// f'' / 16, makes the error equal to both sides. The last value only ends the interpolation before saturation.
Constant sigmoid_table() {
  constexpr double step = 1.0 / 24;
  std::vector<uint16_t> values;
  for (int i = 0; i < 255; ++i) {
    const double f = 1.0 / (1.0 + std::exp(-i * step));
    const double second_derivative = f * (1 - f) * (1 - 2 * f);
    values.push_back(static_cast<uint16_t>(std::lround(65536.0 * (f - step * step * second_derivative / 16))));
  }
  values.push_back(65535);
  return {"sigmoid_table", DType::u16, to_bytes(values), false};
}

}  // namespace mote::op
