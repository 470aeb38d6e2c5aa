// SPDX-License-Identifier: Apache-2.0
// Arrays of numpy and the bytes of tensors; real numbers and quantised ones.
#include <array>

#include "bindings.hpp"
#include "nn/quantize.hpp"
#include "nn/unary.hpp"

namespace mote::python {

namespace {

template <class Pointer, class Array>
std::vector<Pointer> addresses_of(const std::vector<Array>& arrays, const Graph& graph,
                                  const std::vector<TensorId>& ids, size_t count) {
  require(arrays.size() == ids.size(), "{} arrays given, the model has {}", arrays.size(), ids.size());
  std::vector<Pointer> pointers;
  for (size_t i = 0; i < ids.size(); ++i) {
    const Tensor& tensor = graph.tensors[ids[i]];
    const size_t bytes = count * static_cast<size_t>(byte_size(tensor.type));
    require(arrays[i].nbytes() == bytes, "the array for '{}' has {} bytes, {} are needed", tensor.name,
            arrays[i].nbytes(), bytes);
    pointers.push_back(
        static_cast<Pointer>(static_cast<void*>(const_cast<void*>(static_cast<const void*>(arrays[i].data())))));
  }
  return pointers;
}

template <class T>
using Output = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

template <class T>
void quantise(const Reals& in, const Output<T>& out, float scale, int32_t zero) {
  require(in.size() == out.size(), "{} numbers for {} places", in.size(), out.size());
  nn::quantize(nn::Quantize{narrow<int32_t>(in.size()), scale, zero}, in.data(), out.data());
}

}  // namespace

std::vector<const std::byte*> addresses(const std::vector<ReadArray>& arrays, const Graph& graph,
                                        const std::vector<TensorId>& ids, size_t count) {
  return addresses_of<const std::byte*>(arrays, graph, ids, count);
}

std::vector<std::byte*> addresses(const std::vector<WriteArray>& arrays, const Graph& graph,
                                  const std::vector<TensorId>& ids, size_t count) {
  return addresses_of<std::byte*>(arrays, graph, ids, count);
}

void add_arrays(nb::module_& module) {
  constexpr const char* doc =
      "Quantises float32 numbers as the device does: clamp(round(x / scale) + zero), halves away from zero.";
  module.def("quantise", &quantise<int8_t>, nb::arg("reals").noconvert(), nb::arg("out").noconvert(),
             nb::arg("scale"), nb::arg("zero"), doc);
  module.def("quantise", &quantise<uint8_t>, nb::arg("reals").noconvert(), nb::arg("out").noconvert(),
             nb::arg("scale"), nb::arg("zero"), doc);
  module.def("quantise", &quantise<int16_t>, nb::arg("reals").noconvert(), nb::arg("out").noconvert(),
             nb::arg("scale"), nb::arg("zero"), doc);
}

}  // namespace mote::python
