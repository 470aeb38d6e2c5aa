// SPDX-License-Identifier: Apache-2.0
// mote compile: model file in, folder of C++ out.
#include <fmt/ranges.h>

#include <algorithm>

#include "codegen/head.hpp"
#include "codegen/package.hpp"
#include "commands.hpp"
#include "common.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFlags model;
  std::string output;
  std::string package;
  std::optional<int64_t> ram, flash;
  bool no_build = false;
  bool trainable_head = false;
  std::optional<int64_t> classes, layers;
};

using Split = std::optional<SplitModel>;

void print_summary(const Compiled& compiled, const nlohmann::ordered_json& json, const Flags& flags) {
  fmt::print("{} for {} ({}): {} layers, {} MAC\n", json["model"].get<std::string>(),
             json["target"].get<std::string>(), flags.model.mode, compiled.plan.steps.size(),
             thousands(json["macs"].get<int64_t>()));
  fmt::print("  RAM    arena {} B (lower bound {} B)", thousands(compiled.plan.arena_bytes),
             thousands(compiled.plan.lower_bound_bytes));
  if (!json["stack_bound_bytes"].is_null()) {
    fmt::print(", stack at most {} B", thousands(json["stack_bound_bytes"].get<int64_t>()));
  }
  fmt::print("\n  flash  weights {} B", thousands(json["weight_bytes"].get<int64_t>()));
  if (!json["code_bytes"].is_null()) fmt::print(", code {} B", thousands(json["code_bytes"].get<int64_t>()));
  if (json.contains("head")) {
    fmt::print("\n  head   {}: RAM {} B (parameters {} B, momentum {} B, features and errors {} B), record {} B",
               json["head"]["layer"].get<std::string>(), thousands(json["head"]["ram_bytes"].get<int64_t>()),
               thousands(json["head"]["parameter_bytes"].get<int64_t>()),
               thousands(json["head"]["momentum_bytes"].get<int64_t>()),
               thousands(json["head"]["scratch_bytes"].get<int64_t>()),
               thousands(json["head"]["record_bytes"].get<int64_t>()));
    fmt::print(", flash {} B and its code", thousands(json["head"]["flash_bytes"].get<int64_t>()));
  }
  fmt::print("\n  files  {}/: {}\n", flags.output, json["files"].size());
  const auto split = std::count_if(compiled.plan.segments.begin(), compiled.plan.segments.end(),
                                   [](const Segment& segment) { return segment.parallel; });
  if (compiled.plan.cores > 1)
    fmt::print("cores   {} of {} layers are split over 2 cores\n", split, compiled.plan.steps.size());
  if (json.contains("whole_input_arena_bytes"))
    fmt::print("input   comes by rows; with the whole input in it the arena takes {} B\n",
               thousands(json["whole_input_arena_bytes"].get<int64_t>()));
  for (const Segment& segment : compiled.plan.segments) {
    if (segment.parallel) continue;
    fmt::print("strips  layers {} to {} run in {} strips of rows: the tensors between them are never whole\n",
               segment.first, segment.last, segment.strips);
  }
  print_notes(compiled);
}

std::vector<GeneratedFile> generated_files(const Loaded& loaded, const Flags& flags, const Split& split) {
  const Compiled& model = loaded.compiled;
  if (split) return generate_with_head(model.graph, model.plan, loaded.mode, split->head);
  if (flags.package.empty()) return generate(model.graph, model.plan, loaded.mode);
  return package(model.graph, model.plan,
                 {.ecosystem = flags.package, .model = loaded.file_name, .mode = loaded.mode});
}

// The head of the model file, for training, and the rest of it.
Split split(const Flags& flags) {
  require(!flags.classes || flags.trainable_head, "--classes N is for a new head; add --trainable-head");
  require(!flags.layers || flags.trainable_head,
          "--trainable-layers N says how many layers learn; add --trainable-head");
  if (!flags.trainable_head) return std::nullopt;
  const auto refuse = [](bool given, std::string_view option, std::string_view way_out) {
    require(!given, "--trainable-head and {} do not go together; {}", option, way_out);
  };
  refuse(!flags.package.empty(), "--package", "compile into a plain folder, which drops into any build");
  refuse(flags.model.cores > 1, "--cores 2", "the head runs on one core; compile without --cores");
  refuse(flags.model.stream_input, "--stream-input", "compile without one of them");
  refuse(!flags.model.board.empty() || !flags.model.memories.empty(), "--board or --memory",
         "the head is no part of their layout; use --target, with --ram for arena, stack and head together");
  return split_head(compile(flags.model.model).graph, flags.classes, flags.layers.value_or(1));
}

Built build(const Flags& flags, const Split& split) {
  const Planner plan = [&](const PlanOptions& options) {
    return split ? planned_for({split->backbone, {}}, options) : compile(flags.model.model, options);
  };
  const LayoutRequest request = layout_request(flags.model);
  Limits left{flags.ram, flags.flash};
  if (split) left = limits_beside(split->head, left, *request.target);
  const Progress progress(activity(*request.target, false));
  return build(plan, request, left, !flags.no_build, split ? &split->head : nullptr);
}

void compile(const Flags& flags) {
  const Split head = split(flags);
  const Built built = build(flags, head);
  // What the arena would be with the input in it.
  std::optional<int64_t> whole_input;
  if (flags.model.stream_input) {
    PlanOptions options = plan_options(built.model.mode, built.model.target->core, flags.ram);
    whole_input = compile(flags.model.model, options).plan.arena_bytes;
  }
  const Loaded loaded{built.model, std::filesystem::path(flags.model.model.path).filename().string()};
  Measurement measured;
  measured.sizes = built.sizes;
  OutputFiles files;
  for (GeneratedFile& file : generated_files(loaded, flags, head)) files[file.path] = std::move(file.text);
  nlohmann::ordered_json json = report(loaded.compiled, loaded.file_name, *loaded.target, loaded.mode, &measured);
  if (whole_input) json["whole_input_arena_bytes"] = *whole_input;
  if (head) json["head"] = head_json(head->head);
  json = write_with_report(flags.output, std::move(files), std::move(json));
  if (flags.model.json) {
    print_json(json);
  } else {
    print_summary(loaded.compiled, json, flags);
  }
}

}  // namespace

void add_compile(CLI::App& app) {
  auto* const command = app.add_subcommand("compile", "turn a model into C++ for a target");
  const auto flags = std::make_shared<Flags>();
  add_model_flags(*command, flags->model);
  command->add_option("-o,--output", flags->output, "folder to write; new, empty or written by mote")->required();
  command->add_option(
      "--package", flags->package,
      fmt::format("write a package with an example application: {}", fmt::join(package_ecosystems(), ", ")));
  command->add_option("--ram", flags->ram, "fail when arena and stack need more bytes than this")
      ->check(positive());
  command->add_option("--flash", flags->flash, "fail when weights and code need more bytes than this")
      ->check(positive());
  command->add_flag("--no-build", flags->no_build,
                    "write the sources only; do not measure them with the cross compiler");
  command->add_flag("--trainable-head", flags->trainable_head,
                    "the last dense layer lives in RAM as float32 and is trained on the device (docs/head.md)");
  command
      ->add_option("--classes", flags->classes, "with --trainable-head: a new head of zeros for this many classes")
      ->check(positive());
  command
      ->add_option("--trainable-layers", flags->layers,
                   "with --trainable-head: how many dense layers learn, 1 or 2")
      ->check(CLI::Range(1, 2));
  command->callback([flags] { compile(*flags); });
}

}  // namespace mote::cli
