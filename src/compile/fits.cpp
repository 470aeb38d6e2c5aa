// SPDX-License-Identifier: Apache-2.0
// "Does it fit?" before any compiler runs.
#include <algorithm>

#include "codegen/codegen.hpp"
#include "compile/compile.hpp"

namespace mote {

namespace {

struct Share {
  int64_t bytes;
  std::string what;
};

// The largest shares, as indented lines.
std::string largest(std::vector<Share> shares) {
  std::stable_sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) { return a.bytes > b.bytes; });
  std::string text;
  for (size_t i = 0; i < shares.size() && i < 4; ++i) {
    if (shares[i].bytes > 0) text += fmt::format("\n  {:>10} B  {}", shares[i].bytes, shares[i].what);
  }
  return text;
}

int64_t alive_bytes(const Plan& plan, int64_t step) {
  int64_t bytes = 0;
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.live.first <= step && step <= buffer.live.last) bytes += buffer.bytes;
  }
  return bytes;
}

// The buffers alive in the step in which most bytes are.
std::string arena_shares(const Compiled& model) {
  int64_t peak = 0;
  for (int64_t step = 0; step < static_cast<int64_t>(model.plan.steps.size()); ++step) {
    if (alive_bytes(model.plan, step) > alive_bytes(model.plan, peak)) peak = step;
  }
  std::vector<Share> shares;
  for (size_t i = 0; i < model.plan.buffers.size(); ++i) {
    const Buffer& buffer = model.plan.buffers[i];
    if (buffer.live.first <= peak && peak <= buffer.live.last)
      shares.push_back({buffer.bytes, "'" + model.plan.names[i] + "'"});
  }
  const Step& step = model.plan.steps[static_cast<size_t>(peak)];
  return fmt::format("\nmost is alive at once in {}:", model.graph.nodes[step.node].origin) + largest(shares);
}

std::string flash_shares(const Compiled& model) {
  std::vector<Share> shares;
  for (const Step& step : model.plan.steps) {
    int64_t bytes = 0;
    for (const Constant& constant : step.call.constants) bytes += static_cast<int64_t>(constant.data.size());
    shares.push_back({bytes, model.graph.nodes[step.node].origin});
  }
  return "\nthe largest layers:" + largest(shares);
}

}  // namespace

void check_fits(const Compiled& model, const Limits& limits) {
  std::string missing;
  const int64_t arena = model.plan.arena_bytes;
  if (limits.ram_bytes && arena > *limits.ram_bytes) {
    missing += fmt::format(
        "RAM: the arena takes {} B, {} B are allowed: {} B too many (lower bound of any plan in this order: {} B)",
        arena, *limits.ram_bytes, arena - *limits.ram_bytes, model.plan.lower_bound_bytes);
    if (!model.plan.steps.empty()) missing += arena_shares(model);
  }
  const FlashData data = flash_data(model.plan);
  const int64_t flash = data.weight_bytes + data.table_bytes;
  if (limits.flash_bytes && flash > *limits.flash_bytes) {
    if (!missing.empty()) missing += '\n';
    missing += fmt::format("flash: the weights alone take {} B, {} B are allowed: {} B too many, code not counted",
                           flash, *limits.flash_bytes, flash - *limits.flash_bytes);
    missing += flash_shares(model);
  }
  if (!missing.empty()) fail("{} does not fit\n{}", model.graph.name, missing);
}

}  // namespace mote
