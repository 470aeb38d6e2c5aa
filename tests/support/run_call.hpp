// SPDX-License-Identifier: Apache-2.0
// Runs one kernel call on the host with guard bytes around every buffer.
#pragma once

#include <random>
#include <vector>

#include "ir/operator.hpp"

namespace mote::test {

// Bytes for every input of the sample that is not constant: integers over their whole range, floats in [-1, 1].
[[nodiscard]] std::vector<Bytes> random_inputs(const std::vector<const Tensor*>& in, std::mt19937& random);

// The outputs' bytes. `data` holds the bytes of every input, constants included (empty where absent). A test failure is
// recorded when the call writes outside its outputs and its scratch, or changes an input or a constant.
[[nodiscard]] std::vector<Bytes> run_call(const Call& call, const std::vector<Bytes>& data, const Types& out);

// The real values that stored bytes stand for, and the range that a type can represent.
[[nodiscard]] std::vector<double> to_reals(const TensorType& type, ByteSpan bytes);
[[nodiscard]] double clamp_to_type(const TensorType& type, double value);

}  // namespace mote::test
