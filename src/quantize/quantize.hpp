// SPDX-License-Identifier: Apache-2.0
// Post-training quantisation: a float model and samples of its inputs give an integer model.
#pragma once

#include "quantize/integer_graph.hpp"
#include "quantize/options.hpp"
#include "quantize/samples.hpp"

namespace mote {

struct QuantizedModel {
  Bytes file;            // .tflite
  IntegerGraph integer;  // the same model
  Graph real;  // the float model that it stands for: weights as reals, equalised where that was asked for
  std::vector<std::string> notes;  // what the user should know, a sentence each: which layers stay float
};

// `model`: as compile_model() gives it, float; its weights may be stored as integers ("dynamic range"). The file
// is imported again and must compute what the graph computes. Throws Error when the model is quantised already, or
// holds operators that cannot be written.
[[nodiscard]] QuantizedModel quantize(const Graph& model, const Samples& calibration,
                                      const QuantizeOptions& options = {});

}  // namespace mote
