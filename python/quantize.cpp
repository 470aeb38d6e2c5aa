// SPDX-License-Identifier: Apache-2.0
// Post-training quantisation.
#include "quantize/quantize.hpp"

#include "bindings.hpp"
#include "quantize/compare.hpp"
#include "quantize/quantize_json.hpp"

namespace mote::python {

namespace {

struct Quantized {
  Model model;
  Bytes file;
  std::string report;  // JSON: notes, layers, accuracy
};

// `calibration`, `labelled`: .npz files; an empty name: none.
Quantized quantize(const Model& model, const std::string& calibration, const std::string& labelled,
                   const std::string& range, double percentile, const std::string& activations,
                   const std::vector<std::string>& weights, const std::string& int4_tensors,
                   const std::string& rounding, const std::map<std::string, bool>& flags) {
  const auto flag = [&](const char* name) { return flags.contains(name) && flags.at(name); };
  QuantizeOptions options;
  options.range = {parse_range_method(range), percentile};
  require(activations == "int8" || activations == "int16", "there are no activations of '{}'; int8 and int16 are",
          activations);
  options.activations = activations == "int16" ? DType::i16 : DType::i8;
  options.rounding = parse_weight_rounding(rounding);
  options.int4 = parse_int4_tensors(int4_tensors);
  options.power_of_two = flag("power_of_two");
  options.equalize = flag("equalize");
  options.correct_bias = flag("correct_bias");
  options.keep_float_io = flag("keep_float_io");
  options.per_channel_dense = flag("per_channel_dense");
  for (const std::string& text : weights) options.narrow.push_back(parse_narrow_weights(text));

  const Graph& graph = model.compiled.graph;
  const Samples samples = read_samples(calibration, graph);
  const QuantizedModel made = mote::quantize(graph, samples, options);
  nlohmann::ordered_json report{{"notes", made.notes},
                                {"layers", layers_json(compare_layers(made.real, made.integer, samples))}};
  if (!labelled.empty()) {
    report["accuracy"] = accuracy_json(evaluate(made.real, made.integer.graph, read_samples(labelled, graph)));
  }
  return {{compile_model(made.file, graph.name), graph.name + ".tflite"}, made.file, text_of(report)};
}

}  // namespace

void add_quantize(nb::module_& module) {
  nb::class_<Quantized>(module, "Quantized", "An integer model made of a float model.")
      .def_ro("model", &Quantized::model)
      .def_ro("report", &Quantized::report, "What `mote quantize --json` says of layers and accuracy.")
      .def_prop_ro("file", [](const Quantized& made) { return nb::bytes(made.file.data(), made.file.size()); });
  module.def("quantize", &quantize, nb::arg("model"), nb::arg("calibration"), nb::arg("labelled"),
             nb::arg("range"), nb::arg("percentile"), nb::arg("activations"), nb::arg("weights"),
             nb::arg("int4_tensors"), nb::arg("rounding"), nb::arg("flags"),
             nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace mote::python
