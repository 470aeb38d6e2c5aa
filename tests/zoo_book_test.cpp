// SPDX-License-Identifier: Apache-2.0
// The footprint book as a file: what is written is read, rows replace each other, other files are refused.
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "support/book.hpp"
#include "zoo/content_hash.hpp"

namespace mote {
namespace {

class BookFile : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // The text of the Error that opening the file gives.
  std::string refusal(const std::string& file) const {
    try {
      (void)Book::open(file);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "opened";
  }

  TemporaryDirectory folder_;
};

TEST_F(BookFile, GivesBackWhatWasPut) {
  const BookRow row = test::book_row("a.tflite", "rv32imac");
  Book::open_or_create(path("book")).put(row);
  const std::vector<BookRow> rows = Book::open(path("book")).rows(true);
  ASSERT_EQ(rows.size(), 1U);
  const BookRow& read = rows[0];
  EXPECT_EQ(std::tie(read.model, read.target, read.mode, read.sha256, read.mote, read.compiler, read.emulator),
            std::tie(row.model, row.target, row.mode, row.sha256, row.mote, row.compiler, row.emulator));
  EXPECT_EQ(read.detail, row.detail);
  EXPECT_EQ(std::tie(read.model_bytes, read.macs, read.arena_bytes, read.lower_bound_bytes, read.weight_bytes),
            std::tie(row.model_bytes, row.macs, row.arena_bytes, row.lower_bound_bytes, row.weight_bytes));
  EXPECT_EQ(std::tie(read.code_bytes, read.stack_bound_bytes, read.library_ram_bytes, read.stack_peak_bytes),
            std::tie(row.code_bytes, row.stack_bound_bytes, row.library_ram_bytes, row.stack_peak_bytes));
  EXPECT_EQ(std::tie(read.instructions, read.compile_seconds, read.measure_seconds, read.error),
            std::tie(row.instructions, row.compile_seconds, row.measure_seconds, row.error));
  ASSERT_EQ(read.layers.size(), 2U);
  EXPECT_EQ(read.layers[0].kernel, "conv2d_s8");
  EXPECT_EQ(read.layers[0].instructions, 440);
  EXPECT_EQ(read.layers[1].name, "RESHAPE #1 (b)");
  EXPECT_EQ(read.layers[1].code_bytes, std::nullopt);
}

TEST_F(BookFile, KeepsUnknownFiguresUnknown) {
  BookRow row;
  row.model = "broken.tflite", row.target = "host", row.mode = "size", row.error = "not a model";
  Book::open_or_create(path("book")).put(row);
  const BookRow read = Book::open(path("book")).rows(false).at(0);
  EXPECT_EQ(read.error, "not a model");
  EXPECT_EQ(read.macs, std::nullopt);
  EXPECT_EQ(read.compile_seconds, std::nullopt);
}

TEST_F(BookFile, ARowReplacesTheOneOfTheSameModelTargetAndMode) {
  Book book = Book::open_or_create(path("book"));
  BookRow row = test::book_row("a.tflite", "rv32imac");
  book.put(row);
  book.put(test::book_row("a.tflite", "cortex-m4f"));
  row.code_bytes = 77;
  row.layers.pop_back();
  book.put(row);
  const std::vector<BookRow> rows = book.rows(true);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].target, "cortex-m4f");
  EXPECT_EQ(rows[1].code_bytes, 77);
  EXPECT_EQ(rows[1].layers.size(), 1U);
  const Database database(path("book"), Database::Open::existing);
  EXPECT_EQ(database.integer("SELECT count(*) FROM layers"), 3) << "layers of replaced rows must go";
}

TEST_F(BookFile, IsOneFile) {
  Book book = Book::open_or_create(path("book"));
  book.put(test::book_row("a.tflite", "rv32imac"));
  const auto begin = std::filesystem::directory_iterator(folder_.path());
  EXPECT_EQ(std::distance(begin, std::filesystem::directory_iterator()), 1);
}

TEST_F(BookFile, AnUnfinishedRowLeavesNothing) {
  Book::open_or_create(path("book")).put(test::book_row("a.tflite", "rv32imac"));
  {
    Database database(path("book"), Database::Open::existing);
    const Transaction transaction(database);
    database.execute("DELETE FROM rows");
  }
  EXPECT_EQ(Book::open(path("book")).rows(false).size(), 1U);
}

TEST_F(BookFile, RefusesABookOfAnotherVersion) {
  (void)Book::open_or_create(path("book"));
  Database(path("book"), Database::Open::existing).execute("PRAGMA user_version = 7");
  EXPECT_EQ(refusal(path("book")),
            path("book") +
                ": is a footprint book of version 7, this Mote " MOTE_VERSION
                " reads and writes version 1; use the Mote that wrote it, or make a new book with `mote "
                "zoo build` under another file name");
  EXPECT_THROW((void)Book::open_or_create(path("book")), Error);
}

TEST_F(BookFile, RefusesOtherFiles) {
  EXPECT_EQ(refusal(path("none")), path("none") + ": no such file; `mote zoo build` makes a footprint book");
  const std::string text = ": is not a footprint book; `mote zoo build` makes one, give it a new file name";
  write_file(path("text"), std::string_view("a text of some length, but no database"));
  EXPECT_EQ(refusal(path("text")), path("text") + text);
  EXPECT_THROW((void)Book::open_or_create(path("text")), Error);
  EXPECT_EQ(read_text(path("text")), "a text of some length, but no database") << "it must stay as it was";
  Database(path("other"), Database::Open::create).execute("CREATE TABLE addresses (name TEXT)");
  EXPECT_EQ(refusal(path("other")), path("other") + text);
}

// FIPS 180-4's own examples.
TEST(ContentHash, IsSha256) {
  const std::string_view abc = "abc";
  EXPECT_EQ(sha256(std::as_bytes(std::span(abc))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(ContentHash, TheBuildIsThatOfTheRunningProgram) {
  const std::string hash = sha256(read_file("/proc/self/exe"));
  EXPECT_EQ(mote_build(), MOTE_VERSION " (build " + hash.substr(0, 12) + ")");
}

}  // namespace
}  // namespace mote
