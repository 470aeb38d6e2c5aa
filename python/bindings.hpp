// SPDX-License-Identifier: Apache-2.0
// The parts of the Python module: each adds its classes and functions. What is structured travels as JSON text,
// which the Python files beside them turn into objects.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "simulate/head.hpp"

namespace nb = nanobind;

namespace mote::python {

using ReadArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using WriteArray = nb::ndarray<nb::c_contig, nb::device::cpu>;

// A model as it was read, planned whole for the host.
struct Model {
  Compiled compiled;
  std::string file_name;  // without folders
};

// A head that learns, and what computes its features. One call at a time.
struct Head {
  Head(const Model& model, std::optional<int64_t> classes, int64_t layers, float momentum);
  Head(SplitModel split, const std::string& file_name);

  Model backbone;
  SimulatedHead head;
  mutable std::mutex mutex;
};

// A JSON text of any object; names that are no UTF-8 are repaired.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& json);

// Addresses of `count` tensors behind each other for each of the ids. Throws Error when an array has another size.
[[nodiscard]] std::vector<const std::byte*> addresses(const std::vector<ReadArray>& arrays, const Graph& graph,
                                                      const std::vector<TensorId>& ids, size_t count);
[[nodiscard]] std::vector<std::byte*> addresses(const std::vector<WriteArray>& arrays, const Graph& graph,
                                                const std::vector<TensorId>& ids, size_t count);

void add_arrays(nb::module_& module);
void add_model(nb::module_& module);
void add_artifact(nb::module_& module);
void add_device(nb::module_& module);
void add_device_function(nb::module_& module);
void add_fit(nb::module_& module);
void add_head(nb::module_& module);
void add_quantize(nb::module_& module);
void add_sequential(nb::module_& module);

}  // namespace mote::python
