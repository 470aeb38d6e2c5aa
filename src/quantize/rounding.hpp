// SPDX-License-Identifier: Apache-2.0
// Rounds the weights of one output channel so that the channel's sums over the samples stay near the float
// model's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "quantize/moments.hpp"
#include "quantize/options.hpp"

namespace mote {

// Which scales a channel may have.
struct ScaleChoice {
  WeightKind kind = WeightKind::bytes;
  float scale = 1;  // that of the nearest integers
  float least = 0;  // no smaller one
  bool fixed = false;
  bool power_of_two = false;
};

struct RoundedChannel {
  std::vector<int8_t> integers;
  float scale = 1;
  double bias = 0;   // to be added to the channel's bias: the mean of what the sums lose
  double error = 0;  // mean square of what the sums differ by, without their means
};

class ChannelRounder {
 public:
  explicit ChannelRounder(const Moments& moments);
  ChannelRounder(const ChannelRounder&) = delete;
  ChannelRounder& operator=(const ChannelRounder&) = delete;
  ~ChannelRounder();

  // Weight after weight is rounded, and those that are left take up its error (Frantar et al., GPTQ, 2023, in the
  // form of Babai's nearest plane, which gives the same integers from one Cholesky factor); then single integers
  // move while that lowers the error. Of narrow weights, several scales are tried and the best one is fitted.
  [[nodiscard]] RoundedChannel round(std::span<const double> weights, const ScaleChoice& choice) const;

 private:
  struct Factor;
  std::unique_ptr<Factor> factor_;
};

}  // namespace mote
