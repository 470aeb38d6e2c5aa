// SPDX-License-Identifier: Apache-2.0
#include "zoo/database.hpp"

#include "base/error.hpp"

namespace mote {

namespace {

constexpr int busy_timeout_ms = 10'000;

void check_status(sqlite3* connection, const std::string& file, int status) {
  if (status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE) return;
  const char* way_out = "";
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: way_out = "; another program uses it, wait until that ends"; break;
    case SQLITE_CANTOPEN: way_out = "; does its folder exist, and may you write there?"; break;
    case SQLITE_READONLY: way_out = "; choose a file that you may write"; break;
    case SQLITE_FULL: way_out = "; free some space and run the command again, finished rows are kept"; break;
    default: break;
  }
  fail("{}: {}{}", file, sqlite3_errmsg(connection), way_out);
}

}  // namespace

Statement::Statement(sqlite3* connection, std::string file, std::string_view sql)
    : connection_(connection), file_(std::move(file)) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(connection, sql.data(), narrow<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void Statement::check(int status) const { check_status(connection_, file_, status); }

Statement& Statement::bind(int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}

Statement& Statement::bind(double value) {
  check(sqlite3_bind_double(statement_.get(), ++bound_, value));
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  check(sqlite3_bind_text(statement_.get(), ++bound_, value.data(), narrow<int>(value.size()), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  check(status);
  return status == SQLITE_ROW;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::optional<int64_t> Statement::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<double> Statement::optional_real(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}

std::optional<std::string> Statement::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

Database::Database(const std::filesystem::path& file, Open how) : file_(file.string()) {
  require(!std::filesystem::is_directory(file), "{}: is a folder; give a footprint book a file name of its own",
          file_);
  const int flags = SQLITE_OPEN_READWRITE | (how == Open::create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* connection = nullptr;
  const int status = sqlite3_open_v2(file_.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);  // also when opening failed: it holds the message
  check_status(connection, file_, status);
  sqlite3_busy_timeout(connection, busy_timeout_ms);
}

Statement Database::prepare(std::string_view sql) const { return {connection_.get(), file_, sql}; }

int64_t Database::integer(std::string_view sql) const {
  Statement statement = prepare(sql);
  statement.step();
  return statement.integer(0);
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {  // SQLite has rolled back by itself
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace mote
