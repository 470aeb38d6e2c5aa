// SPDX-License-Identifier: Apache-2.0
// C and C++ functions that are loaded into a device and called there.
#include "connection.hpp"
#include "device/function_program.hpp"
#include "device/loader.hpp"
#include "target/find.hpp"

namespace mote::python {

namespace {

struct FunctionOnDevice {
  FunctionSignature signature;
  std::optional<int64_t> stack_bound;
  LoadReport report;
};

FunctionOnDevice load(Connection& connection, const FunctionOptions& options, bool again) {
  const std::string target = connection.during([](Device& device) { return std::string(device.info().target); });
  FunctionProgram made = [&] {
    const nb::gil_scoped_release unlocked;
    return compile_function_for_device(options, find_target(target), ObjectCache(user_cache_directory()));
  }();
  LoadOptions loading;
  loading.again = again;
  loading.check = [&](Device&, const DeviceModel&) { connection.stop_if_interrupted(); };
  LoadReport report =
      connection.during([&](Device& device) { return load_program(device, made.program, loading); });
  return {std::move(made.signature), made.stack.bytes, std::move(report)};
}

std::string signature(const FunctionOnDevice& function) {
  auto parameters = nlohmann::ordered_json::array();
  for (const Parameter& parameter : function.signature.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"type", parameter.type},
                          {"dtype", name(parameter.element)},
                          {"array", parameter.is_array()},
                          {"written", parameter.passing == Passing::inout || parameter.passing == Passing::out}});
  nlohmann::ordered_json json{{"text", to_text(function.signature)}, {"parameters", parameters}};
  json["result"] = nullptr;
  if (function.signature.result) json["result"] = name(*function.signature.result);
  return text_of(json);
}

// An int, a float, None, or an array of the parameter's elements.
CallArgument argument_of(const Parameter& parameter, nb::handle value) {
  if (value.is_none()) return NullPointer{};
  if (PyFloat_Check(value.ptr())) return Number(nb::cast<double>(value));
  if (PyLong_Check(value.ptr())) {
    int64_t whole = 0;
    if (nb::try_cast(value, whole)) return Number(whole);
    uint64_t large = 0;
    require(nb::try_cast(value, large), "parameter '{}': the number does not fit into 64 bits", parameter.name);
    return Number(large);
  }
  const auto array = nb::cast<ReadArray>(value);
  if (parameter.passing == Passing::out) return OutputLength{narrow<int64_t>(array.size())};
  const auto* const bytes = static_cast<const std::byte*>(array.data());
  return ArrayValue{parameter.element, Bytes(bytes, bytes + array.nbytes())};
}

// Arrays that the function writes are written in their place; returns the result.
nb::object call(const FunctionOnDevice& function, Connection& connection, const nb::list& values, double deadline,
                bool paint_stack) {
  std::vector<CallArgument> arguments;
  std::vector<WriteArray> written;
  const std::vector<Parameter>& parameters = function.signature.parameters;
  require(values.size() == parameters.size(), "{} takes {} arguments, not {}: {}", function.signature.name,
          parameters.size(), values.size(), to_text(function.signature));
  for (size_t i = 0; i < parameters.size(); ++i) {
    arguments.push_back(argument_of(parameters[i], values[i]));
    const bool writes = parameters[i].passing == Passing::inout || parameters[i].passing == Passing::out;
    if (writes && !values[i].is_none()) written.push_back(nb::cast<WriteArray>(values[i]));
  }
  const CallOptions options = call_options(deadline, paint_stack);
  const Returned returned = connection.during([&](Device&) {
    return connection.calling([&](Device& device) {
      return call_function(device, function.report.model, function.signature, arguments, options);
    });
  });
  for (size_t i = 0; i < written.size(); ++i) {
    const Bytes& bytes = returned.arrays.at(i).values.data;
    require(bytes.size() == written[i].nbytes(), "{}: an array came back with {} bytes", function.signature.name,
            bytes.size());
    std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(written[i].data()));
  }
  if (!returned.result) return nb::none();
  return std::visit([](auto number) { return nb::cast(number); }, *returned.result);
}

}  // namespace

void add_device_function(nb::module_& module) {
  nb::class_<FunctionOnDevice>(module, "FunctionOnDevice", "A C or C++ function that was loaded into a device.")
      .def_prop_ro("name", [](const FunctionOnDevice& function) { return function.report.model.name; })
      .def_prop_ro("bytes", [](const FunctionOnDevice& function) { return function.report.model.bytes; })
      .def_prop_ro("sent_bytes", [](const FunctionOnDevice& function) { return function.report.sent_bytes; })
      .def_prop_ro("already_there", [](const FunctionOnDevice& function) { return function.report.already_there; })
      .def_prop_ro("stack_bound", [](const FunctionOnDevice& function) { return function.stack_bound; })
      .def("signature", &signature)
      .def("call", &call, nb::arg("connection"), nb::arg("values"), nb::arg("deadline"), nb::arg("paint_stack"))
      .def(
          "unload",
          [](const FunctionOnDevice& function, Connection& connection) {
            connection.during([&](Device& device) { device.unload(function.report.model.id); });
          },
          nb::arg("connection"));
  module.def(
      "load_function",
      [](Connection& connection, const std::string& source, const std::string& function, const std::string& name,
         const std::string& flags, const std::vector<std::string>& outputs,
         const std::vector<std::string>& sources, const std::vector<std::string>& includes,
         const std::vector<std::string>& defines, const std::string& standard, int64_t frame_bytes,
         int64_t stack_bytes, bool again) {
        FunctionOptions options;
        options.request = {source,
                           function,
                           {sources.begin(), sources.end()},
                           {includes.begin(), includes.end()},
                           defines,
                           standard,
                           flags,
                           outputs};
        options.name = name;
        options.frame_bytes = frame_bytes;
        options.stack_bytes = stack_bytes;
        return load(connection, options, again);
      },
      nb::arg("connection"), nb::arg("source"), nb::arg("function"), nb::arg("name"), nb::arg("flags"),
      nb::arg("outputs"), nb::arg("sources"), nb::arg("includes"), nb::arg("defines"), nb::arg("standard"),
      nb::arg("frame_bytes"), nb::arg("stack_bytes"), nb::arg("again"));
}

}  // namespace mote::python
