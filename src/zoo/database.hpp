// SPDX-License-Identifier: Apache-2.0
// SQLite with C++ lifetimes: a connection, prepared statements, transactions; every failure is an Error that names
// the file.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mote {

// Binds from 1 upwards, reads columns from 0 upwards. Lives no longer than its Database.
class Statement {
 public:
  Statement(sqlite3* connection, std::string file, std::string_view sql);

  Statement& bind(int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);
  template <class T>
  Statement& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }
  Statement& bind_null();

  // The next row; false after the last.
  bool step();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<int64_t> optional_integer(int column) const;
  [[nodiscard]] std::optional<double> optional_real(int column) const;
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void check(int status) const;

  sqlite3* connection_;
  std::string file_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

class Database {
 public:
  enum class Open { existing, create };
  Database(const std::filesystem::path& file, Open how);

  void execute(std::string_view sql) { prepare(sql).step(); }
  [[nodiscard]] Statement prepare(std::string_view sql) const;
  [[nodiscard]] int64_t integer(std::string_view sql) const;  // the first column of the first row
  [[nodiscard]] int64_t last_row_id() const { return sqlite3_last_insert_rowid(connection_.get()); }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  std::string file_;
  std::unique_ptr<sqlite3, Close> connection_;
};

// Everything between construction and commit() happens, or nothing of it.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace mote
