// SPDX-License-Identifier: Apache-2.0
#include "ops/registry.hpp"

#include <algorithm>

namespace mote::op {

namespace {

std::vector<const OpDef*>& table() {
  static std::vector<const OpDef*> operators(built_in().begin(), built_in().end());
  return operators;
}

}  // namespace

std::span<const OpDef* const> all() { return table(); }

void add_operator(const OpDef& definition) {
  const auto is_builtin = [](const OpDef* known) {
    return std::find(built_in().begin(), built_in().end(), known) != built_in().end();
  };
  for (const OpDef* const known : all()) {
    const std::string_view owner = is_builtin(known) ? "built in" : "loaded before";
    require(known->name != definition.name, "names its operator '{}', which is {}; give it a name of its own",
            definition.name, owner);
    for (const TfliteEntry& entry : definition.tflite) {
      for (const TfliteEntry& taken : known->tflite) {
        require(entry.op != taken.op, "defines '{}', which is {}; give it a name of its own", entry.op, owner);
      }
    }
  }
  table().push_back(&definition);
}

}  // namespace mote::op
