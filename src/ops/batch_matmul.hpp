// SPDX-License-Identifier: Apache-2.0
// The product of two int8 matrices, which fully connected layers use whose weights are computed at run time.
#pragma once

#include "ir/operator.hpp"
#include "nn/batch_matmul.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote {

// The quantisation members for a product of `lhs` and `rhs` that becomes `out`.
void quantise_product(nn::BatchMatmul& params, const TensorType& lhs, const TensorType& rhs, const TensorType& out,
                      Activation activation);

}  // namespace mote
