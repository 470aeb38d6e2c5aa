// SPDX-License-Identifier: Apache-2.0
// The portable kernels with packed weights: 8-bit activations, sums proven to fit nn::Requantize.
#pragma once

#include <optional>

#include "nn/packed.hpp"
#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Scales and shifts as nn::PackedConstants finds them, before packed `weights` of `bits` bits each.
[[nodiscard]] Constant packed_constants(const Folded& folded, const Bytes& weights, int bits);

// [out][taps] to [out / 4][taps][4], channels and taps padded with zeros to multiples of 4 and 2.
[[nodiscard]] std::vector<int8_t> pack_by_four(const std::vector<int8_t>& weights, size_t channels);

// Scales, shifts and weights as nn::conv2d_4x4_s8 reads them.
[[nodiscard]] Constant by_four_constants(const Folded& folded);

// Whether the numbers fit the members of nn::PackedConv2d, and that struct.
[[nodiscard]] bool fits_fields(const nn::Conv2d& shape);
[[nodiscard]] nn::PackedConv2d packed_shape(const nn::Conv2d& shape);

[[nodiscard]] int64_t pixels_of(const nn::Conv2d& shape);

// What blocks of four pixels times four channels take, `product` instructions each, and their copy saves.
[[nodiscard]] Estimate estimate_4x4(const nn::Conv2d& shape, double product);

// The same convolution of one group in fewer, longer dimensions where its memory allows: pixels of a pointwise
// convolution have no neighbours, and windows along one dimension lie in one row. Then groups of four are alike.
[[nodiscard]] nn::Conv2d in_one_row(nn::Conv2d shape);

// Nothing where the shape fits none of them.
[[nodiscard]] std::optional<Call> lower_packed(const Problem& problem, const nn::Conv2d& shape,
                                               const Folded& folded);

// The same of what fold_exact gives.
[[nodiscard]] std::optional<Call> lower_exact(const Problem& problem, const nn::Conv2d& shape,
                                              const Folded& folded);

// Depthwise, of 16-bit activations; `scales` as fold16 has them.
[[nodiscard]] std::optional<Call> lower_depthwise_s16(const nn::Conv2d& shape, const std::vector<int8_t>& weights,
                                                      const std::vector<int32_t>& scales);

}  // namespace mote::convolution
