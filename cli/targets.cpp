// SPDX-License-Identifier: Apache-2.0
// mote targets: what models can be compiled for.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "target/registry.hpp"

namespace mote::cli {

namespace {

void list(bool as_json) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Target* target : target::all()) {
    json.push_back({{"name", target->name}, {"description", target->description}, {"note", target->note}});
    if (!as_json)
      fmt::print("{:12} {}{}\n", target->name, target->description,
                 target->note.empty() ? "" : fmt::format("\n{:12} {}", "", target->note));
  }
  if (as_json) fmt::print("{}\n", json.dump(2));
}

}  // namespace

void add_targets(CLI::App& app) {
  auto* const command = app.add_subcommand("targets", "list the targets");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "print a JSON array");
  command->callback([as_json] { list(*as_json); });
}

}  // namespace mote::cli
