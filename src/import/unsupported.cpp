// SPDX-License-Identifier: Apache-2.0
#include "import/unsupported.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace mote {

namespace {

struct Reason {
  std::string_view operator_name, text;
};

constexpr std::string_view branches =
    "decides at run time what to compute, which is not supported; choose with SELECT_V2, or make a model of each "
    "branch";
constexpr std::string_view onnx_branches =
    "decides at run time what to compute, which is not supported; choose with Where, or make a model of each "
    "branch";
constexpr std::string_view repeats =
    "repeats a subgraph while the model runs, which is not supported; unroll the loop when exporting, or call the "
    "model once a step and keep its state in variables";
constexpr std::string_view open_size =
    "gives an output whose size only its values tell, and memory is planned before; let the application do this "
    "step";
constexpr std::string_view looks_up =
    "looks up text or keys in a table, which is not supported; let the application turn them into indices";

constexpr std::string_view sequences =
    "works on sequences or optionals, whose sizes are not known before; export the model with tensors only";
constexpr std::string_view random =
    "draws random numbers, which is not supported; make them an input of the model, or export it for inference";
constexpr std::string_view dynamic_lstm =
    "quantises the activations of an LSTM at run time, which is not supported; leave the LSTM in float "
    "(quantize_dynamic with op_types_to_quantize=['MatMul', 'Conv'])";
constexpr std::string_view text =
    "works on text, which is not supported; let the application turn it into numbers";

constexpr Reason reasons[] = {{"IF", branches},
                              {"WHILE", repeats},
                              {"WHERE", open_size},
                              {"UNIQUE", open_size},
                              {"NON_MAX_SUPPRESSION_V4", open_size},
                              {"NON_MAX_SUPPRESSION_V5", open_size},
                              {"HASHTABLE", looks_up},
                              {"HASHTABLE_FIND", looks_up},
                              {"HASHTABLE_LOOKUP", looks_up}};

constexpr Reason onnx_reasons[] = {{"If", onnx_branches},
                                   {"Loop", repeats},
                                   {"Scan", repeats},
                                   {"NonZero", open_size},
                                   {"NonMaxSuppression", open_size},
                                   {"Unique", open_size},
                                   {"Compress", open_size},
                                   {"SequenceConstruct", sequences},
                                   {"SequenceEmpty", sequences},
                                   {"SequenceInsert", sequences},
                                   {"SequenceAt", sequences},
                                   {"SplitToSequence", sequences},
                                   {"ConcatFromSequence", sequences},
                                   {"Optional", sequences},
                                   {"RandomNormal", random},
                                   {"RandomNormalLike", random},
                                   {"RandomUniform", random},
                                   {"RandomUniformLike", random},
                                   {"Bernoulli", random},
                                   {"Multinomial", random},
                                   {"DynamicQuantizeLSTM", dynamic_lstm},
                                   {"StringNormalizer", text},
                                   {"TfIdfVectorizer", text}};

std::string reason_of(std::span<const Reason> reasons, std::string_view name) {
  const auto found =
      std::find_if(reasons.begin(), reasons.end(), [&](const Reason& one) { return one.operator_name == name; });
  return std::string(found == reasons.end() ? "this operator is not supported" : found->text);
}

}  // namespace

std::string why_unsupported(std::string_view tflite_operator) { return reason_of(reasons, tflite_operator); }

std::string why_unsupported_onnx(std::string_view domain, std::string_view onnx_operator) {
  if (domain.empty() || onnx_operator == "DynamicQuantizeLSTM") return reason_of(onnx_reasons, onnx_operator);
  return fmt::format(
      "this operator of the domain '{}' is not supported; {}", domain,
      domain.starts_with("com.microsoft")
          ? "ONNX Runtime's optimiser writes such: give the model as it was exported, or optimise it with "
            "GraphOptimizationLevel.ORT_ENABLE_BASIC only"
          : "export it as operators of the ONNX standard");
}

}  // namespace mote
