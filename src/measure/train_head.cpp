// SPDX-License-Identifier: Apache-2.0
#include "measure/train_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/emulate.hpp"
#include "measure/measure.hpp"

namespace mote {

namespace {

// What a case asks of the application: the last of its inputs.
enum class Task : int32_t { train = 0, predict = 1, save = 2, load = 3 };
struct Command {
  Task task;
  int32_t argument;  // the label, or of which byte on the record is asked for
  float rate;
};

constexpr size_t record_part = 64;

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

int64_t result_bytes(const TrainableHead& head) {
  return std::max<int64_t>(record_part, 4 + 4 * head.outputs);  // class and probabilities, or the others
}

// The application stands to the emulator as a model: its inputs are the backbone's and a command, and what lives
// from run to run (the backbone's arena, the head, a record) is its arena.
std::string application_header(const Graph& backbone, const TrainableHead& head) {
  const std::string& name = backbone.name;
  const std::string macro = upper(name);
  std::string text = fmt::format(
      "#pragma once\n#include \"{0}.h\"\n#include \"{0}_head.h\"\n\n"
      "struct {0}_training_memory {{\n  alignas({1}_ARENA_ALIGN) uint8_t arena[{1}_ARENA_BYTES];\n"
      "  alignas(16) uint8_t head[{1}_HEAD_BYTES];\n  uint8_t record[{1}_HEAD_RECORD_BYTES + {2}];\n"
      "  alignas(4) uint8_t result[{3}], command[{4}];\n}};\n"
      "inline {0}_training_memory& {0}_training_in(void* arena) {{\n"
      "  return *static_cast<{0}_training_memory*>(arena);\n}}\n\n"
      "#define {1}_TRAINING_ARENA_BYTES sizeof({0}_training_memory)\n"
      "#define {1}_TRAINING_ARENA_ALIGN alignof({0}_training_memory)\n"
      "#define {1}_TRAINING_STEP_COUNT 0\n#define {1}_TRAINING_STATE_BYTES 1\n"
      "#define {1}_TRAINING_INPUT_COUNT {5}\n#define {1}_TRAINING_OUTPUT_COUNT 1\n",
      name, macro, record_part, result_bytes(head), sizeof(Command), backbone.inputs.size() + 1);
  const auto place = [&](std::string_view kind, size_t i, const std::string& bytes, const std::string& address) {
    text += fmt::format(
        "#define {0}_TRAINING_{1}{2}_BYTES {3}\n"
        "inline void* {4}_training_{5}{2}(void* arena) {{ return {6}; }}\n",
        macro, upper(std::string(kind)), i, bytes, name, kind, address);
  };
  for (size_t i = 0; i < backbone.inputs.size(); ++i)
    place("input", i, fmt::format("{}_INPUT{}_BYTES", macro, i),
          fmt::format("{0}_input{1}({0}_training_in(arena).arena)", name, i));
  place("input", backbone.inputs.size(), std::to_string(sizeof(Command)), name + "_training_in(arena).command");
  place("output", 0, std::to_string(result_bytes(head)), name + "_training_in(arena).result");
  return text + fmt::format(
                    "extern \"C\" void {0}_training_reset(void* arena);\n"
                    "extern \"C\" void {0}_training_run(void* arena);\n",
                    name);
}

constexpr std::string_view application = R"(#include "NAME_training.h"

#include "NAME.cpp"
#include "NAME_head.cpp"

extern "C" void NAME_training_reset(void* arena) { NAME_head_init(NAME_training_in(arena).head); }

extern "C" void NAME_training_run(void* arena) {
  NAME_training_memory& memory = NAME_training_in(arena);
  int32_t task, argument;
  float rate, loss = 0.0f;
  memcpy(&task, memory.command, 4);
  memcpy(&argument, memory.command + 4, 4);
  memcpy(&rate, memory.command + 8, 4);
  if (task == 2) {  // a part of the record
    NAME_head_save(memory.head, memory.record);
    memcpy(memory.result, memory.record + argument, PART);
    return;
  }
  if (task == 3) {
    const int32_t code = NAME_head_load(memory.head, memory.record);
    memcpy(memory.result, &code, 4);
    return;
  }
#if UPPER_STATE_BYTES
  NAME_reset(memory.arena);
#endif
  NAME_run(memory.arena);
  if (task == 0) {
    loss = NAME_train_step(memory.arena, memory.head, argument, rate);
    memcpy(memory.result, &loss, 4);
    return;
  }
  const int32_t best = NAME_predict(memory.arena, memory.head, reinterpret_cast<float*>(memory.result + 4));
  memcpy(memory.result, &best, 4);
}
)";

std::string filled(std::string text, std::string_view word, std::string_view with) {
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += with.size())
    text.replace(at, word.size(), with);
  return text;
}

void write_application(const std::filesystem::path& folder, const Graph& backbone, const TrainableHead& head,
                       const Plan& plan, Mode mode) {
  const std::string& name = backbone.name;
  for (const GeneratedFile& file : generate_with_head(backbone, plan, mode, head)) {
    std::filesystem::create_directories((folder / file.path).parent_path());
    write_file(folder / file.path, file.text);
  }
  write_file(folder / (name + "_training.h"), application_header(backbone, head));
  std::string source = filled(std::string(application), "UPPER", upper(name));
  source = filled(filled(source, "PART", std::to_string(record_part)), "NAME", name);
  write_file(folder / (name + "_training.cpp"), source);
}

// Steps of training, then predictions, then the record in parts.
std::vector<std::vector<Bytes>> cases_of(const SplitModel& split, const HeadTraining& training) {
  std::vector<std::vector<Bytes>> cases;
  const auto add = [&](const std::vector<Bytes>& inputs, const Command& command) {
    std::vector<Bytes>& one = cases.emplace_back(inputs);
    one.push_back(to_bytes(std::vector<Command>{command}));
  };
  for (int epoch = 0; epoch < training.epochs; ++epoch) {
    for (size_t i = 0; i < training.samples.size(); ++i)
      add(training.samples[i], {Task::train, training.labels.at(i), training.rate});
  }
  for (const std::vector<Bytes>& test : training.tests) add(test, {Task::predict, 0, 0});
  std::vector<Bytes> nothing;
  for (const TensorId id : split.backbone.inputs)
    nothing.emplace_back(static_cast<size_t>(byte_size(split.backbone.tensors[id].type)));
  for (int32_t part = 0; part < head_sizes(split.head).record; part += record_part)
    add(nothing, {Task::save, part, 0});
  return cases;
}

TrainedHead read_results(const EmulateResult& result, const HeadTraining& training, const TrainableHead& head) {
  TrainedHead trained;
  const size_t steps = training.samples.size() * static_cast<size_t>(training.epochs);
  const auto parts_from = steps + training.tests.size();
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const ByteSpan bytes = result.outputs[i].at(0);
    if (i < steps) {
      trained.losses.push_back(to_values<float>(bytes.first(4))[0]);
      trained.step_instructions.push_back(result.instructions.at(i));
    } else if (i < parts_from) {
      trained.classes.push_back(to_values<int32_t>(bytes.first(4))[0]);
      const auto all = to_values<float>(bytes.subspan(4, 4 * static_cast<size_t>(head.outputs)));
      trained.probabilities.insert(trained.probabilities.end(), all.begin(), all.end());
      trained.prediction_instructions.push_back(result.instructions.at(i));
    } else {
      trained.record.insert(trained.record.end(), bytes.begin(), bytes.begin() + record_part);
    }
  }
  trained.record.resize(static_cast<size_t>(head_sizes(head).record));
  trained.stack_peak_bytes = result.stack_peak_bytes;
  return trained;
}

}  // namespace

namespace {

// Of the application in `folder`, without cases.
EmulateRequest application_request(const std::filesystem::path& folder, const Graph& backbone,
                                   const TrainableHead& head, const Target& target, Mode mode) {
  std::vector<int64_t> input_bytes;
  for (const TensorId id : backbone.inputs) input_bytes.push_back(byte_size(backbone.tensors[id].type));
  input_bytes.push_back(sizeof(Command));
  return {.target = target,
          .model_directory = folder,
          .name = backbone.name + "_training",
          .input_bytes = input_bytes,
          .output_bytes = {result_bytes(head)},
          .cases = {},
          .continues = {},
          .optimize = compiler_flags(target, mode)};
}

}  // namespace

int64_t head_stack_bound(const Graph& backbone, const TrainableHead& head, const Plan& plan, const Target& target,
                         Mode mode) {
  const TemporaryDirectory folder;
  write_application(folder.path(), backbone, head, plan, mode);
  return emulate(application_request(folder.path(), backbone, head, target, mode)).stack_bound_bytes;
}

TrainedHead train_head(const SplitModel& split, const Plan& plan, const Target& target, Mode mode,
                       const HeadTraining& training) {
  require(training.samples.size() == training.labels.size(), "{} samples have {} labels", training.samples.size(),
          training.labels.size());
  require(!target.emulator.empty(),
          "{} has no emulator to train in; train on the host itself, or choose a core such as rv32imac",
          target.name);
  const TemporaryDirectory folder;
  write_application(folder.path(), split.backbone, split.head, plan, mode);
  EmulateRequest request = application_request(folder.path(), split.backbone, split.head, target, mode);
  request.cases = cases_of(split, training);
  request.timeout = std::chrono::hours(4);
  request.continues.assign(request.cases.size(), true);
  request.continues[0] = false;
  return read_results(emulate(request), training, split.head);
}

}  // namespace mote
