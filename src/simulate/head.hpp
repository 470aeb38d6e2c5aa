// SPDX-License-Identifier: Apache-2.0
// A trainable head on the host: the device's kernels on the device's memory, so the same bits.
#pragma once

#include <vector>

#include "passes/trainable_head.hpp"

namespace mote {

class SimulatedHead {
 public:
  explicit SimulatedHead(TrainableHead head);

  [[nodiscard]] const TrainableHead& description() const { return head_; }
  void reset();  // to what the head starts from, as NAME_head_init

  // `features`: the raw bytes of one run of the backbone, else Error. Returns the cross-entropy before the step;
  // -1 where `label` is no class, and nothing changes.
  float train(ByteSpan features, int32_t label, float rate);
  // Returns the most likely class; `probabilities` has room for all.
  int32_t predict(ByteSpan features, std::span<float> probabilities);

  [[nodiscard]] Bytes save() const;
  // nn::head_ok, or why the head stays as it is; a record that is too short is nn::head_damaged.
  [[nodiscard]] int32_t load(ByteSpan record);

  // Weights [output][input], then bias: of the hidden layer where there is one, then of the last.
  [[nodiscard]] std::span<const float> parameters() const;
  [[nodiscard]] TrainableHead trained() const;  // the same with these weights to start from

 private:
  TrainableHead head_;
  std::vector<float> memory_;
};

}  // namespace mote
