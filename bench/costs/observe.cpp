// SPDX-License-Identifier: Apache-2.0
#include "observe.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/emulate.hpp"
#include "verify/golden.hpp"

namespace mote::costs {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// FNV-1a: names a file, protects nothing.
std::string digest(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

std::vector<int64_t> sizes_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<int64_t> sizes;
  for (const TensorId id : ids) sizes.push_back(byte_size(graph.tensors[id].type));
  return sizes;
}

// Random values; zero where an integer is an index or a divisor's neighbour: any other value may be out of range.
std::vector<Bytes> inputs_of_run(const Graph& graph) {
  std::mt19937 random(1);
  std::vector<Bytes> inputs = random_case(graph, random, "costs").inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorType& type = graph.tensors[graph.inputs[i]].type;
    if (type.quant.empty() && (type.dtype == DType::i32 || type.dtype == DType::i64))
      std::fill(inputs[i].begin(), inputs[i].end(), std::byte{0});
  }
  return inputs;
}

EmulateResult run(const Graph& graph, const Plan& plan, const Target& target, Way way, bool real,
                  const std::vector<GeneratedFile>& files) {
  const TemporaryDirectory directory;
  for (const GeneratedFile& file : files) {
    fs::create_directories((directory.path() / file.path).parent_path());
    write_file(directory.path() / file.path, file.text);
  }
  EmulateRequest request{.target = target,
                         .model_directory = directory.path(),
                         .name = graph.name,
                         .input_bytes = sizes_of(graph, graph.inputs),
                         .output_bytes = sizes_of(graph, graph.outputs),
                         .steps = plan.steps.size(),
                         .shared = shared_functions(graph, plan, way.mode),
                         .cases = {inputs_of_run(graph)},
                         .continues = {},
                         .optimize = std::string(way.for_size ? target.size_flags : target.speed_flags),
                         .profile = true,
                         .profile_alone = true,
                         .timeout = std::chrono::seconds(600)};
  EmulateResult result = emulate(request);
  if (!real) return result;
  request.cases.clear();
  request.profile = request.profile_alone = false;
  EmulateResult exact = emulate(request);
  exact.step_instructions = std::move(result.step_instructions);
  return exact;
}

// At -O3 a shared instance of few callers becomes a clone for each. What was made for the fit has many small
// layers and few of each kernel, a user's model the opposite.
bool is_clone(const std::string& section) { return section.find(".constprop.") != std::string::npos; }

// Shared instances, library members, and the run function; steps are attributed already.
void attribute_code(const Graph& graph, const Plan& plan, const EmulateResult& result, bool real, Json& json) {
  json["shared"] = Json::object();
  json["library"] = Json::object();
  json["run"] = 0;
  const auto add = [](Json& value, int64_t bytes) {
    value = (value.is_null() ? 0 : value.get<int64_t>()) + bytes;
  };
  for (const MapSection& section : result.sections) {
    const bool data =
        section.name.find("_weights_") != std::string::npos || section.name.find("_table_") != std::string::npos;
    const std::string file = fs::path(section.file).filename().string();
    if (file == "mote_start.o" || file == "mote_main.o" || data || step_index(section.name, graph.name)) continue;
    const auto shared = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
      return section.name.find(shared_symbol(step.call.kernel) + "E") != std::string::npos;
    });
    const std::string member = library_member(section);
    if (!member.empty())
      add(json["library"][member], section.bytes);
    else if (shared != plan.steps.end() && !real && is_clone(section.name))
      continue;
    else if (shared != plan.steps.end())
      add(json["shared"][shared->call.kernel], section.bytes);
    else
      add(json["run"], section.bytes);
  }
}

// A result that an interrupted run left half written is measured anew.
Json kept_result(const fs::path& file) {
  return fs::exists(file) ? Json::parse(read_text(file), nullptr, false) : Json(Json::value_t::discarded);
}

Json measured(const Graph& graph, const Plan& plan, const Target& target, Way way, bool real,
              const fs::path& cache) {
  const std::vector<GeneratedFile> files = generate(graph, plan, way.mode);
  std::string text = fmt::format("6 {} {} {} {} {}", real, target.name, target.compile_flags, target.link_flags,
                                 way.for_size ? target.size_flags : target.speed_flags);
  for (const GeneratedFile& file : files) text += file.path + file.text;
  const fs::path kept = cache / (digest(text) + ".json");
  Json json = kept_result(kept);
  if (!json.is_discarded()) return json;
  EmulateResult result = run(graph, plan, target, way, real, files);
  for (const auto& [function, bytes] : result.shared_code_bytes) {
    // A copy for equal parameters counts for the step that it is named after.
    if (const auto step = step_index(function, graph.name)) result.step_code_bytes.at(*step) += bytes;
  }
  json = {{"code", result.code_bytes},
          {"stack", result.stack_bound_bytes},
          {"step_instructions", result.step_instructions},
          {"step_code", result.step_code_bytes},
          {"step_stack", result.step_stack_bytes},
          {"step_libraries", result.step_libraries}};
  attribute_code(graph, plan, result, real, json);
  fs::create_directories(cache);
  write_file(kept, json.dump());
  return json;
}

// Members of libraries are compiled already; a kernel's functions are compiled with the model, for speed or for
// size.
std::string member_name(const std::string& member, Way way) {
  if (!member.starts_with("_ZN2nn")) return member;
  return member + (way.for_size ? " for size" : " for speed");
}

Variant variant_of(bool shared, bool for_size) {
  if (for_size) return shared ? Variant::size_shared : Variant::size_own;
  return shared ? Variant::speed_shared : Variant::speed_own;
}

}  // namespace

Observation observe(const Compiled& model, const Target& target, Way way, bool real, const fs::path& cache) {
  const Graph& graph = model.graph;
  const Plan& plan = model.plan;
  const Json json = measured(graph, plan, target, way, real, cache);
  Observation observation;
  observation.model = graph.name;
  observation.real = real;
  const std::vector<bool> own = specialised_steps(graph, plan, way.mode);
  const std::set<std::string> shared = shared_kernels(plan, own);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const std::string& kernel = plan.steps[i].call.kernel;
    const bool calls = !own[i] && shared.count(kernel) != 0;
    observation.steps.push_back({cost_name(kernel),
                                 variant_of(calls, way.for_size),
                                 work_of(graph, plan.steps[i]),
                                 json["step_instructions"][i].get<double>(),
                                 json["step_code"][i].get<double>(),
                                 json["step_stack"][i].get<double>(),
                                 {}});
    for (const std::string& member : json["step_libraries"][i].get<std::set<std::string>>())
      observation.steps.back().libraries.insert(member_name(member, way));
    observation.instructions += observation.steps.back().instructions;
    const auto bytes = json["shared"].find(kernel);
    if (bytes != json["shared"].end()) observation.shared_bytes[cost_name(kernel)] = bytes->get<double>();
  }
  for (const auto& [member, bytes] : json["library"].get<std::map<std::string, double>>())
    observation.library_bytes[member_name(member, way)] = bytes;
  observation.code_bytes = json["code"].get<double>();
  observation.table_bytes = static_cast<double>(flash_data(plan).table_bytes);
  observation.run_bytes = json["run"].get<double>();
  observation.stack_bytes = json["stack"].get<double>();
  return observation;
}

}  // namespace mote::costs
