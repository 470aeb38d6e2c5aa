// SPDX-License-Identifier: Apache-2.0
// Least squares of relative errors with no coefficient below zero: nothing gets cheaper by more work.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace mote::costs {

// One equation, sum(work * x) = amount; `weight` is that of its error beside the others'.
template <size_t N>
struct Equation {
  std::array<double, N> work{};
  double amount = 0, weight = 1;
};

// Minimises |A x - b| over x >= 0, given the normal equations: one coordinate after the other, a convex problem.
template <size_t N>
std::array<double, N> solve(const std::array<std::array<double, N>, N>& normal,
                            const std::array<double, N>& right) {
  std::array<double, N> x{};
  for (int round = 0; round < 20000; ++round) {
    double moved = 0;
    for (size_t i = 0; i < N; ++i) {
      if (normal[i][i] <= 0) continue;
      double gradient = right[i];
      for (size_t j = 0; j < N; ++j) gradient -= normal[i][j] * x[j];
      const double next = std::max(0.0, x[i] + gradient / normal[i][i]);
      moved = std::max(moved, std::abs(next - x[i]));
      x[i] = next;
    }
    if (moved < 1e-12) break;
  }
  return x;
}

template <size_t N>
std::array<double, N> least_squares(const std::vector<Equation<N>>& equations) {
  // Columns are scaled to unit length, or the coordinates would move at very different speeds.
  std::array<double, N> scale{};
  for (const Equation<N>& equation : equations) {
    for (size_t k = 0; k < N; ++k) scale[k] += std::pow(equation.work[k] * equation.weight, 2);
  }
  for (double& value : scale) value = std::sqrt(value);
  std::array<std::array<double, N>, N> normal{};
  std::array<double, N> right{};
  for (const Equation<N>& equation : equations) {
    for (size_t a = 0; a < N; ++a) {
      if (scale[a] <= 0) continue;
      const double left = equation.work[a] * equation.weight / scale[a];
      right[a] += left * equation.amount * equation.weight;
      for (size_t b = 0; b < N; ++b) {
        if (scale[b] > 0) normal[a][b] += left * equation.work[b] * equation.weight / scale[b];
      }
    }
  }
  // A trace of ridge decides between columns that always move together.
  for (size_t k = 0; k < N; ++k) normal[k][k] += scale[k] > 0 ? 1e-9 : 0;
  std::array<double, N> x = solve(normal, right);
  for (size_t k = 0; k < N; ++k) x[k] = scale[k] > 0 ? x[k] / scale[k] : 0;
  return x;
}

}  // namespace mote::costs
