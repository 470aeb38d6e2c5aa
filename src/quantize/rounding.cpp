// SPDX-License-Identifier: Apache-2.0
#include "quantize/rounding.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "quantize/weight_scale.hpp"

namespace mote {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// What is added to each tap's variance, as a share of their mean. The fewer windows a tap has, the less they tell
// of each direction, and weights fitted to that would be worse for other samples.
double damping_share(const Moments& moments) {
  return 0.01 + 0.3 * static_cast<double>(moments.taps) / static_cast<double>(moments.windows);
}

}  // namespace

// Taps in ascending order of their variance: the last are rounded first, and the others take up their errors.
struct ChannelRounder::Factor {
  Eigen::PermutationMatrix<Eigen::Dynamic> order;
  Matrix h;      // covariance of what is seen, damped
  Matrix joint;  // rows in order, columns as they are: from weights to h times the best real weights
  Eigen::LLT<Matrix> lower;
  Vector seen_mean, wanted_mean;  // as they are

  [[nodiscard]] std::array<Vector, 2> starts(const Vector& target, double scale, WeightKind kind) const;
  void improve(const Vector& target, double scale, WeightKind kind, Vector& integers) const;
};

ChannelRounder::ChannelRounder(const Moments& moments) : factor_(std::make_unique<Factor>()) {
  const auto taps = static_cast<Eigen::Index>(moments.taps);
  const Eigen::Map<const RowMajor> seen(moments.seen.data(), taps, taps), joint(moments.joint.data(), taps, taps);
  std::vector<int> order(moments.taps);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return seen(a, a) < seen(b, b); });
  factor_->order.resize(taps);
  for (Eigen::Index i = 0; i < taps; ++i)
    factor_->order.indices()(order[static_cast<size_t>(i)]) = static_cast<int>(i);
  const double variance = seen.trace() / static_cast<double>(taps);
  const double damping = variance > 0 ? damping_share(moments) * variance : 1;
  const Matrix identity = damping * Matrix::Identity(taps, taps);
  factor_->h = factor_->order * Matrix(seen) * factor_->order.transpose();
  factor_->h += identity;
  factor_->joint = factor_->order * Matrix(joint + identity);
  factor_->lower.compute(factor_->h);
  factor_->seen_mean = Eigen::Map<const Vector>(moments.seen_mean.data(), taps);
  factor_->wanted_mean = Eigen::Map<const Vector>(moments.wanted_mean.data(), taps);
}

ChannelRounder::~ChannelRounder() = default;

// Each integer takes up the errors of those before it; and the nearest ones, which are the better start where many
// weights are beyond the largest integer.
std::array<Vector, 2> ChannelRounder::Factor::starts(const Vector& target, double scale, WeightKind kind) const {
  const auto& factor = lower.matrixLLT();
  const Eigen::Index taps = target.size();
  std::array<Vector, 2> result{Vector(taps), Vector(taps)};
  Vector error(taps);
  for (Eigen::Index i = taps - 1; i >= 0; --i) {
    const Eigen::Index after = taps - 1 - i;
    const double taken = factor.col(i).tail(after).dot(error.tail(after)) / factor(i, i);
    result[0](i) = integer_weight(target(i) + taken, scale, kind);
    error(i) = target(i) - scale * result[0](i);
    result[1](i) = integer_weight(target(i), scale, kind);
  }
  return result;
}

void ChannelRounder::Factor::improve(const Vector& target, double scale, WeightKind kind, Vector& integers) const {
  constexpr int most_rounds = 20;
  const double limit = largest_integer(kind);
  Vector gradient = h * (target - scale * integers);
  for (int round = 0; round < most_rounds; ++round) {
    bool moved = false;
    for (Eigen::Index i = 0; i < target.size(); ++i) {
      const double best = std::nearbyint(integers(i) + gradient(i) / (scale * h(i, i)));
      const double step = std::clamp(best, -limit, limit) - integers(i);
      if (step == 0) continue;
      integers(i) += step;
      gradient -= scale * step * h.col(i);
      moved = true;
    }
    if (!moved) return;
  }
}

namespace {

std::vector<float> scales_to_try(const ScaleChoice& choice) {
  if (choice.fixed || choice.kind == WeightKind::bytes) return {choice.scale};
  std::vector<float> result;
  if (choice.power_of_two) {
    for (const float factor : {0.5F, 1.0F, 2.0F}) result.push_back(factor * choice.scale);
  } else {
    for (int step = -4; step <= 4; ++step)
      result.push_back((1.0F + 0.08F * static_cast<float>(step)) * choice.scale);
  }
  std::erase_if(result, [&](float scale) { return scale < choice.least; });
  if (result.empty()) result.push_back(choice.scale);
  return result;
}

}  // namespace

RoundedChannel ChannelRounder::round(std::span<const double> weights, const ScaleChoice& choice) const {
  const Factor& f = *factor_;
  const Eigen::Map<const Vector> real(weights.data(), static_cast<Eigen::Index>(weights.size()));
  const Vector wanted = f.joint * real;  // h times the target
  const Vector target = f.lower.solve(wanted);
  Vector best;
  RoundedChannel result{{}, choice.scale, 0, std::numeric_limits<double>::infinity()};
  const auto error_of = [&](const Vector& integers, float scale) {
    const Vector error = target - static_cast<double>(scale) * integers;
    return error.dot(f.h * error);
  };
  const auto consider = [&](const Vector& integers, float scale) {
    const double error = error_of(integers, scale);
    if (error < result.error) best = integers, result.scale = scale, result.error = error;
  };
  for (const float scale : scales_to_try(choice)) {
    for (Vector& integers : f.starts(target, static_cast<double>(scale), choice.kind)) {
      f.improve(target, static_cast<double>(scale), choice.kind, integers);
      consider(integers, scale);
    }
  }
  const bool fits_scale = !choice.fixed && !choice.power_of_two && choice.kind != WeightKind::bytes;
  if (fits_scale && best.squaredNorm() > 0) {
    const auto fitted = static_cast<float>(best.dot(wanted) / best.dot(f.h * best));
    if (fitted > 0 && fitted >= choice.least) consider(Vector(best), fitted);
  }
  const Vector integers = f.order.transpose() * best;
  for (const double integer : integers) result.integers.push_back(static_cast<int8_t>(integer));
  result.bias = real.dot(f.wanted_mean) - static_cast<double>(result.scale) * integers.dot(f.seen_mean);
  return result;
}

}  // namespace mote
