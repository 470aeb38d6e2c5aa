// SPDX-License-Identifier: Apache-2.0
// Values between the float model and the integer one.
#pragma once

#include <vector>

#include "ir/graph.hpp"
#include "quantize/samples.hpp"

namespace mote {

// The inputs of one sample as the integer model takes them: reals become integers as by QUANTIZE.
[[nodiscard]] std::vector<Bytes> integer_inputs(const Graph& integer, const Graph& real,
                                                const std::vector<Bytes>& inputs);
[[nodiscard]] Samples integer_samples(const Graph& integer, const Graph& real, const Samples& samples);

// The real numbers that a tensor's content stands for.
[[nodiscard]] std::vector<double> real_values(const TensorType& type, ByteSpan content);

}  // namespace mote
