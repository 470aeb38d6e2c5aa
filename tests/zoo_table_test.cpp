// SPDX-License-Identifier: Apache-2.0
// Tables of a footprint book: exact texts of every format, filters, order, peers' figures, differences.
#include <gtest/gtest.h>

#include <cmath>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "support/book.hpp"
#include "support/shared.hpp"
#include "zoo/comma_separated.hpp"
#include "zoo/compare_books.hpp"
#include "zoo/show.hpp"

namespace mote {
namespace {

const Table sample{{"model", "code_bytes", "ratio", "unused", "error"},
                   {{std::string("a|b"), int64_t{12}, 1.0 / 3, {}, {}},
                    {std::string("c, \"d\""), {}, {}, {}, std::string("2 problems:\n  one thing\n  another")}}};

TEST(Table, Text) {
  EXPECT_EQ(render(sample, Format::text),
            "model   code B  ratio  error\n"
            "a|b         12   0.33\n"
            "c, \"d\"                 2 problems: one thing ...\n");
}

TEST(Table, OnlyTheLastColumnOfTextIsAsLongAsItIs) {
  const std::string longer(60, 'x');
  EXPECT_EQ(render({{"a", "b"}, {{longer, longer}}}, Format::text),
            "a" + std::string(51, ' ') + "b\n" + longer.substr(0, 47) + "...  " + longer + "\n");
}

TEST(Table, Markdown) {
  EXPECT_EQ(render(sample, Format::markdown),
            "| model | code B | ratio | error |\n|---|---:|---:|---|\n| a\\|b | 12 | 0.33 |  |\n"
            "| c, \"d\" |  |  | 2 problems: one thing ... |\n");
}

TEST(Table, CommaSeparatedHasEverything) {
  EXPECT_EQ(render(sample, Format::csv),
            "model,code_bytes,ratio,unused,error\na|b,12,0.3333333333333333,,\n"
            "\"c, \"\"d\"\"\",,,,\"2 problems:\n  one thing\n  another\"\n");
}

TEST(Table, JsonHasEverything) {
  const nlohmann::json json = nlohmann::json::parse(render(sample, Format::json));
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["code_bytes"], 12);
  EXPECT_TRUE(json[0]["unused"].is_null());
  EXPECT_EQ(json[1]["error"], "2 problems:\n  one thing\n  another");
}

TEST(Table, AnUnknownFormatIsRefused) {
  try {
    (void)parse_format("html");
    FAIL();
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(), "--format html: unknown; choose text, markdown, csv or json");
  }
}

TEST(CommaSeparated, ReadsQuotationsAndLineEnds) {
  const auto rows = read_comma_separated("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\"\",2", "f.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("b"), "x, \"y\"\nz");
  EXPECT_EQ(rows[1].at("a"), "");
  EXPECT_EQ(rows[1].at("b"), "2");
}

TEST(CommaSeparated, RefusesWhatIsNot) {
  for (const auto& [text, message] : {std::pair{"a,b\n1\n", "f.csv: row 1 has 1 fields, the heading has 2"},
                                      std::pair{"a,b\n1,\"2\n", "f.csv: a quotation does not end"}}) {
    try {
      (void)read_comma_separated(text, "f.csv");
      FAIL() << text;
    } catch (const Error& problem) {
      EXPECT_STREQ(problem.what(), message);
    }
  }
}

std::vector<BookRow> three_rows() {
  std::vector<BookRow> rows{test::book_row("alpha.tflite", "rv32imac"), test::book_row("beta.tflite", "rv32imac"),
                            test::book_row("beta.tflite", "cortex-m4f")};
  rows[0].arena_bytes = 50;
  rows[1].arena_bytes = std::nullopt;
  rows[1].error = "broken";
  return rows;
}

std::vector<std::string> names(const std::vector<BookRow>& rows) {
  std::vector<std::string> result;
  for (const BookRow& row : rows) result.push_back(row.model.substr(0, 1) + " " + row.target);
  return result;
}

using Names = std::vector<std::string>;

TEST(BookTable, Filters) {
  const auto with = [](const RowFilter& filter) { return names(chosen(three_rows(), filter, {})); };
  EXPECT_EQ(with({}), (Names{"a rv32imac", "b rv32imac", "b cortex-m4f"}));
  EXPECT_EQ(with({.models = {"bet?"}}), (Names{"b rv32imac", "b cortex-m4f"}));
  EXPECT_EQ(with({.models = {"alpha.tflite"}}), (Names{"a rv32imac"}));
  EXPECT_EQ(with({.targets = {"cortex-m4f"}}), (Names{"b cortex-m4f"}));
  EXPECT_EQ(with({.errors_only = true}), (Names{"b rv32imac"}));
  try {
    (void)with({.targets = {"lx106"}});
    FAIL();
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(), "the book has no target 'lx106'; it has: cortex-m4f, rv32imac");
  }
}

TEST(BookTable, SortsWithUnknownLast) {
  std::vector<BookRow> rows = three_rows();
  sort_rows(rows, "-arena_bytes");
  EXPECT_EQ(names(rows), (Names{"b cortex-m4f", "a rv32imac", "b rv32imac"}));
  sort_rows(rows, "arena_bytes");
  EXPECT_EQ(names(rows), (Names{"a rv32imac", "b cortex-m4f", "b rv32imac"}));
}

// RAM is arena, stack bound and library variables; flash is weights and code.
TEST(BookTable, SumsWhatTheDeviceNeeds) {
  const Table table =
      book_table({test::book_row("a.tflite", "rv32imac")},
                 {.columns = {"ram_bytes", "flash_bytes", "instructions_per_mac"}, .peers = {}}, {});
  EXPECT_EQ(table.rows[0], (std::vector<Cell>{int64_t{1000 + 200 + 4}, int64_t{3000 + 2000}, 4.5}));
}

TEST(BookTable, AnUnknownColumnIsRefusedWithTheList) {
  try {
    (void)book_table({}, {.columns = {"size"}, .peers = {}}, {});
    FAIL();
  } catch (const Error& problem) {
    EXPECT_TRUE(std::string(problem.what()).starts_with("there is no column 'size'; known: model, target, mode, "))
        << problem.what();
  }
}

TEST(BookTable, LayersHaveTheirKernels) {
  EXPECT_EQ(render(layer_table({test::book_row("a.tflite", "rv32imac")}), Format::csv),
            "model,target,mode,position,name,op,kernel,macs,instructions,code_bytes\n"
            "a.tflite,rv32imac,speed,0,CONV_2D #0 (a),conv2d,conv2d_s8,100,440,1500\n"
            "a.tflite,rv32imac,speed,1,RESHAPE #1 (b),reshape,,0,,\n");
}

class Peers : public testing::Test {
 protected:
  std::string file(const std::string& name, std::string_view text) const {
    write_file(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  TemporaryDirectory folder_;
};

using Figures = std::map<std::string, double>;

TEST_F(Peers, TheBestOfEachFigureForModelAndTarget) {
  const Peer peer = read_peer(file("other.json", R"json([
    {"model": "a", "target": "rv32imac (qemu virt)", "code_bytes": 900, "instructions": 50},
    {"model": "a", "target": "rv32imac", "code_bytes": 800, "instructions": 60, "arena_bytes": null},
    {"model": "a", "target": "cortex-m3", "code_bytes": 1},
    {"model": "b", "target": "rv32imac", "code_bytes": 2}])json"));
  EXPECT_EQ(peer.name, "other");
  EXPECT_EQ(best_figures(peer, test::book_row("a.tflite", "rv32imac"), {}),
            (Figures{{"code_bytes", 800}, {"instructions", 50}}));
  EXPECT_EQ(best_figures(peer, test::book_row("ab.tflite", "rv32imac"), {}), Figures{});
}

TEST_F(Peers, ContentDecidesWhereItIsGiven) {
  const Peer peer = read_peer(file("other.json", R"json([
    {"model": "z", "sha256": "ba7816bf8f01", "target": "rv32imac", "code_bytes": 1},
    {"model": "a", "sha256": "ffffffffffff", "target": "rv32imac", "flash_bytes": 2}])json"));
  EXPECT_EQ(best_figures(peer, test::book_row("a.tflite", "rv32imac"), {}), (Figures{{"code_bytes", 1}}));
}

TEST_F(Peers, SourcesTieNamesPathsAndContents) {
  const ModelSources sources(file("SOURCES.md",
                                  "# Models\n\n| name | bytes | sha256[:16] | repo:path | licence (as visible) |\n"
                                  "|---|---|---|---|---|\n"
                                  "| a | 1 | ba7816bf8f01cfea | x/y:zoo/a_int8.tflite | repo MIT |\n"
                                  "| twin | 1 | ba7816bf8f01cfea | z:twin.tflite | secret |\n"));
  const BookRow row = test::book_row("a.tflite", "cortex-m4f");
  const Peer by_twin =
      read_peer(file("one.json", R"json([{"model": "twin", "target": "cortex-m4f", "code_bytes": 1}])json"));
  EXPECT_EQ(best_figures(by_twin, row, sources), (Figures{{"code_bytes", 1}}));
  const Peer by_path = read_peer(file("two.csv",
                                      "model_file,activation_ram_kib,code_flash_kib\n"
                                      "zoo/a_int8.tflite,1.5,2\nelse/a_int8.tflite,0.5,1\n"));
  EXPECT_EQ(best_figures(by_path, row, sources), (Figures{{"arena_bytes", 1536}, {"code_bytes", 2048}}));
  EXPECT_EQ(best_figures(by_path, test::book_row("a.tflite", "rv32imac"), sources), Figures{});
  EXPECT_EQ(chosen({row}, {.licences = {"repo MIT*"}}, sources).size(), 1U);
  EXPECT_EQ(chosen({row}, {.licences = {"secret"}}, sources).size(), 0U) << "the name decides between twins";
  EXPECT_EQ(chosen({test::book_row("c.tflite", "host")}, {.licences = {"repo*"}}, sources).size(), 1U)
      << "another name, the same content";
}

TEST_F(Peers, StandRightOfTheBooksOwnFigure) {
  const Peer peer =
      read_peer(file("iree.json", R"json([{"model": "a", "target": "rv32imac", "flash_bytes": 119000}])json"));
  const Table table = book_table({test::book_row("a.tflite", "rv32imac"), test::book_row("b.tflite", "rv32imac")},
                                 {.columns = {"model", "flash_bytes", "code_bytes"}, .peers = {peer}}, {});
  EXPECT_EQ(render(table, Format::text),
            "model     flash B  iree flash B  code B\n"
            "a.tflite     5000        119000    2000\n"
            "b.tflite     5000                  2000\n");
}

TEST_F(Peers, RowsWithoutPeersCanBeLeftOut) {
  const Peer peer =
      read_peer(file("x.json", R"json([{"model": "b", "target": "rv32imac", "code_bytes": 1}])json"));
  const Table table = book_table({test::book_row("a.tflite", "rv32imac"), test::book_row("b.tflite", "rv32imac")},
                                 {.columns = {"model"}, .peers = {peer}, .peers_only = true}, {});
  EXPECT_EQ(table.rows, (std::vector<std::vector<Cell>>{{std::string("b.tflite")}}));
}

TEST_F(Peers, OtherFilesAreRefused) {
  for (const auto& [name, text, message] :
       {std::tuple{"x.json", "{}", ": is not a JSON array of objects with model, target and figures"},
        std::tuple{"x.json", "[1]", ": row 0 is not a JSON object"},
        std::tuple{"x.csv", "model,target\na,b\n",
                   ": has no figures; a row needs model, target and one of instructions, arena_bytes, code_bytes, "
                   "weight_bytes, flash_bytes, ram_bytes, or the columns of ST's model zoo"}}) {
    const std::string path = file(name, text);
    try {
      (void)read_peer(path);
      FAIL() << text;
    } catch (const Error& problem) {
      EXPECT_EQ(problem.what(), path + message);
    }
  }
  const std::string path = file("SOURCES.md", "no table here\n");
  try {
    (void)ModelSources(path);
    FAIL();
  } catch (const Error& problem) {
    EXPECT_EQ(problem.what(),
              path + ": has no markdown table with the columns name, sha256, repo:path and licence");
  }
}

TEST(PeersOfTheProject, AreRead) {
  const Peer iree = read_peer(std::filesystem::path(MOTE_SOURCE_DIR) / "docs/peers/iree.json");
  EXPECT_EQ(best_figures(iree, test::book_row("st_mnist.tflite", "rv32imac"), {}).at("flash_bytes"), 119000);
}

// The figures that the peers' own summaries print for these models.
TEST(PeersOfTheReference, AreReadAndTied) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const ModelSources sources(shared / "models/SOURCES.md");
  const Peer tflm = read_peer(shared / "reference/tflm.json");
  const Figures speech = best_figures(tflm, test::book_row("micro_speech.tflite", "rv32imac"), sources);
  EXPECT_EQ(speech.at("code_bytes"), 41417);
  EXPECT_EQ(speech.at("arena_bytes"), 6812);
  const Peer esp_nn = read_peer(shared / "reference/espnn_cmsis.json");
  const Figures resnet = best_figures(esp_nn, test::book_row("resnet_int8.tflite", "cortex-m33"), sources);
  EXPECT_NEAR(resnet.at("instructions_per_mac"), 2.40, 0.005);
  const Peer st = read_peer(shared / "reference/st_reference.csv");
  BookRow mnist = test::book_row("st_mnist.tflite", "cortex-m7");
  mnist.sha256 = "ab692fae141d25b0";
  EXPECT_EQ(best_figures(st, mnist, sources).at("arena_bytes"), std::round(14.12 * 1024));
}

TEST(Compare, FindsAPlantedRegression) {
  const std::vector<BookRow> before = three_rows();
  std::vector<BookRow> after = before;
  after[0].code_bytes = 2100;  // 5 % more
  after[0].stack_bound_bytes = 100;
  after[2].compile_seconds = 9;  // seconds are not compared
  const std::vector<BookChange> changes = compare_books(before, after);
  EXPECT_EQ(render(changes_table(changes, 4.9), Format::csv),
            "model,target,mode,what,old,new,change,percent,regressed\n"
            "alpha.tflite,rv32imac,speed,code_bytes,2000,2100,100,5,yes\n"
            "alpha.tflite,rv32imac,speed,stack_bound_bytes,200,100,-100,-50,\n");
  EXPECT_FALSE(changes[0].regressed(5));
}

TEST(Compare, SaysWhatCannotBeJudged) {
  std::vector<BookRow> before = three_rows(), after = before;
  after[0].error = "now it fails";
  after[0].code_bytes = std::nullopt;
  after[1].error = std::nullopt;
  after[2].sha256 = "another";
  after[2].code_bytes = 9000;
  before.push_back(test::book_row("gone.tflite", "host"));
  after.push_back(test::book_row("new.tflite", "host"));
  EXPECT_EQ(render(changes_table(compare_books(before, after), 0), Format::csv),
            "model,target,mode,what,old,new,change,percent,regressed\n"
            "alpha.tflite,rv32imac,speed,error,,now it fails,,,yes\n"
            "beta.tflite,cortex-m4f,speed,code_bytes,2000,9000,7000,350,\n"
            "beta.tflite,cortex-m4f,speed,model content," +
                before[2].sha256 +
                ",another,,,\n"
                "beta.tflite,rv32imac,speed,error,broken,,,,\n"
                "gone.tflite,host,speed,row,only in the old book,,,,\n"
                "new.tflite,host,speed,row,,only in the new book,,,\n");
}

TEST(Compare, GrowthFromNothingIsARegression) {
  std::vector<BookRow> before = three_rows(), after = before;
  before[0].library_ram_bytes = 0;
  const std::vector<BookChange> changes = compare_books(before, after);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].percent(), std::nullopt);
  EXPECT_TRUE(changes[0].regressed(1e9));
}

}  // namespace
}  // namespace mote
