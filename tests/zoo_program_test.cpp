// SPDX-License-Identifier: Apache-2.0
// `mote zoo` as a person uses it: a folder with broken models, interrupted and continued builds, exact texts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "support/book.hpp"
#include "support/models.hpp"

extern char** environ;

namespace mote {
namespace {

namespace fs = std::filesystem;

class Zoo : public testing::Test {
 protected:
  Zoo() {
    fs::create_directories(models());
    fs::create_directories(folder_.path() / "temporary");
    setenv("TMPDIR", (folder_.path() / "temporary").c_str(), 1);  // killed builds leave folders there
  }

  ~Zoo() override {
    if (outer_temporary_.empty()) unsetenv("TMPDIR");
    if (!outer_temporary_.empty()) setenv("TMPDIR", outer_temporary_.c_str(), 1);
  }

  fs::path models() const { return folder_.path() / "models"; }
  std::string book(const std::string& name = "book.sqlite") const { return (folder_.path() / name).string(); }

  void add_models(int count) const {
    for (int i = 0; i < count; ++i) fs::copy_file(test::digits_model(), models() / fmt::format("m{}.tflite", i));
  }

  static ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {MOTE_PROGRAM, "zoo"});
    return run_process(arguments, std::chrono::seconds(300));
  }

  ProcessResult build(std::vector<std::string> more) const {
    more.insert(more.begin(), {"build", models().string(), "-o", book()});
    return run(more);
  }

  static void expect_error(const std::vector<std::string>& arguments, const std::string& message) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.errors, "mote: error: " + message + "\n");
    EXPECT_EQ(result.output, "");
  }

  std::string summary(int models, int rows, int built, int up_to_date, int failed) const {
    return fmt::format("{}: {} models, {} rows: {} built, {} up to date, {} with an error\n", book(), models, rows,
                       built, up_to_date, failed) +
           (failed == 0 ? "" : fmt::format("the errors: mote zoo show {} --errors\n", book()));
  }

  // Starts a build of rows that take a compiler run each, ends it by `signal` once two rows are in the book, and
  // returns the number of rows in it then. Sets `status` to that of waitpid.
  size_t build_until_signal(int signal, int& status) const {
    const std::vector<std::string> words{MOTE_PROGRAM, "zoo",      "build",    models().string(), "-o", book(),
                                         "--target",   "rv32imac", "--detail", "sizes",           "-j", "2"};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t silent;
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t own_group;
    posix_spawnattr_init(&own_group);
    posix_spawnattr_setflags(&own_group, POSIX_SPAWN_SETPGROUP);
    pid_t process = -1;
    EXPECT_EQ(posix_spawn(&process, MOTE_PROGRAM, &silent, &own_group, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&silent);
    posix_spawnattr_destroy(&own_group);
    while (rows_now() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    kill(signal == SIGKILL ? -process : process, signal);  // a power cut takes the compilers too
    waitpid(process, &status, 0);
    return rows_now();
  }

  size_t rows_now() const {
    try {
      return Book::open(book()).rows(true).size();
    } catch (const Error&) {  // not there yet, or just being created
      return 0;
    }
  }

  const std::string outer_temporary_ = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  TemporaryDirectory folder_;
};

TEST_F(Zoo, BuildsEveryModelOfAFolderAndContinues) {
  add_models(2);
  EXPECT_EQ(build({"--target", "host"}).output, summary(2, 2, 2, 0, 0));
  EXPECT_EQ(build({"--target", "host"}).output, summary(2, 2, 0, 2, 0));
  EXPECT_EQ(build({"--target", "host", "--force"}).output, summary(2, 2, 2, 0, 0));
  EXPECT_EQ(build({"--target", "host", "--optimize", "size", "balanced"}).output, summary(2, 4, 2, 2, 0));
  Bytes other = read_file(test::digits_model());
  other.push_back(std::byte{0});  // the same model, another content
  write_file(models() / "m1.tflite", other);
  EXPECT_EQ(build({"--target", "host"}).output, summary(2, 2, 1, 1, 0));
  EXPECT_EQ(Book::open(book()).rows(false).size(), 4U);
}

TEST_F(Zoo, ARowOfAnotherBuildOrToolIsBuiltAnew) {
  add_models(1);
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(1, 1, 1, 0, 0));
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(1, 1, 0, 1, 0));
  for (const char* const change : {"mote = '0.0.1'", "compiler = 'gcc 1'", "error = 'no space left'"}) {
    Database(book(), Database::Open::existing).execute(fmt::format("UPDATE rows SET {}", change));
    EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(1, 1, 1, 0, 0)) << change;
  }
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "layers"}).output, summary(1, 1, 1, 0, 0));
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(1, 1, 0, 1, 0))
      << "a run has the sizes too";
}

// What `mote run` says of the same model on the same core.
TEST_F(Zoo, TheFiguresAreThoseOfARun) {
  add_models(1);
  ASSERT_EQ(build({"--target", "rv32imac", "--detail", "layers", "--optimize", "speed"}).exit_status, 0);
  const ProcessResult direct = run_process({MOTE_PROGRAM, "run", (models() / "m0.tflite").string(), "--target",
                                            "rv32imac", "--optimize", "speed", "--profile", "--json"},
                                           std::chrono::seconds(120));
  const nlohmann::json expected = nlohmann::json::parse(direct.output);
  const nlohmann::json found = nlohmann::json::parse(run({"export", book(), "--json"}).output).at(0);
  EXPECT_EQ(found["lower_bound_bytes"], expected["arena_lower_bound_bytes"]);
  for (const char* const figure : {"model", "target", "mode", "macs", "instructions", "arena_bytes",
                                   "weight_bytes", "code_bytes", "stack_bound_bytes", "stack_peak_bytes"})
    EXPECT_EQ(found[figure], expected[figure]) << figure;
  ASSERT_EQ(found["layers"].size(), expected["layers"].size());
  for (size_t i = 0; i < found["layers"].size(); ++i) {
    for (const char* const figure : {"name", "op", "macs", "instructions", "code_bytes"})
      EXPECT_EQ(found["layers"][i][figure], expected["layers"][i][figure]) << i << " " << figure;
  }
}

TEST_F(Zoo, AnUnreadableModelIsARowWithItsError) {
  add_models(1);
  write_file(models() / "broken.tflite", std::string_view("no model"));
  fs::create_symlink("nowhere", models() / "dangling.tflite");
  fs::create_directory(models() / "folder.tflite");
  write_file(models() / "notes.txt", std::string_view("not looked at"));
  const ProcessResult result = build({"--target", "host", "rv32imac", "--detail", "sizes"});
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_EQ(result.errors, "") << "no progress in a pipe";
  EXPECT_EQ(result.output, summary(4, 8, 8, 0, 6));
  std::map<std::string, std::string> errors;
  for (const BookRow& row : Book::open(book()).rows(false)) errors[row.model] = row.error.value_or("");
  EXPECT_EQ(errors["m0.tflite"], "");
  EXPECT_EQ(errors["dangling.tflite"], "no such file");
  EXPECT_EQ(errors["folder.tflite"], "is a directory, not a file");
  EXPECT_EQ(errors["broken.tflite"].find(models().string()), std::string::npos) << errors["broken.tflite"];
  EXPECT_NE(errors["broken.tflite"], "");
  EXPECT_EQ(run({"show", book(), "--errors", "--columns", "model,target,error", "--models", "dangling"}).output,
            "model            target    error\n"
            "dangling.tflite  host      no such file\n"
            "dangling.tflite  rv32imac  no such file\n");
}

TEST_F(Zoo, AKilledBuildContinuesWhereItWas) {
  add_models(6);
  int status = 0;
  const size_t finished = build_until_signal(SIGKILL, status);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GE(finished, 2U);
  ASSERT_LT(finished, 6U);
  const int done = static_cast<int>(finished);
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(6, 6, 6 - done, done, 0));
}

TEST_F(Zoo, AnInterruptedBuildEndsOrderly) {
  add_models(6);
  int status = 0;
  const size_t finished = build_until_signal(SIGINT, status);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  ASSERT_LT(finished, 6U);
  EXPECT_TRUE(fs::is_empty(folder_.path() / "temporary"));
  for (const BookRow& row : Book::open(book()).rows(false)) EXPECT_EQ(row.error, std::nullopt);
  const int done = static_cast<int>(finished);
  EXPECT_EQ(build({"--target", "rv32imac", "--detail", "sizes"}).output, summary(6, 6, 6 - done, done, 0));
}

TEST_F(Zoo, AsManyJobsAsWantedGiveTheSameBook) {
  add_models(2);
  const std::vector<std::string> common{"--target", "rv32imac", "cortex-m4f", "--detail", "sizes", "--json"};
  auto one = common, many = common;
  one.insert(one.end(), {"-j", "1", "-o", book("one")});
  many.insert(many.end(), {"-j", "4", "-o", book("many")});
  one.insert(one.begin(), {"build", models().string()});
  many.insert(many.begin(), {"build", models().string()});
  const nlohmann::json json = nlohmann::json::parse(run(many).output);
  EXPECT_EQ(json["built"], 4);
  EXPECT_EQ(json["failed"], nlohmann::json::array());
  EXPECT_EQ(run(one).exit_status, 0);
  EXPECT_EQ(run({"compare", book("one"), book("many"), "--fail-above", "0"}).output, "no figure differs\n");
}

TEST_F(Zoo, CompareFailsAboveALimit) {
  Book::open_or_create(book("old")).put(test::book_row("a.tflite", "rv32imac"));
  BookRow grown = test::book_row("a.tflite", "rv32imac");
  grown.code_bytes = 2100;
  Book::open_or_create(book("new")).put(grown);
  const ProcessResult within = run({"compare", book("old"), book("new"), "--fail-above", "5"});
  EXPECT_EQ(within.exit_status, 0);
  EXPECT_EQ(within.errors, "");
  const ProcessResult above = run({"compare", book("old"), book("new"), "--fail-above", "4"});
  EXPECT_EQ(above.exit_status, 1);
  EXPECT_EQ(above.errors, "mote: 1 regression of more than 4 %\n");
  EXPECT_EQ(above.output,
            "model     target    mode   what         old   new  change  percent  regressed\n"
            "a.tflite  rv32imac  speed  code_bytes  2000  2100     100     5.00  yes\n");
}

TEST_F(Zoo, CompareTakesATableInJsonForABook) {
  Book::open_or_create(book("old")).put(test::book_row("a.tflite", "rv32imac"));
  BookRow grown = test::book_row("a.tflite", "rv32imac");
  grown.code_bytes = 2100;
  grown.arena_bytes = grown.arena_bytes.value() + 1;
  Book::open_or_create(book("new")).put(grown);
  const std::string table = book("table"), whole = book("whole");
  EXPECT_EQ(
      run({"show", book("old"), "--json", "--columns", "model,target,mode,sha256,code_bytes", "-o", table}).errors,
      "");
  EXPECT_EQ(run({"export", book("old"), "--json", "-o", whole}).errors, "");
  const auto changed = [&](const std::string& old_book) {
    std::set<std::string> figures;
    for (const auto& change : nlohmann::json::parse(run({"compare", old_book, book("new"), "--json"}).output))
      figures.insert(change["what"]);
    return figures;
  };
  EXPECT_EQ(changed(table), (std::set<std::string>{"code_bytes"}));
  EXPECT_EQ(changed(whole), (std::set<std::string>{"arena_bytes", "code_bytes"}));
  EXPECT_EQ(changed(whole), changed(book("old")));
  EXPECT_EQ(run({"compare", table, book("new"), "--fail-above", "4"}).exit_status, 1);
  write_file(table, "[{\"model\": \"a.tflite\"}]");
  expect_error({"compare", table, book("new")},
               table + ": is no table of a footprint book: row 1 lacks its model, target or mode");
}

TEST_F(Zoo, BuildTakesTheModelsThatAGlobNames) {
  add_models(3);
  const ProcessResult none = build({"--models", "other*"});
  EXPECT_EQ(none.exit_status, 1);
  EXPECT_EQ(none.errors, "mote: error: " + models().string() + ": none of its 3 models is called other*\n");
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(models())) names.push_back(entry.path().stem());
  EXPECT_EQ(build({"--models", names.at(0), names.at(1), "--target", "rv32imac", "--detail", "sizes"}).output,
            summary(2, 2, 2, 0, 0));
}

TEST_F(Zoo, BadInputIsRefusedAndLeavesNoBook) {
  expect_error({"build", models().string(), "-o", book()},
               models().string() +
                   ": holds no models; .tflite and .onnx files are taken, folders in it are not "
                   "searched");
  expect_error({"build", book("nowhere"), "-o", book()},
               book("nowhere") + ": no such folder; give one with .tflite or .onnx files");
  EXPECT_FALSE(fs::exists(book()));
  add_models(1);
  expect_error({"build", models().string(), "-o", book(), "--detail", "all"},
               "--detail all: unknown; choose sizes, run or layers");
  expect_error(
      {"build", models().string(), "-o", book("no/such/book")},
      book("no/such/book") + ": unable to open database file; does its folder exist, and may you write there?");
  EXPECT_FALSE(fs::exists(book()));
  Book::open_or_create(book("old")).put(test::book_row("a.tflite", "rv32imac"));
  Database(book("old"), Database::Open::existing).execute("PRAGMA user_version = 9");
  const std::string other = book("old") + ": is a footprint book of version 9, this Mote " MOTE_VERSION
                                          " reads and writes version 1; use the Mote that wrote it, or make a new "
                                          "book with `mote zoo build` under another file name";
  for (const std::vector<std::string>& command : {std::vector<std::string>{"show", book("old")},
                                                  {"export", book("old")},
                                                  {"compare", book("old"), book("old")},
                                                  {"build", models().string(), "-o", book("old")}})
    expect_error(command, other);
  expect_error({"show", book("new"), "--licence", "MIT"},
               "--licence needs --sources FILE, a table of the models and their licences");
  EXPECT_EQ(run({"show", book("old"), "--layers", "--columns", "model"}).exit_status, 2);
}

}  // namespace
}  // namespace mote
