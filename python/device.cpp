// SPDX-License-Identifier: Apache-2.0
// A device that runs Mote's agent: its memory, and models that are loaded into it and called.
#include <cmath>

#include "connection.hpp"
#include "device/loader.hpp"
#include "measure/measure.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote::python {

namespace {

using nlohmann::ordered_json;

// A model on a device, by what a call needs.
struct OnDevice {
  LoadReport report;
  std::shared_ptr<const Compiled> compiled;
};

ordered_json regions_json(const std::vector<DeviceRegion>& regions) {
  auto json = ordered_json::array();
  for (const DeviceRegion& region : regions)
    json.push_back({{"name", region.name},
                    {"begin", region.begin},
                    {"bytes", region.bytes},
                    {"executable", region.executable},
                    {"free", region.free},
                    {"largest_free", region.largest},
                    {"high_water", region.high_water},
                    {"blocks", region.blocks}});
  return json;
}

std::string info(Connection& connection) {
  return connection.during([](Device& device) {
    const DeviceInfo& info = device.info();
    return text_of({{"target", info.target},
                    {"board", info.board},
                    {"firmware_id", info.firmware_id},
                    {"payload_bytes", info.payload_bytes},
                    {"window", info.window},
                    {"counter_hz", info.counter_hz},
                    {"keyed", info.keyed},
                    {"protects", info.protects},
                    {"regions", regions_json(info.regions)}});
  });
}

std::string models(Connection& connection) {
  return connection.during([](Device& device) {
    auto json = ordered_json::array();
    for (const DeviceModel& model : device.models())
      json.push_back({{"name", model.name},
                      {"id", model.id},
                      {"serving", model.serving},
                      {"bytes", model.bytes},
                      {"input_bytes", model.input_bytes},
                      {"output_bytes", model.output_bytes},
                      {"calls", model.calls},
                      {"faults", model.faults}});
    return text_of(json);
  });
}

void unload(Connection& connection, const std::string& name) {
  connection.during([&](Device& device) {
    std::string names;
    for (const DeviceModel& model : device.models()) {
      if (model.name == name) return device.unload(model.id);
      names += (names.empty() ? "" : ", ") + model.name;
    }
    fail("no model '{}' is on the device{}", name, names.empty() ? "; none is" : "; there are: " + names);
  });
}

std::string statistics(Connection& connection) {
  return connection.during([](Device& device) {
    const LinkStatistics& link = device.statistics();
    return text_of({{"bytes_out", link.bytes_out},
                    {"bytes_in", link.bytes_in},
                    {"repeated", link.repeated},
                    {"dropped", link.dropped}});
  });
}

std::string profile(Connection& connection) {
  return connection.during([](Device& device) {
    const CallProfile of = device.profile();
    return text_of({{"instructions", of.instructions},
                    {"cycles", of.cycles},
                    {"stack_bytes", of.stack_bytes},
                    {"elapsed_ms", of.elapsed_ms}});
  });
}

wire::Kind kind_named(const std::string& name) {
  if (name == "code") return wire::Kind::code;
  if (name == "constants") return wire::Kind::constants;
  require(name == "data", "'{}' is no kind of memory; code, constants and data are", name);
  return wire::Kind::data;
}

uint32_t allocate(Connection& connection, int64_t bytes, const std::string& kind, uint32_t alignment,
                  const std::string& region) {
  return connection.during(
      [&](Device& device) { return device.allocate(kind_named(kind), bytes, alignment, region); });
}

void read(Connection& connection, uint32_t address, const WriteArray& to) {
  connection.during([&](Device& device) {
    const Bytes bytes = device.read(address, narrow<int64_t>(to.nbytes()));
    std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(to.data()));
  });
}

void write(Connection& connection, uint32_t address, const ReadArray& from) {
  connection.during([&](Device& device) {
    device.write(address, ByteSpan(static_cast<const std::byte*>(from.data()), from.nbytes()));
  });
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Inputs or outputs of one run behind each other.
Bytes joined(const std::vector<const std::byte*>& arrays, const std::vector<size_t>& sizes, size_t run) {
  Bytes all;
  for (size_t i = 0; i < arrays.size(); ++i)
    all.insert(all.end(), arrays[i] + run * sizes[i], arrays[i] + (run + 1) * sizes[i]);
  return all;
}

std::vector<size_t> sizes_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<size_t> sizes;
  for (const TensorId id : ids) sizes.push_back(static_cast<size_t>(byte_size(graph.tensors[id].type)));
  return sizes;
}

void begin_anew(Connection& connection, const OnDevice& model) {
  if (model.compiled->plan.states.empty()) return;
  CallOptions options;
  options.entry = wire::Entry::start;
  connection.calling([&](Device& device) { (void)device.call(model.report.model, {}, options); });
}

void run(const OnDevice& model, Connection& connection, const std::vector<ReadArray>& inputs,
         const std::vector<WriteArray>& outputs, size_t count, double deadline, bool paint_stack) {
  const Graph& graph = model.compiled->graph;
  const std::vector<const std::byte*> from = addresses(inputs, graph, graph.inputs, count);
  const std::vector<std::byte*> to = addresses(outputs, graph, graph.outputs, count);
  const std::vector<size_t> in = sizes_of(graph, graph.inputs), out = sizes_of(graph, graph.outputs);
  const CallOptions options = call_options(deadline, paint_stack);
  connection.during([&](Device&) {
    for (size_t c = 0; c < count; ++c) {
      const Bytes output = connection.calling(
          [&](Device& device) { return device.call(model.report.model, joined(from, in, c), options); });
      size_t at = 0;
      for (size_t i = 0; i < to.size(); at += out[i++])
        std::copy_n(output.data() + at, out[i], to[i] + c * out[i]);
    }
  });
}

// What the new model must compute before it takes over.
struct Check {
  std::vector<Bytes> inputs, outputs;
};

Check host_check(const Compiled& compiled) {
  std::mt19937 random(1);
  const std::vector<Bytes> inputs = random_case(compiled.graph, random, "check").inputs;
  const Measurement host = measure(compiled, find_target("host"), Mode::balanced, {inputs}, false);
  return {{joined(inputs)}, {joined(host.outputs.at(0))}};
}

Check given_check(const Compiled& compiled, const std::vector<ReadArray>& inputs,
                  const std::vector<ReadArray>& outputs, size_t count) {
  if (count == 0) return {};
  const Graph& graph = compiled.graph;
  const auto from = addresses(inputs, graph, graph.inputs, count),
             expected = addresses(outputs, graph, graph.outputs, count);
  Check check;
  for (size_t c = 0; c < count; ++c) {
    check.inputs.push_back(joined(from, sizes_of(graph, graph.inputs), c));
    check.outputs.push_back(joined(expected, sizes_of(graph, graph.outputs), c));
  }
  return check;
}

void expect(Connection& connection, const OnDevice& candidate, const Check& check, const std::string& whose) {
  const DeviceModel& model = candidate.report.model;
  for (size_t c = 0; c < check.inputs.size(); ++c) {
    const Bytes output = connection.calling([&](Device& device) { return device.call(model, check.inputs[c]); });
    size_t wrong = 0;
    for (size_t i = 0; i < output.size(); ++i) wrong += output[i] != check.outputs[c][i];
    require(wrong == 0, "{}: {} of {} bytes of output {} are not {}; the older model stays", model.name, wrong,
            output.size(), c, whose);
  }
  begin_anew(connection, candidate);
}

struct LoadArguments {
  std::optional<std::string> name;
  std::string optimize;
  bool again = false, host_check = false;
  std::vector<ReadArray> inputs, outputs;
  size_t count = 0;
};

OnDevice load(Connection& connection, const Model& model, const LoadArguments& arguments) {
  const Target& target =
      find_target(connection.during([](Device& device) { return std::string(device.info().target); }));
  const nb::gil_scoped_release unlocked;
  const Mode mode = parse_mode(arguments.optimize);
  OnDevice result;
  result.compiled = std::make_shared<Compiled>(planned_for(model.compiled, plan_options(mode, target.core)));
  const Check check = arguments.host_check
                          ? host_check(*result.compiled)
                          : given_check(*result.compiled, arguments.inputs, arguments.outputs, arguments.count);
  Program program = compile_for_device(*result.compiled, target, mode);
  if (arguments.name) program.name = *arguments.name;
  LoadOptions options;
  options.again = arguments.again;
  options.check = [&](Device&, const DeviceModel& candidate) {
    OnDevice staged{{}, result.compiled};
    staged.report.model = candidate;
    expect(connection, staged, check, arguments.host_check ? "the host's" : "those that are expected");
    connection.stop_if_interrupted();
  };
  const nb::gil_scoped_acquire locked;
  result.report = connection.during([&](Device& device) { return load_program(device, program, options); });
  return result;
}

// Bytes of the image by what they are for.
std::string memory(const OnDevice& model) {
  const DeviceModel& on = model.report.model;
  const int64_t stack = int64_t{on.stack_end} - on.stack_begin, arena = model.compiled->plan.arena_bytes;
  return text_of({{"code", on.code_bytes},
                  {"constants", on.bytes - on.code_bytes - stack - arena},
                  {"stack", stack},
                  {"arena", arena}});
}

// mote.CallError, which has its figures as attributes.
void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const CallError& error) {
    const char* const status = error.status == wire::Status::fault      ? "fault"
                               : error.status == wire::Status::deadline ? "deadline"
                                                                        : "cancelled";
    const nb::object type = nb::module_::import_("mote._errors").attr("CallError");
    const nb::object value =
        type(error.what(), status, error.stop.pc, error.stop.address, error.stop.cause, error.stop.stack_pointer);
    PyErr_SetObject(type.ptr(), value.ptr());
  }
}

}  // namespace

CallOptions call_options(double deadline, bool paint_stack) {
  require(std::isfinite(deadline) && deadline >= 0 && deadline <= 1e6, "{} s is no deadline", deadline);
  CallOptions options;
  options.deadline = std::chrono::milliseconds(static_cast<int64_t>(std::ceil(deadline * 1000)));
  options.paint_stack = paint_stack;
  return options;
}

void add_device(nb::module_& module) {
  nb::register_exception_translator(&translate);
  nb::class_<Connection>(module, "Connection", "A device that runs Mote's agent.")
      .def(nb::init<const std::string&, const std::optional<std::string>&>(), nb::arg("address"),
           nb::arg("key").none())
      .def("close", &Connection::close)
      .def_prop_ro("is_open", &Connection::is_open)
      .def("info", &info)
      .def("heap",
           [](Connection& connection) {
             return text_of(regions_json(connection.during([](Device& device) { return device.heap(); })));
           })
      .def("models", &models)
      .def("statistics", &statistics)
      .def("profile", &profile)
      .def("unload", &unload, nb::arg("name"))
      .def("log",
           [](Connection& connection) {
             const std::string text =
                 connection.during([&](Device& device) { return device.log(connection.log_position); });
             return nb::bytes(text.data(), text.size());
           })
      .def("reset", [](Connection& connection) { connection.during([](Device& device) { device.reset(); }); })
      .def("allocate", &allocate, nb::arg("bytes"), nb::arg("kind"), nb::arg("alignment"), nb::arg("region"))
      .def(
          "release",
          [](Connection& connection, uint32_t address) {
            connection.during([&](Device& device) { device.release(address); });
          },
          nb::arg("address"))
      .def("read", &read, nb::arg("address"), nb::arg("to"))
      .def("write", &write, nb::arg("address"), nb::arg("from_"))
      .def(
          "load",
          [](Connection& connection, const Model& model, const std::optional<std::string>& name,
             const std::string& optimize, bool again, bool host_check, const std::vector<ReadArray>& inputs,
             const std::vector<ReadArray>& outputs, size_t count) {
            return load(connection, model, {name, optimize, again, host_check, inputs, outputs, count});
          },
          nb::arg("model"), nb::arg("name").none(), nb::arg("optimize"), nb::arg("again"), nb::arg("host_check"),
          nb::arg("inputs"), nb::arg("outputs"), nb::arg("count"));
  nb::class_<OnDevice>(module, "OnDevice", "A model that was loaded into a device.")
      .def_prop_ro("name", [](const OnDevice& model) { return model.report.model.name; })
      .def_prop_ro("bytes", [](const OnDevice& model) { return model.report.model.bytes; })
      .def_prop_ro("sent_bytes", [](const OnDevice& model) { return model.report.sent_bytes; })
      .def_prop_ro("kept_bytes", [](const OnDevice& model) { return model.report.kept_bytes; })
      .def_prop_ro("already_there", [](const OnDevice& model) { return model.report.already_there; })
      .def_prop_ro("memory", &memory)
      .def("run", &run, nb::arg("connection"), nb::arg("inputs"), nb::arg("outputs"), nb::arg("count"),
           nb::arg("deadline"), nb::arg("paint_stack"))
      .def(
          "reset",
          [](const OnDevice& model, Connection& connection) {
            connection.during([&](Device&) { begin_anew(connection, model); });
          },
          nb::arg("connection"))
      .def(
          "unload",
          [](const OnDevice& model, Connection& connection) {
            connection.during([&](Device& device) { device.unload(model.report.model.id); });
          },
          nb::arg("connection"));
}

}  // namespace mote::python
