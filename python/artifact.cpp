// SPDX-License-Identifier: Apache-2.0
// A model that was compiled for a target: its files, its sizes, its runs in the emulator, its report.
#include "base/files.hpp"
#include "bindings.hpp"
#include "codegen/head.hpp"
#include "codegen/package.hpp"
#include "fit/build.hpp"
#include "fit/fit.hpp"
#include "measure/train_head.hpp"
#include "report/details.hpp"
#include "report/html.hpp"
#include "report/report.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote::python {

namespace {

struct Artifact {
  Built built;
  std::string file_name;
  std::optional<TrainableHead> head;  // of which the model is the backbone
};

Measurement with_sizes(const Artifact& artifact) {
  Measurement measured;
  measured.sizes = artifact.built.sizes;
  return measured;
}

nlohmann::ordered_json report_of(const Artifact& artifact, const Measurement& measured) {
  const LaidOut& model = artifact.built.model;
  nlohmann::ordered_json json = report(model.compiled, artifact.file_name, *model.target, model.mode, &measured);
  if (artifact.head) json["head"] = head_json(*artifact.head);
  return json;
}

Artifact compile(const Model& model, const std::optional<std::string>& target, const std::string& optimize,
                 const std::optional<std::string>& board, const std::vector<std::string>& memories,
                 std::optional<int64_t> ram, std::optional<int64_t> flash, bool measured, const Head* trained) {
  LayoutRequest request;
  if (board) request.board = find_board(*board);
  request.target = &find_target(target ? *target : request.board ? request.board->target : "host");
  request.mode = parse_mode(optimize);
  for (const std::string& text : memories) request.memories.push_back(parse_memory(text));
  const Planner plan = [&](const PlanOptions& options) { return planned_for(model.compiled, options); };
  Limits limits{ram, flash};
  std::optional<TrainableHead> head;
  if (trained != nullptr) {
    const std::lock_guard lock(trained->mutex);
    head = trained->head.trained();
    limits = limits_beside(*head, limits, *request.target);
  }
  Built built = build(plan, request, limits, measured, head ? &*head : nullptr);
  return {std::move(built), model.file_name, std::move(head)};
}

OutputFiles files(const Artifact& artifact, const std::optional<std::string>& ecosystem) {
  const LaidOut& model = artifact.built.model;
  const Graph& graph = model.compiled.graph;
  OutputFiles result;
  require(!artifact.head || !ecosystem, "a model with a trainable head is no package; save it as a plain folder");
  for (GeneratedFile& file :
       artifact.head ? generate_with_head(graph, model.compiled.plan, model.mode, *artifact.head)
       : ecosystem   ? package(graph, model.compiled.plan,
                               {.ecosystem = *ecosystem, .model = artifact.file_name, .mode = model.mode})
                     : generate(graph, model.compiled.plan, model.mode)) {
    result[file.path] = std::move(file.text);
  }
  return result;
}

void save(const Artifact& artifact, const std::string& directory, const std::optional<std::string>& ecosystem) {
  (void)write_with_report(directory, files(artifact, ecosystem), report_of(artifact, with_sizes(artifact)));
}

std::vector<std::vector<Bytes>> cases_of(const Graph& graph, const std::vector<const std::byte*>& pointers,
                                         size_t count) {
  std::vector<std::vector<Bytes>> cases(count);
  for (size_t c = 0; c < count; ++c) {
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      const auto bytes = static_cast<size_t>(byte_size(graph.tensors[graph.inputs[i]].type));
      cases[c].emplace_back(pointers[i] + c * bytes, pointers[i] + (c + 1) * bytes);
    }
  }
  return cases;
}

// Returns the report, with the instructions of each run beside it.
std::string run(const Artifact& artifact, const std::vector<ReadArray>& inputs,
                const std::vector<WriteArray>& outputs, size_t count, bool sequence, bool profile) {
  const LaidOut& model = artifact.built.model;
  const Graph& graph = model.compiled.graph;
  const auto cases = cases_of(graph, addresses(inputs, graph, graph.inputs, count), count);
  const std::vector<std::byte*> places = addresses(outputs, graph, graph.outputs, count);
  const nb::gil_scoped_release unlocked;
  std::vector<bool> continues(count, sequence);
  if (count > 0) continues[0] = false;
  const Measurement measured = measure(model.compiled, *model.target, model.mode, cases, profile, continues);
  for (size_t c = 0; c < count; ++c) {
    for (size_t i = 0; i < places.size(); ++i) {
      const Bytes& bytes = measured.outputs.at(c).at(i);
      std::copy(bytes.begin(), bytes.end(), places[i] + c * bytes.size());
    }
  }
  nlohmann::ordered_json json = report_of(artifact, measured);
  json["instructions_of_runs"] = measured.instructions;
  return text_of(json);
}

// A model with a head: epochs of training on the target, then predictions. Returns the figures.
std::string train(const Artifact& artifact, const std::vector<ReadArray>& inputs,
                  const std::vector<int32_t>& labels, const std::vector<ReadArray>& tests, size_t test_count,
                  int epochs, float rate, const std::vector<WriteArray>& results) {
  const LaidOut& model = artifact.built.model;
  const Graph& graph = model.compiled.graph;
  require(artifact.head.has_value(), "this model has no trainable head; Model.trainable_head makes one");
  HeadTraining training{
      .samples = cases_of(graph, addresses(inputs, graph, graph.inputs, labels.size()), labels.size()),
      .labels = labels,
      .epochs = epochs,
      .rate = rate,
      .tests = cases_of(graph, addresses(tests, graph, graph.inputs, test_count), test_count)};
  TrainedHead trained;
  {
    const nb::gil_scoped_release unlocked;
    trained = train_head({graph, *artifact.head}, model.compiled.plan, *model.target, model.mode, training);
  }
  const auto give = [&](size_t i, const Bytes& bytes) {
    const WriteArray& to = results.at(i);
    require(to.nbytes() == bytes.size(), "result {} has {} bytes, not {}", i, bytes.size(), to.nbytes());
    std::memcpy(to.data(), bytes.data(), bytes.size());
  };
  give(0, to_bytes(trained.losses));
  give(1, to_bytes(trained.classes));
  give(2, to_bytes(trained.probabilities));
  give(3, trained.record);
  return text_of({{"step_instructions", trained.step_instructions},
                  {"prediction_instructions", trained.prediction_instructions},
                  {"stack_peak_bytes", trained.stack_peak_bytes}});
}

void write_page(const Artifact& artifact, const std::string& path, bool measured) {
  check_replaceable(path, page_mark);
  const LaidOut& model = artifact.built.model;
  Measurement measurement = with_sizes(artifact);
  if (measured) {
    require(
        !model.target->emulator.empty(),
        "{} has no instruction counter and no stack to paint; compile for an emulated target, such as rv32imac",
        model.target->name);
    std::mt19937 random(1);
    const std::vector<Bytes> inputs = random_case(model.compiled.graph, random, "random").inputs;
    measurement = measure(model.compiled, *model.target, model.mode, {inputs}, true);
  }
  nlohmann::ordered_json json =
      detailed_report(model.compiled, artifact.file_name, *model.target, model.mode, &measurement, {});
  json["fit"] = fit_json(fit_all_boards(model, measurement));
  const std::string page = html_page(json);
  replace_file(path, std::as_bytes(std::span(page)));
}

}  // namespace

void add_artifact(nb::module_& module) {
  using unlocked = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<Artifact>(module, "Artifact", "A model that was compiled for a target.")
      .def("files", &files, nb::arg("package").none(), unlocked(), "Texts by paths below the output folder.")
      .def(
          "report", [](const Artifact& artifact) { return text_of(report_of(artifact, with_sizes(artifact))); },
          "report.json, without the list of files.")
      .def("save", &save, nb::arg("directory"), nb::arg("package").none(), unlocked())
      .def("run", &run, nb::arg("inputs"), nb::arg("outputs"), nb::arg("count"), nb::arg("sequence"),
           nb::arg("profile"), "`count` runs on the target; gives report.json of the first.")
      .def("train", &train, nb::arg("inputs"), nb::arg("labels"), nb::arg("tests"), nb::arg("test_count"),
           nb::arg("epochs"), nb::arg("rate"), nb::arg("results"),
           "Trains the head on the target; fills losses, classes, probabilities and the record.")
      .def("write_page", &write_page, nb::arg("path"), nb::arg("measured"), unlocked());
  module.def("compile", &compile, nb::arg("model"), nb::arg("target").none(), nb::arg("optimize"),
             nb::arg("board").none(), nb::arg("memories"), nb::arg("ram").none(), nb::arg("flash").none(),
             nb::arg("measured"), nb::arg("head").none(), unlocked());
}

}  // namespace mote::python
