// SPDX-License-Identifier: Apache-2.0
#include "import/unsupported.hpp"

#include <algorithm>
#include <iterator>

namespace mote {

namespace {

struct Reason {
  std::string_view tflite_operator, text;
};

constexpr std::string_view branches =
    "decides at run time what to compute, which is not supported; choose with SELECT_V2, or make a model of each "
    "branch";
constexpr std::string_view repeats =
    "repeats a subgraph while the model runs, which is not supported; unroll the loop when exporting, or call the "
    "model once a step and keep its state in variables";
constexpr std::string_view open_size =
    "gives an output whose size only its values tell, and memory is planned before; let the application do this "
    "step";
constexpr std::string_view looks_up =
    "looks up text or keys in a table, which is not supported; let the application turn them into indices";

constexpr Reason reasons[] = {{"IF", branches},
                              {"WHILE", repeats},
                              {"WHERE", open_size},
                              {"UNIQUE", open_size},
                              {"NON_MAX_SUPPRESSION_V4", open_size},
                              {"NON_MAX_SUPPRESSION_V5", open_size},
                              {"HASHTABLE", looks_up},
                              {"HASHTABLE_FIND", looks_up},
                              {"HASHTABLE_LOOKUP", looks_up}};

}  // namespace

std::string why_unsupported(std::string_view tflite_operator) {
  const auto* const reason = std::find_if(std::begin(reasons), std::end(reasons), [&](const Reason& one) {
    return one.tflite_operator == tflite_operator;
  });
  return std::string(reason == std::end(reasons) ? "this operator is not supported" : reason->text);
}

}  // namespace mote
