// SPDX-License-Identifier: Apache-2.0
// Golden vectors: folders of recorded inputs and outputs, and the comparison of outputs with them.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace mote {

struct Case {
  std::string name;                    // "case0"
  std::vector<Bytes> inputs, outputs;  // raw little-endian bytes, one entry a graph input or output
  bool continues = false;              // goes on from the state that the case before it left
};

// Reads manifest.json ("cases": names) and CASE_inK.bin, CASE_outK.bin beside it. Each case begins with the
// initial state; where the manifest says "stateful": true, seq0, seq1, ... follow, of which each but the first
// goes on from the one before. Throws Error when a file is missing or its size is not the model's.
[[nodiscard]] std::vector<Case> read_golden(const std::filesystem::path& directory, const Graph& graph);

// Inputs for each graph input: uniform over the dtype's range; floats uniform in [-1, 1). Outputs stay empty.
[[nodiscard]] Case random_case(const Graph& graph, std::mt19937& random, std::string name);

struct Comparison {
  int64_t cases = 0, equal_bytes = 0, total_bytes = 0;
  double max_difference = 0;     // in output values: integer steps, or the float's unit
  std::string first_difference;  // "case2, output 0 'logits', element 7: -3, expected -4"; empty when all is equal

  [[nodiscard]] bool equal() const { return equal_bytes == total_bytes; }
};

// The inputs of the cases, and which of them continue, as measure() takes them.
[[nodiscard]] std::vector<std::vector<Bytes>> inputs_of(const std::vector<Case>& cases);
[[nodiscard]] std::vector<bool> continues_of(const std::vector<Case>& cases);

// Integers must be equal; a float counts as equal within 1e-4 of the expected output's range (largest minus
// smallest value, or the largest magnitude where that is more).
[[nodiscard]] Comparison compare(const Graph& graph, const std::vector<Case>& expected,
                                 const std::vector<std::vector<Bytes>>& outputs);

}  // namespace mote
