// SPDX-License-Identifier: Apache-2.0
#include "zoo/book.hpp"

#include <array>
#include <fstream>

#include "base/error.hpp"

namespace mote {

namespace {

constexpr int64_t application_id = 0x4d6f7465;  // "Mote": tells a book from other SQLite files

// WAL would leave two more files beside the book; a rollback journal is gone after each transaction.
constexpr const char* row_table = R"(CREATE TABLE rows (
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, target TEXT NOT NULL, mode TEXT NOT NULL,
  sha256 TEXT NOT NULL, mote TEXT NOT NULL, compiler TEXT NOT NULL, emulator TEXT NOT NULL,
  detail INTEGER NOT NULL,
  model_bytes INTEGER, macs INTEGER, arena_bytes INTEGER, lower_bound_bytes INTEGER, weight_bytes INTEGER,
  code_bytes INTEGER, stack_bound_bytes INTEGER, library_ram_bytes INTEGER, stack_peak_bytes INTEGER,
  instructions INTEGER, compile_seconds REAL, measure_seconds REAL, error TEXT,
  UNIQUE (model, target, mode)))";

constexpr const char* layer_table = R"(CREATE TABLE layers (
  row INTEGER NOT NULL REFERENCES rows (id) ON DELETE CASCADE, position INTEGER NOT NULL,
  name TEXT NOT NULL, op TEXT NOT NULL, kernel TEXT NOT NULL, macs INTEGER NOT NULL, instructions INTEGER,
  code_bytes INTEGER, PRIMARY KEY (row, position)) WITHOUT ROWID)";

constexpr const char* row_columns =
    "model, target, mode, sha256, mote, compiler, emulator, detail, model_bytes, macs, arena_bytes, "
    "lower_bound_bytes, weight_bytes, code_bytes, stack_bound_bytes, library_ram_bytes, stack_peak_bytes, "
    "instructions, compile_seconds, measure_seconds, error";

void create_tables(Database& database) {
  Transaction transaction(database);
  database.execute(fmt::format("PRAGMA application_id = {}", application_id));
  database.execute(fmt::format("PRAGMA user_version = {}", Book::version));
  database.execute(row_table);
  database.execute(layer_table);
  transaction.commit();
}

bool is_sqlite(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string start(15, ' ');
  return stream.read(start.data(), 15) && start == "SQLite format 3";
}

void require_book(const Database& database) {
  require(is_sqlite(database.file()) && database.integer("PRAGMA application_id") == application_id,
          "{}: is not a footprint book; `mote zoo build` makes one, give it a new file name", database.file());
  const int64_t found = database.integer("PRAGMA user_version");
  require(
      found == Book::version,
      "{}: is a footprint book of version {}, this Mote {} reads and writes version {}; use the Mote that wrote "
      "it, or make a new book with `mote zoo build` under another file name",
      database.file(), found, MOTE_VERSION, Book::version);
}

// The columns in their order; `Row` is BookRow, const or not.
template <class Row>
auto texts_of(Row& row) {
  return std::array{&row.model, &row.target, &row.mode, &row.sha256, &row.mote, &row.compiler, &row.emulator};
}

template <class Row>
auto integers_of(Row& row) {
  return std::array{&row.model_bytes,      &row.macs,        &row.arena_bytes,       &row.lower_bound_bytes,
                    &row.weight_bytes,     &row.code_bytes,  &row.stack_bound_bytes, &row.library_ram_bytes,
                    &row.stack_peak_bytes, &row.instructions};
}

BookRow read_row(const Statement& columns) {
  int at = 1;
  BookRow row;
  for (std::string* const text : texts_of(row)) *text = columns.text(at++);
  row.detail = static_cast<Detail>(columns.integer(at++));
  for (std::optional<int64_t>* const figure : integers_of(row)) *figure = columns.optional_integer(at++);
  row.compile_seconds = columns.optional_real(at++);
  row.measure_seconds = columns.optional_real(at++);
  row.error = columns.optional_text(at++);
  return row;
}

void write_row(const Database& database, const BookRow& row) {
  Statement insert = database.prepare(
      fmt::format("INSERT INTO rows ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", row_columns));
  for (const std::string* const text : texts_of(row)) insert.bind(std::string_view(*text));
  insert.bind(static_cast<int64_t>(row.detail));
  for (const std::optional<int64_t>* const figure : integers_of(row)) insert.bind(*figure);
  insert.bind(row.compile_seconds).bind(row.measure_seconds);
  if (row.error) {
    insert.bind(std::string_view(*row.error));
  } else {
    insert.bind_null();
  }
  insert.step();
}

void write_layers(const Database& database, int64_t row_id, const std::vector<BookLayer>& layers) {
  int64_t position = 0;
  for (const BookLayer& layer : layers) {
    database.prepare("INSERT INTO layers VALUES (?,?,?,?,?,?,?,?)")
        .bind(row_id)
        .bind(position++)
        .bind(std::string_view(layer.name))
        .bind(std::string_view(layer.op))
        .bind(std::string_view(layer.kernel))
        .bind(layer.macs)
        .bind(layer.instructions)
        .bind(layer.code_bytes)
        .step();
  }
}

std::vector<BookLayer> read_layers(const Database& database, int64_t row_id) {
  Statement select = database.prepare(
      "SELECT name, op, kernel, macs, instructions, code_bytes FROM layers WHERE row = ? ORDER BY position");
  select.bind(row_id);
  std::vector<BookLayer> layers;
  while (select.step()) {
    layers.push_back({select.text(0), select.text(1), select.text(2), select.integer(3),
                      select.optional_integer(4), select.optional_integer(5)});
  }
  return layers;
}

}  // namespace

Book::Book(Database database) : database_(std::move(database)) {
  require_book(database_);
  database_.execute("PRAGMA foreign_keys = ON");
}

Book Book::open_or_create(const std::filesystem::path& file) {
  const bool fresh = !std::filesystem::exists(file) || std::filesystem::is_empty(file);
  Database database(file, Database::Open::create);
  if (fresh) create_tables(database);
  return Book(std::move(database));
}

Book Book::open(const std::filesystem::path& file) {
  require(std::filesystem::exists(file), "{}: no such file; `mote zoo build` makes a footprint book",
          file.string());
  return Book(Database(file, Database::Open::existing));
}

std::vector<BookRow> Book::rows(bool with_layers) const {
  Statement select =
      database_.prepare(fmt::format("SELECT id, {} FROM rows ORDER BY model, target, mode", row_columns));
  std::vector<BookRow> rows;
  while (select.step()) {
    rows.push_back(read_row(select));
    if (with_layers) rows.back().layers = read_layers(database_, select.integer(0));
  }
  return rows;
}

void Book::put(const BookRow& row) {
  Transaction transaction(database_);
  database_.prepare("DELETE FROM rows WHERE model = ? AND target = ? AND mode = ?")
      .bind(std::string_view(row.model))
      .bind(std::string_view(row.target))
      .bind(std::string_view(row.mode))
      .step();
  write_row(database_, row);
  write_layers(database_, database_.last_row_id(), row.layers);
  transaction.commit();
}

}  // namespace mote
