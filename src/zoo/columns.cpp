// SPDX-License-Identifier: Apache-2.0
#include "zoo/columns.hpp"

#include <array>
#include <type_traits>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mote {

namespace {

template <auto member>
Cell stored(const BookRow& row) {
  const auto& value = row.*member;
  if constexpr (requires { value.has_value(); }) {
    return value ? Cell(*value) : Cell();
  } else {
    return value.empty() ? Cell() : Cell(value);
  }
}

template <auto member>
void loaded(BookRow& row, const nlohmann::json& value) {
  auto& target = row.*member;
  if constexpr (requires { target.has_value(); }) {
    target = value.get<typename std::remove_cvref_t<decltype(target)>::value_type>();
  } else {
    target = value.get<std::remove_cvref_t<decltype(target)>>();
  }
}

Cell detail(const BookRow& row) {
  switch (row.detail) {
    case Detail::sizes: return std::string("sizes");
    case Detail::run: return std::string("run");
    case Detail::layers: return std::string("layers");
  }
  fail("unknown detail {}", static_cast<int>(row.detail));
}

Cell per_mac(const BookRow& row) {
  if (!row.instructions || row.macs.value_or(0) == 0) return {};
  return static_cast<double>(*row.instructions) / static_cast<double>(*row.macs);
}

// What the model needs of the device: in RAM nothing but arena, stack and what library routines keep.
Cell ram(const BookRow& row) {
  if (!row.arena_bytes || !row.stack_bound_bytes) return {};
  return *row.arena_bytes + *row.stack_bound_bytes + row.library_ram_bytes.value_or(0);
}

Cell flash(const BookRow& row) {
  if (!row.weight_bytes || !row.code_bytes) return {};
  return *row.weight_bytes + *row.code_bytes;
}

constexpr std::array columns{
    BookColumn{"model", stored<&BookRow::model>, loaded<&BookRow::model>, false, true},
    BookColumn{"target", stored<&BookRow::target>, loaded<&BookRow::target>, false, true},
    BookColumn{"mode", stored<&BookRow::mode>, loaded<&BookRow::mode>, false, true},
    BookColumn{"model_bytes", stored<&BookRow::model_bytes>, loaded<&BookRow::model_bytes>, false, false},
    BookColumn{"macs", stored<&BookRow::macs>, loaded<&BookRow::macs>, true, true},
    BookColumn{"instructions", stored<&BookRow::instructions>, loaded<&BookRow::instructions>, true, true},
    BookColumn{"instructions_per_mac", per_mac, nullptr, false, true},
    BookColumn{"arena_bytes", stored<&BookRow::arena_bytes>, loaded<&BookRow::arena_bytes>, true, true},
    BookColumn{"lower_bound_bytes", stored<&BookRow::lower_bound_bytes>, loaded<&BookRow::lower_bound_bytes>, true,
               true},
    BookColumn{"stack_bound_bytes", stored<&BookRow::stack_bound_bytes>, loaded<&BookRow::stack_bound_bytes>, true,
               true},
    BookColumn{"stack_peak_bytes", stored<&BookRow::stack_peak_bytes>, loaded<&BookRow::stack_peak_bytes>, true,
               false},
    BookColumn{"library_ram_bytes", stored<&BookRow::library_ram_bytes>, loaded<&BookRow::library_ram_bytes>, true,
               false},
    BookColumn{"ram_bytes", ram, nullptr, false, true},
    BookColumn{"weight_bytes", stored<&BookRow::weight_bytes>, loaded<&BookRow::weight_bytes>, true, true},
    BookColumn{"code_bytes", stored<&BookRow::code_bytes>, loaded<&BookRow::code_bytes>, true, true},
    BookColumn{"flash_bytes", flash, nullptr, false, true},
    BookColumn{"compile_seconds", stored<&BookRow::compile_seconds>, loaded<&BookRow::compile_seconds>, false,
               false},
    BookColumn{"measure_seconds", stored<&BookRow::measure_seconds>, loaded<&BookRow::measure_seconds>, false,
               false},
    BookColumn{"error", stored<&BookRow::error>, loaded<&BookRow::error>, false, true},
    BookColumn{"detail", detail, nullptr, false, false},
    BookColumn{"sha256", stored<&BookRow::sha256>, loaded<&BookRow::sha256>, false, false},
    BookColumn{"mote", stored<&BookRow::mote>, loaded<&BookRow::mote>, false, false},
    BookColumn{"compiler", stored<&BookRow::compiler>, loaded<&BookRow::compiler>, false, false},
    BookColumn{"emulator", stored<&BookRow::emulator>, loaded<&BookRow::emulator>, false, false},
};

}  // namespace

std::span<const BookColumn> book_columns() { return columns; }

const BookColumn& find_column(std::string_view name) {
  std::string known;
  for (const BookColumn& column : columns) {
    if (column.name == name) return column;
    known += (known.empty() ? "" : ", ") + std::string(column.name);
  }
  fail("there is no column '{}'; known: {}", name, known);
}

std::vector<BookRow> read_rows(const std::filesystem::path& file) {
  const Bytes bytes = read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with('[')) return Book::open(file).rows(false);
  std::vector<BookRow> rows;
  try {
    for (const nlohmann::json& object : nlohmann::json::parse(text)) {
      BookRow& row = rows.emplace_back();
      for (const BookColumn& column : columns) {
        const auto found = object.find(column.name);
        if (column.load != nullptr && found != object.end() && !found->is_null()) column.load(row, *found);
      }
      require(!row.model.empty() && !row.target.empty() && !row.mode.empty(),
              "row {} lacks its model, target or mode", rows.size());
    }
  } catch (const std::exception& problem) {
    fail("{}: is no table of a footprint book: {}", file.string(), problem.what());
  }
  return rows;
}

}  // namespace mote
