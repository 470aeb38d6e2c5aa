// SPDX-License-Identifier: Apache-2.0
#include "codegen/head.hpp"

#include <algorithm>
#include <cctype>

#include "codegen/header.hpp"
#include "codegen/kernel_headers.hpp"

namespace mote {

namespace {

std::vector<const char*> kernel_headers(const TrainableHead& head) {
  return {"nn/head_record.hpp", head.hidden ? "nn/train_two_dense.hpp" : "nn/train_dense.hpp"};
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string head_macros(const std::string& macro, const TrainableHead& head) {
  const HeadSizes sizes = head_sizes(head);
  std::string text = fmt::format(
      "#define {0}_HEAD_INPUTS {1}\n{8}#define {0}_HEAD_OUTPUTS {2}\n\n"
      "/* RAM of the head: parameters {3}, their momentum {4}, real features and errors {5} bytes. */\n"
      "#define {0}_HEAD_BYTES {6}\n#define {0}_HEAD_ALIGN 4\n"
      "#define {0}_HEAD_RECORD_BYTES {7}  /* what head_save writes */\n\n",
      macro, head.inputs, head.outputs, sizes.parameters, sizes.momentum, sizes.scratch, sizes.ram(), sizes.record,
      head.hidden ? fmt::format("#define {}_HEAD_HIDDEN {}\n", macro, head.hidden->outputs) : "");
  text += fmt::format(
      "#ifndef {0}_HEAD_MOMENTUM  /* a build may choose another, 0 for none */\n#define {0}_HEAD_MOMENTUM "
      "{1}\n#endif\n\n"
      "/* What head_load returns. Unless it is OK, the head stays as it is. */\n"
      "#define {0}_HEAD_OK 0\n#define {0}_HEAD_NONE 1           /* no record: erased flash */\n"
      "#define {0}_HEAD_OTHER_VERSION 2  /* of the record's format */\n"
      "#define {0}_HEAD_DAMAGED 3        /* torn or changed */\n"
      "#define {0}_HEAD_OTHER_MODEL 4    /* the features or the classes are others */\n\n",
      macro, detail::literal(head.momentum));
  return text;
}

std::string head_header(const Graph& backbone, const TrainableHead& head) {
  const std::string macro = upper(backbone.name);
  std::string text = fmt::format(
      "/* Written by Mote {0}. Do not edit.\n   The trainable head in place of {1}. */\n#ifndef "
      "{2}_HEAD_H\n#define "
      "{2}_HEAD_H\n\n#include \"{3}.h\"\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
      MOTE_VERSION, comment_text(layers_of(head)), macro, backbone.name);
  text += head_macros(macro, head);
  const char* const beginning = !head.first.weights.data.empty() ? "the head's weights of the model file"
                                : head.hidden ? "the hidden layer of the model file and a new last one of zeros"
                                              : "a new head of zeros";
  text += fmt::format(
      "/* Before anything else: {1}. */\n"
      "void {0}_head_init(void* head);\n"
      "/* Both work on the features of the last run, which stay in the arena until the next.\n"
      "   predict writes the probabilities of the classes and returns the most likely one. */\n"
      "int {0}_predict(void* arena, void* head, float* probabilities);\n"
      "/* One step of gradient descent towards class `label`, a learning rate of `rate`. Returns the "
      "cross-entropy "
      "before\n   it; of a label that is no class it learns nothing and returns -1. */\n"
      "float {0}_train_step(void* arena, void* head, int label, float rate);\n"
      "/* The parameters as a record for flash. Momentum is not in it: after head_load it is 0. */\n"
      "void {0}_head_save(const void* head, void* record);\n"
      "int {0}_head_load(void* head, const void* record);\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
      backbone.name, beginning);
  return text;
}

template <class T>
std::string numbers(const std::vector<T>& values) {
  constexpr size_t in_line = sizeof(T) == 1 ? 24 : 6;
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += fmt::format("{}{},", i % in_line == 0 ? "\n    " : " ", detail::literal(values[i]));
  return text;
}

template <class T>
std::string array(std::string_view type, std::string_view name, const std::vector<T>& values) {
  return fmt::format("const {} {}[{}] = {{{}}};\n", type, name, values.size(), numbers(values));
}

std::string first_weights(const FirstWeights& first, const std::string& prefix) {
  if (first.weights.data.empty()) return "";
  const bool integers = first.weights.type.dtype == DType::i8;
  return (integers ? array("int8_t", prefix + "weights", to_values<int8_t>(first.weights.data))
                   : array("float", prefix + "weights", to_values<float>(first.weights.data))) +
         array("float", prefix + "scales", first.scales) + array("float", prefix + "bias", first.bias);
}

std::string layer(int64_t inputs, int64_t outputs, float scale, int32_t zero) {
  return fmt::format("{{{}, {}, {}, {}}}", inputs, outputs, detail::literal(scale), zero);
}

std::string layers(const TrainableHead& head) {
  const bool real = head.features.dtype == DType::f32;
  const float scale = real ? 1.0F : head.features.quant.scale.at(0);
  const int32_t zero = real ? 0 : head.features.quant.zero.at(0);
  if (!head.hidden)
    return fmt::format("constexpr nn::TrainDense dense = {};\n", layer(head.inputs, head.outputs, scale, zero));
  return fmt::format("constexpr nn::TrainTwoDense dense = {{{}, {}, {}, {}}};\n",
                     layer(head.inputs, head.hidden->outputs, scale, zero),
                     layer(head.hidden->outputs, head.outputs, 1.0F, 0), detail::literal(head.hidden->low),
                     detail::literal(head.hidden->high));
}

std::string constants(const TrainableHead& head) {
  std::string text =
      layers(head) + fmt::format("constexpr nn::HeadRecord record_of = {{{{{:#x}U, {:#x}U}}, {}, {}, {}}};\n",
                                 static_cast<uint32_t>(head.model), static_cast<uint32_t>(head.model >> 32),
                                 head.inputs, head.outputs, head_sizes(head).parameters / 4);
  if (head.hidden) text += first_weights(head.hidden->first, "hidden_");
  return text + first_weights(head.first, "");
}

std::string initialisation(const TrainableHead& head) {
  const bool zeros = head.first.weights.data.empty();
  if (!head.hidden)
    return zeros ? "nn::dense_clear(dense, head)"
                 : fmt::format("nn::dense_fill(dense, weights, scales, {}, bias, head)", head.first.zero);
  const std::string hidden = fmt::format(
      "nn::dense_rest(dense, head);\n  nn::dense_fill_layer(dense.hidden, hidden_weights, hidden_scales, {}, "
      "hidden_bias, "
      "nn::hidden_layer(dense, head));\n  ",
      head.hidden->first.zero);
  return hidden +
         (zeros ? "nn::dense_clear_layer(dense.last, nn::last_layer(dense, head))"
                : fmt::format(
                      "nn::dense_fill_layer(dense.last, weights, scales, {}, bias, nn::last_layer(dense, head))",
                      head.first.zero));
}

std::string functions(const std::string& name, const TrainableHead& head) {
  return fmt::format(
      "extern \"C\" void {0}_head_init(void* head) {{\n  MOTE_HAS_EFFECTS;\n  {2};\n}}\n\n"
      "extern \"C\" int {0}_predict(void* arena, void* head, float* probabilities) {{\n  MOTE_HAS_EFFECTS;\n"
      "  return nn::dense_predict(dense, {0}_output0(arena), head, probabilities);\n}}\n\n"
      "extern \"C\" float {0}_train_step(void* arena, void* head, int label, float rate) {{\n  MOTE_HAS_EFFECTS;\n"
      "  return nn::dense_train(dense, {0}_output0(arena), head, label, {1}_HEAD_MOMENTUM, rate);\n}}\n\n"
      "extern \"C\" void {0}_head_save(const void* head, void* record) {{\n  MOTE_HAS_EFFECTS;\n"
      "  nn::save_head(record_of, head, static_cast<uint8_t*>(record));\n}}\n\n"
      "extern \"C\" int {0}_head_load(void* head, const void* record) {{\n  MOTE_HAS_EFFECTS;\n"
      "  const int code = nn::load_head(record_of, static_cast<const uint8_t*>(record), head);\n"
      "  if (code == nn::head_ok) nn::dense_rest(dense, head);\n  return code;\n}}\n",
      name, upper(name), initialisation(head));
}

std::string head_source(const Graph& backbone, Mode mode, const TrainableHead& head) {
  std::string text = fmt::format(
      "// Written by Mote {}. Do not edit.\n#include \"{}_head.h\"\n\n#ifndef MOTE_OPTIMIZE\n#define "
      "MOTE_OPTIMIZE "
      "{}\n#endif\n\n",
      MOTE_VERSION, backbone.name, static_cast<int>(mode));
  for (const char* const header : kernel_headers(head)) text += fmt::format("#include \"{}\"\n", header);
  return text + "\nnamespace {\n\n" + constants(head) + "\n}  // namespace\n\n" + functions(backbone.name, head);
}

}  // namespace

std::vector<GeneratedFile> generate_with_head(const Graph& backbone, const Plan& plan, Mode mode,
                                              const TrainableHead& head) {
  require(arenas_of(plan).size() == 1, "--trainable-head reads its features from one arena, the plan has {}",
          arenas_of(plan).size());
  std::vector<GeneratedFile> files = generate(backbone, plan, mode);
  std::set<std::string> done;
  for (const GeneratedFile& file : files) done.insert(file.path);
  files.push_back({backbone.name + "_head.h", head_header(backbone, head)});
  files.push_back({backbone.name + "_head.cpp", head_source(backbone, mode, head)});
  for (const char* const header : kernel_headers(head)) add_kernel_header(header, done, files);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace mote
