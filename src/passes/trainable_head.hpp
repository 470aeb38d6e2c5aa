// SPDX-License-Identifier: Apache-2.0
// Cuts a classifier in two: a backbone that ends in features, and its last dense layer, which the device trains.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

struct TrainableHead {
  std::string layer;  // "FULLY_CONNECTED #7 (logits)"
  int64_t inputs = 0, outputs = 0;
  TensorType features;  // output 0 of the backbone
  // What it starts from: weights [outputs][inputs] of i8 or f32 that stand for scales[output] * (q - zero). Empty:
  // zeros.
  Tensor weights;
  std::vector<float> scales, bias;
  int32_t zero = 0;
  float momentum = 0.9F;
  uint64_t model = 0;  // names what the features mean: a checksum of the backbone and its constants
};

struct SplitModel {
  Graph backbone;  // its only output are the features
  TrainableHead head;
};

// `classes`: a new head of zeros with so many outputs instead of the file's. Throws Error that names what the
// model ends with when that is no dense layer.
[[nodiscard]] SplitModel split_head(Graph graph, std::optional<int64_t> classes = {});

// In bytes. Parameters, their momentum and the scratch memory (real features, errors) are RAM.
struct HeadSizes {
  int64_t parameters = 0, momentum = 0, scratch = 0, record = 0, flash = 0;
  [[nodiscard]] int64_t ram() const { return parameters + momentum + scratch; }
};
[[nodiscard]] HeadSizes head_sizes(const TrainableHead& head);

}  // namespace mote
