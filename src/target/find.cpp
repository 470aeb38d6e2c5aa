// SPDX-License-Identifier: Apache-2.0
#include "target/find.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "target/registry.hpp"

namespace mote {

const Target& find_target(std::string_view name) {
  std::vector<std::string> names;
  for (const Target* const target : target::all()) {
    if (target->name == name) return *target;
    names.emplace_back(target->name);
  }
  fail("there is no target '{}'; known: {}", name, fmt::join(nearest_first(name, names), ", "));
}

const Target& compiled_by(const Target& target, std::string_view compiler) {
  static const std::vector<Target> by_clang = [] {
    std::vector<Target> targets;
    for (const Target* const one : target::all()) targets.emplace_back(*one).model_compiler = "clang++";
    return targets;
  }();
  if (compiler == "g++") return target;
  require(compiler == "clang++", "there is no compiler '{}'; known: g++, clang++", compiler);
  require(!target.compiler.empty(), "{} runs in the simulator and needs no compiler; leave --compiler out",
          target.name);
  require(target.clang_compiles, "clang++ has no code generator for {}; leave --compiler out", target.name);
  return *std::find_if(by_clang.begin(), by_clang.end(),
                       [&](const Target& one) { return one.name == target.name; });
}

}  // namespace mote
