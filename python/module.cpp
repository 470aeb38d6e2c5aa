// SPDX-License-Identifier: Apache-2.0
// mote._mote: the library for Python. Arguments to library calls, no logic.
#include "bindings.hpp"

namespace mote::python {

std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace mote::python

NB_MODULE(_mote, module) {
  using namespace mote::python;
  module.doc() = "Mote's library: what the package `mote` is made of.";
  module.attr("__version__") = MOTE_VERSION;
  nb::exception<mote::Error>(module, "Error");
  add_arrays(module);
  add_model(module);
  add_artifact(module);
  add_device(module);
  add_device_function(module);
  add_fit(module);
  add_head(module);
  add_quantize(module);
  add_sequential(module);
}
