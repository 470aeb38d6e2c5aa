// SPDX-License-Identifier: Apache-2.0
// mote boards: the boards that `mote fit` knows, with the sources of their figures.
#include "commands.hpp"
#include "common.hpp"
#include "fit/board.hpp"

namespace mote::cli {

namespace {

std::string size_text(int64_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return fmt::format("{} MB", bytes >> 20);
  return bytes >= 1 << 20 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1 << 20))
                          : fmt::format("{} KB", bytes >> 10);
}

void print_board(const Board& board, bool sources) {
  std::string memory;
  for (const BoardMemory& one : board.memory) {
    memory += fmt::format("{}{} {}{}", memory.empty() ? "" : ", ", one.name, size_text(one.bytes),
                          one.optional ? " (optional)" : "");
  }
  fmt::print("{:14} {}\n{:14} {}; target {}\n", board.name, board.description, "", memory, board.target);
  if (!sources) return;
  if (!board.target_note.empty()) fmt::print("{:14} {}\n", "", board.target_note);
  for (const auto& [figure, source] : board.sources) fmt::print("{:14}   {}: {}\n", "", figure, source);
}

}  // namespace

void add_boards(CLI::App& app) {
  auto* const command = app.add_subcommand("boards", "list the boards that `fit` knows");
  struct Flags {
    std::vector<std::string> names;
    bool json = false;
  };
  const auto flags = std::make_shared<Flags>();
  command->add_option("board", flags->names, "names or .json files to show with their sources; all when absent");
  command->add_flag("--json", flags->json, "print a JSON array with all figures and sources");
  command->callback([flags] {
    std::vector<Board> boards;
    for (const std::string& name : flags->names) boards.push_back(find_board(name));
    if (flags->names.empty()) boards = all_boards();
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const Board& board : boards) {
      if (flags->json)
        json.push_back(board_json(board));
      else
        print_board(board, !flags->names.empty());
    }
    if (flags->json) print_json(json);
  });
}

}  // namespace mote::cli
