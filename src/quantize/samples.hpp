// SPDX-License-Identifier: Apache-2.0
// Inputs of a model, sample by sample, with labels or without: what calibration and evaluation run on.
#pragma once

#include <filesystem>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

struct Samples {
  std::vector<std::vector<Bytes>> inputs;  // [sample][input of the model], in the inputs' own types
  std::vector<int64_t> labels;             // one a sample, or empty
};

// From a .npz file whose keys name the model's inputs (any key for the only one; `labels` or `y`: the classes), or
// a .npy file for a model of one input. The first axis of every array is the sample; extents of 1 may be left out
// of the others. Throws Error that names the key, the sample and the element that cannot be used (a wrong dtype or
// shape, NaN, infinity), and when there is no sample.
[[nodiscard]] Samples read_samples(const std::filesystem::path& path, const Graph& model);

// Throws Error unless each sample has a label, in [0, classes).
void require_labels(const Samples& samples, int64_t classes);

}  // namespace mote
