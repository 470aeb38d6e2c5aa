// SPDX-License-Identifier: Apache-2.0
// Runs one kernel call in memory with guard bytes around every buffer, and turns tensors into real numbers and
// back.
#pragma once

#include <random>

#include "ir/operator.hpp"

namespace mote::test {

// The pointers of a sample's inputs, as operators want them.
[[nodiscard]] std::vector<const Tensor*> input_pointers(const Sample& sample);

// Random contents for every input of the sample: constants keep theirs, absent inputs stay empty.
[[nodiscard]] std::vector<Bytes> random_inputs(const Sample& sample, std::mt19937& random);

[[nodiscard]] Bytes noise(size_t bytes, std::mt19937& random);

// Runs `call` with noise in outputs and scratch. Throws Error when a guard byte, an input or a constant changed.
[[nodiscard]] std::vector<Bytes> run_guarded(const Call& call, const std::vector<Bytes>& inputs, const Types& out,
                                             std::mt19937& random);

// The same with output 0 starting `distance` bytes after the start of input `input`, sharing memory with it.
[[nodiscard]] Bytes run_overlapping(const Call& call, const std::vector<Bytes>& inputs, size_t input,
                                    int64_t distance, const Types& out, std::mt19937& random);

// Integers become scale * (q - zero), or themselves when they carry no quantisation.
[[nodiscard]] std::vector<double> to_reals(const TensorType& type, ByteSpan bytes);

// The largest distance between `bytes` and `expected`: in quantisation steps (integers), or relative to the
// largest expected magnitude (float).
[[nodiscard]] double difference(const TensorType& type, ByteSpan bytes, const std::vector<double>& expected);

}  // namespace mote::test
