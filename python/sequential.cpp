// SPDX-License-Identifier: Apache-2.0
// Models that are built by hand, layer by layer.
#include "import/sequential.hpp"

#include "bindings.hpp"

namespace mote::python {

namespace {

using Scaling = std::optional<std::pair<int32_t, int32_t>>;  // multiplier, shift
using Weights = nb::ndarray<const int8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Biases = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Window = std::tuple<int64_t, int64_t, int64_t, int64_t>;  // height, width, stride, padding

std::optional<Sequential::Scaling> scaling_of(const Scaling& scaling) {
  if (!scaling) return std::nullopt;
  return Sequential::Scaling{scaling->first, scaling->second};
}

Sequential::Window window_of(const Window& window) {
  return std::apply([](auto... numbers) { return Sequential::Window{numbers...}; }, window);
}

template <class Array>
auto values_of(const Array& array) {
  return std::vector(array.data(), array.data() + array.size());
}

Model compile(const Sequential& model, const std::string& name) {
  Compiled compiled;
  compiled.graph = optimise(model.graph(name));
  compiled.plan = make_plan(compiled.graph);
  return {std::move(compiled), name};
}

}  // namespace

void add_sequential(nb::module_& module) {
  nb::class_<Sequential>(module, "Sequential", "A model that is built by hand.")
      .def(nb::init<Shape>(), nb::arg("input_shape"))
      .def(
          "dense",
          [](Sequential& model, const Weights& weights, const Biases& bias, const Scaling& scaling) {
            model.dense(values_of(weights), values_of(bias), scaling_of(scaling));
          },
          nb::arg("weights"), nb::arg("bias"), nb::arg("scaling").none())
      .def(
          "conv2d",
          [](Sequential& model, const Weights& kernel, const Biases& bias, const Window& window,
             const Scaling& scaling) {
            model.conv2d(values_of(kernel), values_of(bias), window_of(window), scaling_of(scaling));
          },
          nb::arg("kernel"), nb::arg("bias"), nb::arg("window"), nb::arg("scaling").none())
      .def(
          "depthwise_conv2d",
          [](Sequential& model, const Weights& kernel, const Biases& bias, const Window& window,
             const Scaling& scaling) {
            model.depthwise_conv2d(values_of(kernel), values_of(bias), window_of(window), scaling_of(scaling));
          },
          nb::arg("kernel"), nb::arg("bias"), nb::arg("window"), nb::arg("scaling").none())
      .def("relu", &Sequential::relu)
      .def(
          "sigmoid", [](Sequential& model, const Scaling& scaling) { model.sigmoid(scaling_of(scaling)); },
          nb::arg("scaling").none())
      .def(
          "tanh", [](Sequential& model, const Scaling& scaling) { model.tanh(scaling_of(scaling)); },
          nb::arg("scaling").none())
      .def("softmax", &Sequential::softmax)
      .def("flatten", &Sequential::flatten)
      .def(
          "max_pool2d", [](Sequential& model, const Window& window) { model.max_pool2d(window_of(window)); },
          nb::arg("window"))
      .def(
          "avg_pool2d", [](Sequential& model, const Window& window) { model.avg_pool2d(window_of(window)); },
          nb::arg("window"))
      .def_prop_ro("input_shape", &Sequential::input_shape)
      .def_prop_ro("output_shape", &Sequential::output_shape)
      .def_prop_ro("layers", &Sequential::layers)
      .def("model", &compile, nb::arg("name"), nb::call_guard<nb::gil_scoped_release>(),
           "The layers so far as a planned model.");
}

}  // namespace mote::python
