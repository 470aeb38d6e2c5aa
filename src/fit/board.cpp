// SPDX-License-Identifier: Apache-2.0
#include "fit/board.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/nearest.hpp"
#include "target/find.hpp"

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

// One JSON object of a board file, with the path by which errors name its fields: "memory[1].bytes".
class Fields {
 public:
  Fields(const Json& json, std::string file, std::string path)
      : json_(json), file_(std::move(file)), path_(std::move(path)) {
    require(json_.is_object(), "{}: {} is no object", file_, path_.empty() ? "the file" : path_);
  }

  std::string text(const char* field, bool needed = true) {
    const Json* const value = find(field, needed);
    if (value == nullptr) return {};
    require(value->is_string(), "{}: {} is no text", file_, place(field));
    require(!needed || !value->get<std::string>().empty(), "{}: {} is empty", file_, place(field));
    return value->get<std::string>();
  }

  int64_t count(const char* field, int64_t least) {
    const Json* const value = find(field, true);
    const bool whole = value->is_number_integer() &&
                       (!value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t{1} << 53);
    require(whole && value->get<int64_t>() >= least, "{}: {} is no whole number of at least {}", file_,
            place(field), least);
    return value->get<int64_t>();
  }

  double real(const char* field, double most) {
    const Json* const value = find(field, true);
    require(value->is_number() && value->get<double>() > 0 && value->get<double>() <= most,
            "{}: {} is no number above 0 and up to {}", file_, place(field), most);
    return value->get<double>();
  }

  bool flag(const char* field) {
    const Json* const value = find(field, false);
    require(value == nullptr || value->is_boolean(), "{}: {} is neither true nor false", file_, place(field));
    return value != nullptr && value->get<bool>();
  }

  const Json& value(const char* field) { return *find(field, true); }
  std::string place(const std::string& field) const { return path_.empty() ? field : path_ + "." + field; }

  // A field that nobody asked for is a mistake in writing: better said than ignored.
  void no_others() const {
    for (const auto& [key, value] : json_.items()) {
      require(known_.count(key) != 0, "{}: {} is no field of a board file; known here: {}", file_, place(key),
              fmt::join(known_, ", "));
    }
  }

 private:
  const Json* find(const char* field, bool needed) {
    known_.insert(field);
    const auto found = json_.find(field);
    require(found != json_.end() || !needed, "{}: {} is missing", file_, place(field));
    return found == json_.end() ? nullptr : &*found;
  }

  const Json& json_;
  std::string file_, path_;
  std::set<std::string> known_;
};

MemoryKind parse_kind(const std::string& text, const std::string& file, const std::string& place) {
  for (const MemoryKind kind : {MemoryKind::flash, MemoryKind::ram, MemoryKind::external_ram}) {
    if (name(kind) == text) return kind;
  }
  fail("{}: {} is '{}'; it can be flash, ram or external_ram", file, place, text);
}

BoardMemory parse_memory(const Json& json, const std::string& file, size_t index) {
  Fields fields(json, file, fmt::format("memory[{}]", index));
  BoardMemory memory;
  memory.name = fields.text("name");
  memory.kind = parse_kind(fields.text("kind"), file, fields.place("kind"));
  memory.bytes = fields.count("bytes", 1);
  memory.speed = fields.real("speed", 1);
  memory.optional = fields.flag("optional");
  memory.note = fields.text("note", false);
  fields.no_others();
  require(!memory.optional || memory.kind == MemoryKind::external_ram,
          "{}: {} is set, but only an external_ram can be optional", file, fields.place("optional"));
  return memory;
}

void check_board(const Board& board, const std::string& file) {
  const auto has = [&](MemoryKind kind) {
    return std::any_of(board.memory.begin(), board.memory.end(),
                       [kind](const BoardMemory& memory) { return memory.kind == kind; });
  };
  require(has(MemoryKind::flash) && has(MemoryKind::ram), "{}: memory needs an entry of kind flash and one of ram",
          file);
  std::set<std::string> figures{"clock_hz", "cycles_per_instruction", "reserved"};
  for (const BoardMemory& memory : board.memory) {
    require(figures.insert(memory.name).second, "{}: memory has the name '{}' twice", file, memory.name);
  }
  for (const std::string& figure : figures) {
    require(board.sources.count(figure) != 0 && !board.sources.at(figure).empty(),
            "{}: sources.{} is missing: say where the figure comes from, or that it is an assumption", file,
            figure);
  }
  for (const auto& [figure, source] : board.sources) {
    require(figures.count(figure) != 0, "{}: sources.{} is the source of nothing in the file", file, figure);
  }
}

}  // namespace

std::string_view name(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::flash: return "flash";
    case MemoryKind::ram: return "ram";
    case MemoryKind::external_ram: return "external_ram";
  }
  fail("unknown kind of memory {}", static_cast<int>(kind));
}

Board parse_board(std::string_view text, std::string_view path) {
  const std::string file(path);
  const Json json = Json::parse(text, nullptr, false);
  require(!json.is_discarded(), "{}: is no JSON; boards/esp32-c3.json is an example", file);
  Fields fields(json, file, "");
  Board board;
  board.name = fields.text("name");
  board.description = fields.text("description");
  board.target = fields.text("target");
  board.target_note = fields.text("target_note", false);
  board.clock_hz = fields.count("clock_hz", 1);
  board.cycles_per_instruction = fields.real("cycles_per_instruction", 100);
  Fields reserved(fields.value("reserved"), file, "reserved");
  board.reserved_ram_bytes = reserved.count("ram_bytes", 0);
  board.reserved_flash_bytes = reserved.count("flash_bytes", 0);
  reserved.no_others();
  const Json& memory = fields.value("memory");
  require(memory.is_array(), "{}: memory is no list", file);
  for (const Json& entry : memory) board.memory.push_back(parse_memory(entry, file, board.memory.size()));
  const Json& sources = fields.value("sources");
  require(sources.is_object(), "{}: sources is no object", file);
  for (const auto& [figure, source] : sources.items()) {
    require(source.is_string(), "{}: sources.{} is no text", file, figure);
    board.sources[figure] = source.get<std::string>();
  }
  fields.no_others();
  try {
    static_cast<void>(find_target(board.target));
  } catch (const Error& problem) {
    fail("{}: target: {}", file, problem.what());
  }
  check_board(board, file);
  return board;
}

std::vector<Board> all_boards() {
  std::vector<Board> boards;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path.starts_with("boards/")) boards.push_back(parse_board(file.text, file.path));
  }
  std::sort(boards.begin(), boards.end(), [](const Board& a, const Board& b) { return a.name < b.name; });
  return boards;
}

Board find_board(const std::string& name) {
  if (name.ends_with(".json")) return parse_board(read_text(name), name);
  std::vector<std::string> names;
  for (Board& board : all_boards()) {
    if (board.name == name) return std::move(board);
    names.push_back(board.name);
  }
  names = nearest_first(name, std::move(names));
  const std::vector<std::string> near(names.begin(), names.begin() + std::min<ptrdiff_t>(3, std::ssize(names)));
  fail(
      "there is no board '{}'; the nearest names: {}; `mote boards` lists all, and a path that ends in .json is a "
      "board of your own",
      name, fmt::join(near, ", "));
}

Json board_json(const Board& board) {
  Json memory = Json::array();
  for (const BoardMemory& one : board.memory) {
    memory.push_back({{"name", one.name},
                      {"kind", name(one.kind)},
                      {"bytes", one.bytes},
                      {"speed", one.speed},
                      {"optional", one.optional},
                      {"note", one.note}});
  }
  return {{"name", board.name},
          {"description", board.description},
          {"target", board.target},
          {"target_note", board.target_note},
          {"clock_hz", board.clock_hz},
          {"cycles_per_instruction", board.cycles_per_instruction},
          {"reserved", {{"ram_bytes", board.reserved_ram_bytes}, {"flash_bytes", board.reserved_flash_bytes}}},
          {"memory", memory},
          {"sources", board.sources}};
}

}  // namespace mote
