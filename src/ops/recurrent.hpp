// SPDX-License-Identifier: Apache-2.0
// Recurrent layers as ONNX defines them: what the importer says to make one.
#pragma once

#include "ir/operator.hpp"

namespace mote::recurrent {

enum class Cell { rnn, gru, lstm };
enum Activation : int { logistic = 0, tanh = 1, relu = 2 };  // the kernel's numbers

struct Options {
  Cell cell = Cell::rnn;
  bool time_major = true;    // [time][batch][depth] instead of [batch][time][depth], in and out
  bool reverse = false;      // from the last step to the first
  bool reset_after = false;  // GRU: the reset gate acts behind the recurrent product
  bool sequence = true;      // gives the output of each step, before the last states
  Activation gate = logistic, candidate = Activation::tanh, squash = Activation::tanh;
};

// Inputs, all float; those with G rows a unit have the gates of nn/recurrent.hpp in its order.
constexpr size_t x = 0, weights = 1 /* [G * units][inputs] */, recurrence = 2 /* [G * units][units] */,
                 bias = 3 /* of G gates, 4 for a GRU with reset_after */, peephole = 4 /* 3 * units, or absent */,
                 initial_state = 5, initial_cell = 6 /* [batch][units], or absent: zeros */, all_inputs = 7;

// Outputs: the sequence (if asked for), the last state, the last cell state (LSTM).
[[nodiscard]] OperatorPtr make(const Options& options);

}  // namespace mote::recurrent
