// SPDX-License-Identifier: Apache-2.0
#include "usage.hpp"

#include <fmt/ranges.h>

#include "base/nearest.hpp"

namespace mote::cli {

namespace {

constexpr size_t shown_names = 3;

std::string nearest(const std::string& word, std::vector<std::string> names) {
  names = nearest_first(word, std::move(names));
  names.resize(std::min(names.size(), shown_names));
  return fmt::format("the nearest: {}", fmt::join(names, ", "));
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : app.get_options({})) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string unknown_word(const CLI::App& app, int count, const char* const* arguments) {
  const CLI::App* command = &app;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    if (word.starts_with("--")) {
      const std::string name = word.substr(0, word.find('='));
      const std::vector<std::string> names = option_names(*command);
      if (name == "--" || has(names, name)) continue;
      return fmt::format("there is no option '{}'; {}", name, nearest(name, names));
    }
    const std::vector<std::string> names = command_names(*command);
    if (names.empty() || word.starts_with("-")) continue;
    if (!has(names, word)) return fmt::format("there is no command '{}'; {}", word, nearest(word, names));
    command = command->get_subcommand(word);
  }
  return "";
}

}  // namespace mote::cli
