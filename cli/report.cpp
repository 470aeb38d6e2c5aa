// SPDX-License-Identifier: Apache-2.0
// mote report: what is known about a compiled model, as one HTML page and as pictures.
#include <set>

#include "base/files.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "report/details.hpp"
#include "report/html.hpp"
#include "report/stack_picture.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

namespace fs = std::filesystem;

struct Flags {
  ModelFlags model;
  std::string output, stack_picture;
  std::optional<int64_t> stack_size;
  bool measure = false;
};

constexpr std::string_view svg_mark = "<svg", png_mark = "\x89PNG";

// All files that are written.
std::vector<fs::path> outputs(const Flags& flags) {
  std::vector<fs::path> files;
  if (!flags.output.empty()) files.emplace_back(flags.output);
  if (flags.stack_picture.empty()) return files;
  const fs::path picture(flags.stack_picture);
  if (picture.extension() == ".png") files.push_back(picture);
  files.push_back(fs::path(picture).replace_extension(".svg"));
  return files;
}

void check(const Flags& flags, const Target& target) {
  require(!flags.output.empty() || !flags.stack_picture.empty() || flags.model.json,
          "nothing to write; give -o report.html, --stack-picture stack_usage.png or --json");
  require(!flags.measure || !target.emulator.empty(),
          "--measure: {} has no instruction counter and no stack to paint; choose an emulated --target, such as "
          "rv32imac",
          target.name);
  require(flags.stack_picture.empty() || !target.emulator.empty(),
          "--stack-picture: {} has no stack to paint; choose an emulated --target, such as rv32imac", target.name);
  const std::string kind = fs::path(flags.stack_picture).extension().string();
  require(flags.stack_picture.empty() || kind == ".png" || kind == ".svg",
          "{}: the stack picture is a .png file (with an .svg beside it) or an .svg file", flags.stack_picture);
  for (const fs::path& file : outputs(flags)) {
    std::error_code ignored;
    require(!fs::equivalent(file, flags.model.model.path, ignored), "{}: is the model itself; choose another name",
            file.string());
    check_replaceable(file, file == flags.output ? page_mark : file.extension() == ".svg" ? svg_mark : png_mark);
  }
  const std::vector<fs::path> files = outputs(flags);
  require(std::set(files.begin(), files.end()).size() == files.size(),
          "{}: page and picture of the stack want the same file; choose another name", flags.output);
}

// One run with the random inputs that `mote run` takes.
Measurement measure_once(const Loaded& loaded) {
  std::mt19937 random(1);
  const std::vector<Bytes> inputs = random_case(loaded.compiled.graph, random, "random").inputs;
  const Progress progress(activity(*loaded.target, true));
  return measure(loaded.compiled, *loaded.target, loaded.mode, {inputs}, true);
}

void write_pictures(const Flags& flags, const nlohmann::ordered_json& report) {
  // Everything is made before the first file is written.
  const std::string page = flags.output.empty() ? "" : html_page(report);
  if (!flags.stack_picture.empty()) {
    const std::string svg = stack_svg(report);
    const fs::path path(flags.stack_picture);
    if (path.extension() == ".png") replace_file(path, png_of(svg));
    replace_file(fs::path(path).replace_extension(".svg"), std::as_bytes(std::span(svg)));
  }
  if (!flags.output.empty()) replace_file(flags.output, std::as_bytes(std::span(page)));
}

void make_report(const Flags& flags) {
  check(flags, target_of(flags.model));
  const Loaded loaded = load(flags.model);
  Measurement measured;
  if (flags.measure || !flags.stack_picture.empty()) measured = measure_once(loaded);
  nlohmann::ordered_json report =
      detailed_report(loaded.compiled, loaded.file_name, *loaded.target, loaded.mode, &measured, flags.stack_size);
  report["fit"] = fit_json(fit_all_boards(loaded, measured));
  write_pictures(flags, report);
  if (flags.model.json) return print_json(report);
  for (const std::string& file : {flags.output, flags.stack_picture}) {
    if (!file.empty()) fmt::print("{}: {} B\n", file, thousands(static_cast<int64_t>(fs::file_size(file))));
  }
}

}  // namespace

void add_report(CLI::App& app) {
  auto* const command = app.add_subcommand("report", "one HTML page: layers, memory over time, flash, stack");
  const auto flags = std::make_shared<Flags>();
  add_model_flags(*command, flags->model);
  add_arena_limit(*command, flags->model.ram);
  command->add_option("-o,--output", flags->output, "the page to write, one file that needs no network");
  command->add_flag("--measure", flags->measure, "build for the target and run it: instructions, code, stack");
  command->add_option("--stack-picture", flags->stack_picture,
                      "measure, and draw the stack: a .png file and the same as .svg beside it");
  command->add_option("--stack-size", flags->stack_size, "bytes of the task's stack (default: what suffices)")
      ->check(positive());
  command->callback([flags] { make_report(*flags); });
}

}  // namespace mote::cli
