// SPDX-License-Identifier: Apache-2.0
// mote zoo: a book of the figures of many models.
#include <atomic>
#include <csignal>
#include <thread>

#include "base/files.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "target/find.hpp"
#include "zoo/build.hpp"
#include "zoo/compare_books.hpp"
#include "zoo/mode_promises.hpp"
#include "zoo/show.hpp"
#include "zoo_progress.hpp"

namespace mote::cli {

namespace {

struct BuildFlags {
  std::string folder, book;
  std::vector<std::string> models, targets = {"rv32imac", "cortex-m4f"}, modes = {"balanced"};
  std::string compiler = "g++";
  std::string detail = "run";
  size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool force = false, json = false;
};

struct TableFlags {
  std::string book, format = "text", output;
  std::string sort;
  bool json = false, layers = false;
  RowFilter filter;
  TableRequest table;
  std::vector<std::string> peers;
  std::string sources;
};

struct CompareFlags {
  std::string before, after, format = "text";
  bool json = false;
  std::optional<double> fail_above;
};

Detail parse_detail(std::string_view text) {
  for (const auto& [name, detail] :
       {std::pair{"sizes", Detail::sizes}, std::pair{"run", Detail::run}, std::pair{"layers", Detail::layers}}) {
    if (text == name) return detail;
  }
  fail("--detail {}: unknown; choose sizes, run or layers", text);
}

// Set by the first SIGINT or SIGTERM, which also restores the default: a second one ends the program at once.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void print_build(const BuildFlags& flags, const ZooResult& result) {
  if (flags.json) {
    nlohmann::ordered_json json{
        {"book", flags.book},    {"models", result.models},         {"rows", result.rows},
        {"built", result.built}, {"up_to_date", result.up_to_date}, {"stopped", result.stopped}};
    TableRequest request;
    request.columns = {"model", "target", "mode", "error"};
    json["failed"] = to_json(book_table(result.failed, request, {}));
    return print_json(json);
  }
  fmt::print("{}: {} models, {} rows: {} built, {} up to date, {} with an error\n", flags.book, result.models,
             result.rows, result.built, result.up_to_date, result.failed.size());
  if (!result.failed.empty()) fmt::print("the errors: mote zoo show {} --errors\n", flags.book);
  if (result.stopped) fmt::print("stopped early; the same command continues\n");
}

void build(const BuildFlags& flags) {
  ZooRequest request{
      .folder = flags.folder, .models = flags.models, .book = flags.book, .targets = {}, .modes = {}};
  for (const std::string& target : flags.targets)
    request.targets.push_back(&compiled_by(find_target(target), flags.compiler));
  for (const std::string& mode : flags.modes) request.modes.push_back(parse_mode(mode));
  request.detail = parse_detail(flags.detail);
  request.jobs = flags.jobs;
  request.force = flags.force;
  stop_on_signals();
  const ZooResult result = [&] {
    ZooProgressLine line;
    return build_zoo(
        request, [&](const ZooProgress& progress) { line.show(progress); }, stop_requested);
  }();
  print_build(flags, result);
  if (result.stopped) throw CLI::RuntimeError(130);
}

void print_or_write(const std::string& text, const std::string& output) {
  if (output.empty()) {
    fmt::print("{}", text);
  } else {
    write_file(output, text);
  }
}

void show(const TableFlags& flags, bool whole_book) {
  const Format format = flags.json ? Format::json : parse_format(flags.format);
  require(flags.filter.licences.empty() || !flags.sources.empty(),
          "--licence needs --sources FILE, a table of the models and their licences");
  const ModelSources sources = flags.sources.empty() ? ModelSources() : ModelSources(flags.sources);
  TableRequest request = flags.table;
  for (const std::string& peer : flags.peers) request.peers.push_back(read_peer(peer));
  const bool with_layers = flags.layers || (whole_book && format == Format::json);
  std::vector<BookRow> rows = chosen(Book::open(flags.book).rows(with_layers), flags.filter, sources);
  if (!flags.sort.empty()) sort_rows(rows, flags.sort);
  if (flags.layers) return print_or_write(render(layer_table(rows), format), flags.output);
  if (whole_book && format == Format::json) return print_or_write(book_json(rows).dump(2) + "\n", flags.output);
  if (whole_book) {
    for (const BookColumn& column : book_columns()) request.columns.emplace_back(column.name);
  }
  print_or_write(render(book_table(rows, request, sources), format), flags.output);
}

void compare(const CompareFlags& flags) {
  const Format format = flags.json ? Format::json : parse_format(flags.format);
  const std::vector<BookChange> changes = compare_books(read_rows(flags.before), read_rows(flags.after));
  if (changes.empty() && format == Format::text) {
    fmt::print("no figure differs\n");
  } else {
    fmt::print("{}", render(changes_table(changes, flags.fail_above), format));
  }
  if (!flags.fail_above) return;
  const auto regressions = std::count_if(changes.begin(), changes.end(), [&](const BookChange& change) {
    return change.regressed(*flags.fail_above);
  });
  if (regressions == 0) return;
  fmt::print(stderr, "mote: {} regression{} of more than {} %\n", regressions, regressions == 1 ? "" : "s",
             *flags.fail_above);
  throw CLI::RuntimeError(1);
}

void judge_modes(const std::string& book, const std::string& known, const std::string& format) {
  std::vector<BrokenPromise> broken = broken_promises(read_rows(book));
  if (!known.empty()) broken = newly_broken(broken, broken_promises(read_rows(known)));
  if (broken.empty() && format == "text") return fmt::print("no mode breaks what it promises of another\n");
  fmt::print("{}", render(promises_table(broken), parse_format(format)));
  if (!broken.empty()) throw CLI::RuntimeError(1);
}

void add_build(CLI::App& zoo) {
  auto* const command = zoo.add_subcommand("build", "compile and measure every model of a folder into a book");
  const auto flags = std::make_shared<BuildFlags>();
  command->add_option("folder", flags->folder, "folder with .tflite and .onnx files")->required();
  command
      ->add_option("-o,--output", flags->book, "the book, an SQLite file; one that is there is brought up to date")
      ->required();
  command->add_option("--models", flags->models, "only models whose file name one of these globs matches");
  command->add_option("--target", flags->targets, "targets; `mote targets` lists them")->capture_default_str();
  command->add_option("--optimize", flags->modes, "modes: size, balanced, speed")->capture_default_str();
  add_compiler(*command, flags->compiler);
  command
      ->add_option(
          "--detail", flags->detail,
          "sizes: compile and link; run: and run once for instructions and stack; layers: and count every "
          "layer")
      ->capture_default_str();
  command->add_option("-j,--jobs", flags->jobs, "rows at a time")->check(positive())->capture_default_str();
  command->add_flag("--force", flags->force, "build rows anew that are up to date");
  command->add_flag("--json", flags->json, "print one JSON object instead of text");
  command->callback([flags] { build(*flags); });
}

void add_table(CLI::App& zoo, const std::string& name, const std::string& what, bool whole_book) {
  auto* const command = zoo.add_subcommand(name, what);
  const auto flags = std::make_shared<TableFlags>();
  flags->format = whole_book ? "csv" : "text";
  command->add_option("book", flags->book, "a footprint book")->required();
  command->add_option("--format", flags->format, "text, markdown, csv or json")->capture_default_str();
  command->add_flag("--json", flags->json, "the same as --format json");
  command->add_option("-o,--output", flags->output, "file to write instead of printing");
  auto* const layers = command->add_flag("--layers", flags->layers, "the layers of the rows instead of the rows");
  command->add_option("--models", flags->filter.models, "only models whose file name one of these globs matches");
  command->add_option("--target", flags->filter.targets, "only these targets");
  command->add_option("--optimize", flags->filter.modes, "only these modes");
  command->add_flag("--errors", flags->filter.errors_only, "only rows with an error");
  command->add_option("--sources", flags->sources,
                      "markdown table of the models: name, sha256, repo:path, licence");
  command->add_option("--licence", flags->filter.licences,
                      "only models whose licence in --sources one of these globs matches");
  if (!whole_book) {
    layers->excludes(command->add_option("--columns", flags->table.columns, "columns instead of the usual ones")
                         ->delimiter(','));
    auto* const peers = command->add_option(
        "--peers", flags->peers,
        "files with other systems' figures (.json, .csv): the best of each stands beside Mote's");
    layers->excludes(peers);
    command->add_flag("--peers-only", flags->table.peers_only, "only rows of which a peer has a figure")
        ->needs(peers);
  }
  command->add_option("--sort", flags->sort, "column to sort by; -COLUMN: the largest first");
  command->callback([flags, whole_book] { show(*flags, whole_book); });
}

void add_compare(CLI::App& zoo) {
  auto* const command = zoo.add_subcommand("compare", "what changed from one book to another");
  const auto flags = std::make_shared<CompareFlags>();
  command->add_option("old", flags->before, "a footprint book, or a table of one as JSON")->required();
  command->add_option("new", flags->after, "likewise")->required();
  command->add_option("--format", flags->format, "text, markdown, csv or json")->capture_default_str();
  command->add_flag("--json", flags->json, "the same as --format json");
  command
      ->add_option("--fail-above", flags->fail_above,
                   "exit status 1 when a figure of an unchanged model grew by more percent, or an error is new")
      ->check(CLI::NonNegativeNumber);
  command->callback([flags] { compare(*flags); });
}

void add_modes(CLI::App& zoo) {
  auto* const command = zoo.add_subcommand(
      "modes",
      "where a mode breaks what it promises of another: balanced at least 0.85 of speed's speed in at most "
      "1.6 times size's code, speed in at most 3 times, no mode slower than a smaller one; exit status 1");
  const auto book = std::make_shared<std::string>(), known = std::make_shared<std::string>(),
             format = std::make_shared<std::string>("text");
  command->add_option("book", *book, "a footprint book, or a table of one as JSON")->required();
  command->add_option("--known", *known, "another book; what it breaks as well, within 2 %, is left out");
  command->add_option("--format", *format, "text, markdown, csv or json")->capture_default_str();
  command->callback([book, known, format] { judge_modes(*book, *known, *format); });
}

}  // namespace

void add_zoo(CLI::App& app) {
  auto* const zoo = app.add_subcommand("zoo", "a book of the figures of many models");
  zoo->require_subcommand(1);
  add_build(*zoo);
  add_table(*zoo, "show", "print a table of a book", false);
  add_compare(*zoo);
  add_modes(*zoo);
  add_table(*zoo, "export", "print all columns of a book; as JSON with the layers of each row", true);
}

}  // namespace mote::cli
