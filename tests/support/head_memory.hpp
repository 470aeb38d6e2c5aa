// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "nn/train_dense.hpp"

namespace mote {

// Floats of a head's memory: parameters, their momentum, real features and errors.
inline size_t head_floats(const nn::TrainDense& p) {
  return static_cast<size_t>(2 * nn::dense_parameters(p) + p.inputs + p.outputs);
}

}  // namespace mote
