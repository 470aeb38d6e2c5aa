// SPDX-License-Identifier: Apache-2.0
#include "zoo/columns.hpp"

#include <array>

#include "base/error.hpp"

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
    BookColumn{"model", stored<&BookRow::model>, false, true},
    BookColumn{"target", stored<&BookRow::target>, false, true},
    BookColumn{"mode", stored<&BookRow::mode>, false, true},
    BookColumn{"model_bytes", stored<&BookRow::model_bytes>, false, false},
    BookColumn{"macs", stored<&BookRow::macs>, true, true},
    BookColumn{"instructions", stored<&BookRow::instructions>, true, true},
    BookColumn{"instructions_per_mac", per_mac, false, true},
    BookColumn{"arena_bytes", stored<&BookRow::arena_bytes>, true, true},
    BookColumn{"lower_bound_bytes", stored<&BookRow::lower_bound_bytes>, true, true},
    BookColumn{"stack_bound_bytes", stored<&BookRow::stack_bound_bytes>, true, true},
    BookColumn{"stack_peak_bytes", stored<&BookRow::stack_peak_bytes>, true, false},
    BookColumn{"library_ram_bytes", stored<&BookRow::library_ram_bytes>, true, false},
    BookColumn{"ram_bytes", ram, false, true},
    BookColumn{"weight_bytes", stored<&BookRow::weight_bytes>, true, true},
    BookColumn{"code_bytes", stored<&BookRow::code_bytes>, true, true},
    BookColumn{"flash_bytes", flash, false, true},
    BookColumn{"compile_seconds", stored<&BookRow::compile_seconds>, false, false},
    BookColumn{"measure_seconds", stored<&BookRow::measure_seconds>, false, false},
    BookColumn{"error", stored<&BookRow::error>, false, true},
    BookColumn{"detail", detail, false, false},
    BookColumn{"sha256", stored<&BookRow::sha256>, false, false},
    BookColumn{"mote", stored<&BookRow::mote>, false, false},
    BookColumn{"compiler", stored<&BookRow::compiler>, false, false},
    BookColumn{"emulator", stored<&BookRow::emulator>, false, false},
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

}  // namespace mote
