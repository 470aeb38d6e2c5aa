// SPDX-License-Identifier: Apache-2.0
// A real board as data: boards/NAME.json inside the program, or a user's own file.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

enum class MemoryKind { flash, ram, external_ram };

struct BoardMemory {
  std::string name;
  MemoryKind kind = MemoryKind::ram;
  int64_t bytes = 0;  // usable by an application
  double speed = 1;   // of a long read, relative to the fastest memory
  bool optional =
      false;  // only on some variants, or not set up by itself: not counted unless a suggestion says so
  std::string note;
};

struct Board {
  std::string name, description;
  std::string target;       // of src/target: the core, or the nearest that runs
  std::string target_note;  // what that target does not say about this board; may be empty
  int64_t clock_hz = 0;
  double cycles_per_instruction = 1;
  int64_t reserved_ram_bytes = 0, reserved_flash_bytes = 0;  // what the rest of an application takes
  std::vector<BoardMemory> memory;
  std::map<std::string, std::string>
      sources;  // by figure: clock_hz, cycles_per_instruction, reserved, and memories
};

[[nodiscard]] std::string_view name(MemoryKind kind);  // "flash", "ram", "external_ram"

// Throws Error that names the file and the field. Every figure must have its source.
[[nodiscard]] Board parse_board(std::string_view text, std::string_view file);

[[nodiscard]] std::vector<Board> all_boards();  // sorted by name

// A board by its name, or by the path of a JSON file. Throws Error that lists the names, the most similar first.
[[nodiscard]] Board find_board(const std::string& name);

[[nodiscard]] nlohmann::ordered_json board_json(const Board& board);

}  // namespace mote
