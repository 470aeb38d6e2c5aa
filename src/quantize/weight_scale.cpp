// SPDX-License-Identifier: Apache-2.0
#include "quantize/weight_scale.hpp"

#include <algorithm>
#include <cmath>

namespace mote {

namespace {

double squares(std::span<const double> weights, double scale, WeightKind kind) {
  double sum = 0;
  for (const double weight : weights) {
    const double error = weight - scale * integer_weight(weight, scale, kind);
    sum += error * error;
  }
  return sum;
}

double largest_magnitude(std::span<const double> weights) {
  double most = 0;
  for (const double weight : weights) most = std::max(most, std::abs(weight));
  return most;
}

double nibble_scale(std::span<const double> weights, double most) {
  constexpr int steps = 100;
  double best = most / 7, least = squares(weights, best, WeightKind::nibbles);
  for (int step = steps / 4; step < steps; ++step) {
    const double tried = most / 7 * step / steps;
    const double error = squares(weights, tried, WeightKind::nibbles);
    if (error < least) least = error, best = tried;
  }
  return best;
}

double ternary_scale(std::span<const double> weights) {
  std::vector<double> magnitudes;
  for (const double weight : weights) magnitudes.push_back(std::abs(weight));
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  double sum = 0, best = 0, scale = 0;
  for (size_t k = 1; k <= magnitudes.size(); ++k) {
    sum += magnitudes[k - 1];
    const double gain = sum * sum / static_cast<double>(k);
    if (gain > best) best = gain, scale = sum / static_cast<double>(k);
  }
  return scale;
}

}  // namespace

int largest_integer(WeightKind kind) {
  switch (kind) {
    case WeightKind::bytes: return 127;
    case WeightKind::nibbles: return 7;
    case WeightKind::ternary: return 1;
  }
  fail("unknown kind of weights {}", static_cast<int>(kind));
}

int integer_weight(double weight, double scale, WeightKind kind) {
  const double limit = largest_integer(kind);
  return static_cast<int>(std::clamp(std::nearbyint(weight / scale), -limit, limit));
}

double weight_scale(std::span<const double> weights, WeightKind kind, bool power_of_two) {
  const double most = largest_magnitude(weights);
  if (most == 0) return 0;
  const double scale = kind == WeightKind::ternary   ? ternary_scale(weights)
                       : kind == WeightKind::nibbles ? nibble_scale(weights, most)
                                                     : most / 127;
  if (!power_of_two) return scale;
  const double below = std::exp2(std::floor(std::log2(scale))), above = std::exp2(std::ceil(std::log2(scale)));
  return squares(weights, below, kind) < squares(weights, above, kind) ? below : above;
}

}  // namespace mote
