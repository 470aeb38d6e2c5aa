// SPDX-License-Identifier: Apache-2.0
// What a layer's weighted sums read over the samples: means and covariances of windows. Knows no graph.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/conv2d.hpp"

namespace mote {

// Of the output channels that read the same inputs. `wanted`: what the float model's layer reads; `seen`: what the
// integer model's layer does, whose earlier layers are rounded. Matrices are [taps][taps], the taps as in the
// weights.
struct Moments {
  size_t taps = 0, windows = 0;
  std::vector<double> wanted_mean, seen_mean;
  std::vector<double> seen;   // of seen and seen
  std::vector<double> joint;  // of seen (row) and wanted (column)
};

struct LayerMoments {
  size_t group_outputs = 0;  // output channels of a group
  std::vector<Moments> groups;
};

using Values = std::vector<std::vector<float>>;  // by sample

// From some thousand windows, evenly spread over the samples where there are more; outside of the image is 0.
[[nodiscard]] LayerMoments input_moments(const nn::Conv2d& shape, const Values& wanted, const Values& seen);

}  // namespace mote
