// SPDX-License-Identifier: Apache-2.0
// A head that learns, on this machine, with the device's kernels.
#include <nanobind/stl/unique_ptr.h>

#include "bindings.hpp"
#include "report/details.hpp"
#include "report/report.hpp"

namespace mote::python {

namespace {

using FloatsOut = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Labels = nb::ndarray<const int32_t, nb::c_contig, nb::device::cpu>;
using Classes = nb::ndarray<int32_t, nb::c_contig, nb::device::cpu>;

SplitModel split(const Model& model, std::optional<int64_t> classes, int64_t layers, float momentum) {
  SplitModel split = split_head(model.compiled.graph, classes, layers);
  split.head.momentum = momentum;
  return split;
}

// The features of `count` samples behind each other.
std::vector<ByteSpan> rows(const Head& head, const ReadArray& features, size_t count) {
  const auto bytes = static_cast<size_t>(byte_size(head.head.description().features));
  require(features.nbytes() == count * bytes, "{} bytes of features for {} samples of {}", features.nbytes(),
          count, bytes);
  const auto* const begin = static_cast<const std::byte*>(features.data());
  std::vector<ByteSpan> result;
  for (size_t i = 0; i < count; ++i) result.emplace_back(begin + i * bytes, bytes);
  return result;
}

// One step a sample, in their order.
void train(Head& head, const ReadArray& features, const Labels& labels, float rate, const FloatsOut& losses) {
  require(losses.size() == labels.size(), "room for {} losses, {} labels", losses.size(), labels.size());
  const std::vector<ByteSpan> samples = rows(head, features, labels.size());
  const nb::gil_scoped_release unlocked;
  const std::lock_guard lock(head.mutex);
  for (size_t i = 0; i < samples.size(); ++i)
    losses.data()[i] = head.head.train(samples[i], labels.data()[i], rate);
}

void predict(Head& head, const ReadArray& features, const Classes& classes, const FloatsOut& probabilities) {
  const auto outputs = static_cast<size_t>(head.head.description().outputs);
  require(probabilities.size() == classes.size() * outputs, "room for {} probabilities of {} samples",
          probabilities.size(), classes.size());
  const std::vector<ByteSpan> samples = rows(head, features, classes.size());
  const nb::gil_scoped_release unlocked;
  const std::lock_guard lock(head.mutex);
  for (size_t i = 0; i < samples.size(); ++i)
    classes.data()[i] = head.head.predict(samples[i], {probabilities.data() + i * outputs, outputs});
}

void copy(const Head& head, const FloatsOut& parameters) {
  const std::lock_guard lock(head.mutex);
  const std::span<const float> values = head.head.parameters();
  require(parameters.size() == values.size(), "room for {} of {} parameters", parameters.size(), values.size());
  std::copy(values.begin(), values.end(), parameters.data());
}

nb::bytes save(const Head& head) {
  const std::lock_guard lock(head.mutex);
  const Bytes record = head.head.save();
  return nb::bytes(record.data(), record.size());
}

int32_t load(Head& head, const nb::bytes& record) {
  const std::lock_guard lock(head.mutex);
  return head.head.load(std::as_bytes(std::span(static_cast<const char*>(record.data()), record.size())));
}

}  // namespace

Head::Head(const Model& model, std::optional<int64_t> classes, int64_t layers, float momentum)
    : Head(split(model, classes, layers, momentum), model.file_name) {}

Head::Head(SplitModel split, const std::string& file_name)
    : backbone{planned_for({std::move(split.backbone), {}}, {}), file_name}, head(std::move(split.head)) {}

void add_head(nb::module_& module) {
  nb::class_<Head>(module, "Head", "A last dense layer that learns, and the backbone in front of it.")
      .def(nb::init<const Model&, std::optional<int64_t>, int64_t, float>(), nb::arg("model"),
           nb::arg("classes").none(), nb::arg("layers"), nb::arg("momentum"),
           nb::call_guard<nb::gil_scoped_release>())
      .def_static(
          "behind",
          [](const Model& model, int64_t classes, float scale, float momentum) {
            SplitModel split = append_head(model.compiled.graph, classes, scale);
            split.head.momentum = momentum;
            return std::make_unique<Head>(std::move(split), model.file_name);
          },
          nb::arg("model"), nb::arg("classes"), nb::arg("scale"), nb::arg("momentum"),
          "A new head of zeros behind a model of int8 features that stand for scale * q.")
      .def_prop_ro("backbone", [](const Head& head) { return head.backbone; })
      .def_prop_ro("momentum", [](const Head& head) { return head.head.description().momentum; })
      .def(
          "report", [](const Head& head) { return text_of(head_json(head.head.description())); },
          "Its layer, its sizes and its memory as a JSON text.")
      .def("reset",
           [](Head& head) {
             const std::lock_guard lock(head.mutex);
             head.head.reset();
           })
      .def("train", &train, nb::arg("features"), nb::arg("labels"), nb::arg("rate"), nb::arg("losses"))
      .def("predict", &predict, nb::arg("features"), nb::arg("classes"), nb::arg("probabilities"))
      .def("copy", &copy, nb::arg("parameters"))
      .def("save", &save)
      .def("load", &load, nb::arg("record"), "What NAME_head_load returns.");
}

}  // namespace mote::python
