// SPDX-License-Identifier: Apache-2.0
// Cuts a classifier in two: a backbone that ends in features, and its last dense layer, which the device trains.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

// What a layer starts from: weights [output][input] of i8 or f32 that stand for scales[output] * (q - zero).
// Empty: zeros.
struct FirstWeights {
  Tensor weights;
  std::vector<float> scales, bias;
  int32_t zero = 0;
};

// The dense layer in front of the last one, where two learn. Its values are clamped to [low, high].
struct HiddenLayer {
  std::string layer;
  int64_t outputs = 0;
  float low = 0, high = 0;
  FirstWeights first;
};

struct TrainableHead {
  std::string layer;  // "FULLY_CONNECTED #7 (logits)"
  int64_t inputs = 0, outputs = 0;
  TensorType features;  // output 0 of the backbone
  std::optional<HiddenLayer> hidden;
  FirstWeights first;  // of the last layer
  float momentum = 0.9F;
  uint64_t model =
      0;  // names what the parameters mean: a checksum of the backbone and its constants, and of the head's form
};

struct SplitModel {
  Graph backbone;  // its only output are the features
  TrainableHead head;
};

// `classes`: a new last layer of zeros with so many outputs instead of the file's. `layers`: how many learn, 1
// or 2. Throws Error that names what the model ends with when these are no dense layers.
[[nodiscard]] SplitModel split_head(Graph graph, std::optional<int64_t> classes = {}, int64_t layers = 1);

// A new head of zeros behind a model whose only output are int8 features; `scale` replaces theirs.
[[nodiscard]] SplitModel append_head(Graph backbone, int64_t classes, float scale);

// In bytes. Parameters, their momentum and the scratch memory (real features, hidden values, errors) are RAM.
struct HeadSizes {
  int64_t parameters = 0, momentum = 0, scratch = 0, record = 0, flash = 0;
  [[nodiscard]] int64_t ram() const { return parameters + momentum + scratch; }
};
[[nodiscard]] HeadSizes head_sizes(const TrainableHead& head);

// "FULLY_CONNECTED #6 (hidden) and FULLY_CONNECTED #7 (logits)"
[[nodiscard]] std::string layers_of(const TrainableHead& head);

}  // namespace mote
