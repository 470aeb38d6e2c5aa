// SPDX-License-Identifier: Apache-2.0
#include "zoo/mode_promises.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "codegen/codegen.hpp"

namespace mote {

namespace {

constexpr double growth = 0.02;  // of what was broken already

using Modes = std::map<std::string, const BookRow*, std::less<>>;

double ratio(std::optional<int64_t> a, std::optional<int64_t> b) {
  return static_cast<double>(a.value_or(0)) / static_cast<double>(std::max<int64_t>(b.value_or(0), 1));
}

// nullptr unless the mode was run.
const BookRow* run_of(const Modes& modes, Mode mode) {
  const auto found = modes.find(name(mode));
  if (found == modes.end() || !found->second->instructions || !found->second->code_bytes) return nullptr;
  return found->second;
}

void judge(const Modes& modes, std::vector<BrokenPromise>& broken) {
  const BookRow* const size = run_of(modes, Mode::size);
  const BookRow* const balanced = run_of(modes, Mode::balanced);
  const BookRow* const speed = run_of(modes, Mode::speed);
  if (size == nullptr || balanced == nullptr || speed == nullptr) return;
  const auto breaks = [&](const BookRow& row, std::string what, double is, double limit) {
    broken.push_back({row.model, row.target, row.mode, std::move(what), is, limit});
  };
  const auto at_most = [&](const BookRow& row, std::string what, double is, double limit) {
    if (is > limit) breaks(row, std::move(what), is, limit);
  };
  const double share = ratio(speed->instructions, balanced->instructions);
  if (share < balanced_speed) breaks(*balanced, "speed", share, balanced_speed);
  at_most(*balanced, "code", ratio(balanced->code_bytes, size->code_bytes), balanced_code);
  at_most(*speed, "code", ratio(speed->code_bytes, size->code_bytes), speed_code);
  at_most(*balanced, "slower than size", ratio(balanced->instructions, size->instructions), 1 + equal_speed);
  at_most(*speed, "slower than balanced", ratio(speed->instructions, balanced->instructions), 1 + equal_speed);
}

}  // namespace

std::vector<BrokenPromise> broken_promises(const std::vector<BookRow>& rows) {
  std::map<std::pair<std::string, std::string>, Modes> models;
  for (const BookRow& row : rows) models[{row.target, row.model}][row.mode] = &row;
  std::vector<BrokenPromise> broken;
  for (const auto& [model, modes] : models) judge(modes, broken);
  return broken;
}

std::vector<BrokenPromise> newly_broken(const std::vector<BrokenPromise>& broken,
                                        const std::vector<BrokenPromise>& known) {
  std::vector<BrokenPromise> result;
  std::copy_if(broken.begin(), broken.end(), std::back_inserter(result), [&](const BrokenPromise& now) {
    return std::none_of(known.begin(), known.end(), [&](const BrokenPromise& before) {
      const double further = now.what == "speed" ? before.is / now.is : now.is / before.is;
      return std::tie(now.model, now.target, now.mode, now.what) ==
                 std::tie(before.model, before.target, before.mode, before.what) &&
             further <= 1 + growth;
    });
  });
  return result;
}

Table promises_table(const std::vector<BrokenPromise>& broken) {
  Table table{{"model", "target", "mode", "what", "is", "limit"}, {}};
  for (const BrokenPromise& promise : broken)
    table.rows.push_back({promise.model, promise.target, promise.mode, promise.what, promise.is, promise.limit});
  return table;
}

}  // namespace mote
