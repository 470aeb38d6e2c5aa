// SPDX-License-Identifier: Apache-2.0
// A model that was read from a file: what it is made of, and runs on the host.
#include "bindings.hpp"
#include "report/details.hpp"
#include "report/summary.hpp"
#include "simulate/batch.hpp"

namespace mote::python {

namespace {

Model load(const std::string& path, const std::map<std::string, Shape>& shapes) {
  return {compile_file(path, shapes), std::filesystem::path(path).filename().string()};
}

std::string summary(const Model& model, const std::string& optimize) {
  const Mode mode = parse_mode(optimize);
  if (mode != Mode::size) return summary_text(model.compiled, model.file_name);
  return summary_text(planned_for(model.compiled, plan_options(mode)), model.file_name);
}

std::string tensors(const Model& model) {
  const Graph& graph = model.compiled.graph;
  return text_of({{"inputs", tensors_json(graph, graph.inputs)}, {"outputs", tensors_json(graph, graph.outputs)}});
}

void run(const Model& model, const std::vector<ReadArray>& inputs, const std::vector<WriteArray>& outputs,
         size_t count, bool sequence, size_t threads) {
  const Graph& graph = model.compiled.graph;
  const Batch batch{.count = count,
                    .inputs = addresses(inputs, graph, graph.inputs, count),
                    .outputs = addresses(outputs, graph, graph.outputs, count),
                    .sequence = sequence,
                    .threads = threads};
  const nb::gil_scoped_release unlocked;
  simulate_batch(graph, model.compiled.plan, batch);
}

}  // namespace

void add_model(nb::module_& module) {
  nb::class_<Model>(module, "Model", "A model as it was read.")
      .def_prop_ro("name", [](const Model& model) { return model.compiled.graph.name; })
      .def_ro("file_name", &Model::file_name)
      .def_prop_ro("stateful", [](const Model& model) { return !model.compiled.plan.states.empty(); })
      .def_prop_ro("notes", [](const Model& model) { return model.compiled.graph.notes; })
      .def_prop_ro("arena_bytes", [](const Model& model) { return model.compiled.plan.arena_bytes; })
      .def_prop_ro("macs", [](const Model& model) { return total_macs(model.compiled.graph); })
      .def("tensors", &tensors, "Inputs and outputs as a JSON text.")
      .def("summary", &summary, nb::arg("optimize"), nb::call_guard<nb::gil_scoped_release>())
      .def("run", &run, nb::arg("inputs"), nb::arg("outputs"), nb::arg("count"), nb::arg("sequence"),
           nb::arg("threads"), "`count` runs between arrays of `count` tensors each.");
  module.def("load", &load, nb::arg("path"), nb::arg("shapes"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace mote::python
