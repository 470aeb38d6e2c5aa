// SPDX-License-Identifier: Apache-2.0
// Trains a head in an emulated core, with the code that a board would run.
#pragma once

#include <vector>

#include "codegen/head.hpp"
#include "target/target.hpp"

namespace mote {

struct HeadTraining {
  std::vector<std::vector<Bytes>> samples;  // [sample][input of the backbone]
  std::vector<int32_t> labels;              // [sample], each a class
  int epochs = 1;                           // times through all samples in their order
  float rate = 0;
  std::vector<std::vector<Bytes>> tests;  // predicted afterwards
};

struct TrainedHead {
  std::vector<float> losses;  // before each step, [epoch * samples + sample]
  Bytes record;               // of NAME_head_save
  // Of the tests: the most likely class and all probabilities, [test * outputs + class].
  std::vector<int32_t> classes;
  std::vector<float> probabilities;
  // Of the backbone's run with a training step, and with a prediction: exact, one number for each.
  std::vector<int64_t> step_instructions, prediction_instructions;
  int64_t stack_peak_bytes = 0;
};

// The most bytes of stack that the backbone's run and the head's functions take, below an application that calls
// them; its own frame of some ten bytes is in it. Compiles and links only. Throws Error as emulate() does.
[[nodiscard]] int64_t head_stack_bound(const Graph& backbone, const TrainableHead& head, const Plan& plan,
                                       const Target& target, Mode mode);

// The head begins with NAME_head_init and each run of a backbone with a state from its initial one. Throws Error
// where the target has no emulator, the samples do not fit into its memory, or as emulate() does.
[[nodiscard]] TrainedHead train_head(const SplitModel& split, const Plan& plan, const Target& target, Mode mode,
                                     const HeadTraining& training);

}  // namespace mote
