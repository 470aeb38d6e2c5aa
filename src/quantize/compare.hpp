// SPDX-License-Identifier: Apache-2.0
// The integer model beside the float one: layer by layer, and by the answers they give.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quantize/integer_graph.hpp"
#include "quantize/samples.hpp"

namespace mote {

// The first output of one layer. Figures are means over all samples and elements.
struct LayerFigures {
  std::string name;  // Node::origin
  bool integer = false;
  Range values;                   // that the float model gives
  Range covered;                  // that the integers can give; of an integer layer
  Quantization quant;             // of an integer layer
  double saturation = 0;          // share of the float model's values that the integers cannot give
  double signal_to_noise_db = 0;  // of the integer model's values; infinity: none differs
  double lost_db = 0;             // how far below the worst of its inputs
  bool worst = false;             // among those that lose most
};

// Layers that run, in their order. At most `marked` of them are the worst, each of which loses at least 3 dB.
[[nodiscard]] std::vector<LayerFigures> compare_layers(const Graph& model, const IntegerGraph& integer,
                                                       const Samples& samples, size_t marked = 3);

// Answers of one model: the class with the largest output, the first one of equals.
struct Answers {
  size_t right = 0;
  size_t ties = 0;       // samples in which other classes are as large as the largest
  size_t saturated = 0;  // samples whose largest output is the largest that the output's type can give
};

struct Accuracy {
  size_t samples = 0;
  Answers real, integer;
  size_t agree = 0;  // samples for which both models give one class

  [[nodiscard]] double percent(const Answers& answers) const {
    return 100.0 * static_cast<double>(answers.right) / static_cast<double>(samples);
  }
};

// Throws Error when labels are missing or the first output is no vector of classes.
[[nodiscard]] Accuracy evaluate(const Graph& model, const Graph& integer, const Samples& labelled);

}  // namespace mote
