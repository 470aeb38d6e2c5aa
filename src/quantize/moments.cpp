// SPDX-License-Identifier: Apache-2.0
#include "quantize/moments.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace mote {

namespace {

constexpr size_t most_windows = 8192;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Place {
  size_t sample = 0;
  int32_t batch = 0, y = 0, x = 0;
};

// Samples begin at different places of the step, so that not all show the same ones.
std::vector<Place> places(const nn::Conv2d& shape, size_t samples) {
  const auto all = static_cast<size_t>(int64_t{shape.batches} * shape.out_height * shape.out_width);
  const size_t count = std::min(all, (most_windows + samples - 1) / samples);
  constexpr double golden = 0.6180339887498949;
  std::vector<Place> result;
  for (size_t sample = 0; sample < samples; ++sample) {
    const double shift = count == all ? 0 : std::fmod(golden * static_cast<double>(sample), 1.0);
    for (size_t k = 0; k < count; ++k) {
      const double share = (static_cast<double>(k) + shift) / static_cast<double>(count);
      const auto index =
          std::min(static_cast<int64_t>(share * static_cast<double>(all) + 1e-9), static_cast<int64_t>(all) - 1);
      const int64_t row = index / shape.out_width;
      result.push_back({sample, static_cast<int32_t>(row / shape.out_height),
                        static_cast<int32_t>(row % shape.out_height),
                        static_cast<int32_t>(index % shape.out_width)});
    }
  }
  return result;
}

void read_window(const nn::Conv2d& p, const std::vector<float>& image, const Place& place, int32_t first_channel,
                 double* out) {
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    for (int32_t kx = 0; kx < p.kernel_width; ++kx, out += p.group_channels) {
      const int32_t y = place.y * p.stride_height - p.pad_top + ky * p.dilation_height;
      const int32_t x = place.x * p.stride_width - p.pad_left + kx * p.dilation_width;
      if (y < 0 || y >= p.in_height || x < 0 || x >= p.in_width) continue;
      const int64_t pixel = (int64_t{place.batch} * p.in_height + y) * p.in_width + x;
      const auto from = image.begin() + static_cast<ptrdiff_t>(pixel * p.in_channels + first_channel);
      std::copy_n(from, p.group_channels, out);
    }
  }
}

// One window a row, less the mean of all.
RowMajor windows(const nn::Conv2d& p, const Values& images, const std::vector<Place>& at, int32_t first_channel,
                 std::vector<double>& mean) {
  const Eigen::Index taps = Eigen::Index{p.kernel_height} * p.kernel_width * p.group_channels;
  RowMajor rows = RowMajor::Zero(static_cast<Eigen::Index>(at.size()), taps);
  for (size_t i = 0; i < at.size(); ++i)
    read_window(p, images[at[i].sample], at[i], first_channel, rows.row(static_cast<Eigen::Index>(i)).data());
  const Eigen::RowVectorXd means = rows.colwise().mean();
  rows.rowwise() -= means;
  mean.assign(means.data(), means.data() + taps);
  return rows;
}

std::vector<double> product(const RowMajor& a, const RowMajor& b) {
  const RowMajor sum = a.transpose() * b / static_cast<double>(a.rows());
  return {sum.data(), sum.data() + sum.size()};
}

}  // namespace

LayerMoments input_moments(const nn::Conv2d& shape, const Values& wanted, const Values& seen) {
  const std::vector<Place> at = places(shape, seen.size());
  LayerMoments result{static_cast<size_t>(shape.group_outputs), {}};
  for (int32_t first = 0; first < shape.in_channels; first += shape.group_channels) {
    Moments moments;
    const RowMajor x = windows(shape, seen, at, first, moments.seen_mean);
    const RowMajor y = windows(shape, wanted, at, first, moments.wanted_mean);
    moments.taps = moments.seen_mean.size();
    moments.windows = at.size();
    moments.seen = product(x, x);
    moments.joint = product(x, y);
    result.groups.push_back(std::move(moments));
  }
  return result;
}

}  // namespace mote
