// SPDX-License-Identifier: Apache-2.0
#include "report/arena.hpp"

#include <algorithm>

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

bool contains(const std::vector<size_t>& buffers, size_t buffer) {
  return std::find(buffers.begin(), buffers.end(), buffer) != buffers.end();
}

std::string_view kind_of(const Plan& plan, size_t buffer) {
  const auto is_state = [&](const State& state) { return state.buffer == buffer; };
  const auto is_scratch = [&](const Step& step) { return step.scratch == buffer; };
  if (contains(plan.inputs, buffer)) return "input";
  if (contains(plan.outputs, buffer)) return "output";
  if (std::any_of(plan.states.begin(), plan.states.end(), is_state)) return "state";
  if (std::any_of(plan.steps.begin(), plan.steps.end(), is_scratch)) return "scratch";
  return "activation";
}

// The step that writes the buffer, or the buffer that moves to it; null: the caller does, or scratch.
Json writer_of(const Plan& plan, size_t buffer) {
  for (const Move& move : plan.moves) {
    if (move.to == buffer) return writer_of(plan, move.from);
  }
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (contains(plan.steps[i].out, buffer)) return i;
  }
  return nullptr;
}

// The plan with its arenas one behind the other.
Plan in_one_piece(Plan plan) {
  std::vector<int64_t> begins{0};
  for (const Arena& arena : arenas_of(plan)) begins.push_back(begins.back() + arena.bytes);
  for (Buffer& buffer : plan.buffers) buffer.offset += begins.at(buffer.arena);
  return plan;
}

Json buffers_json(const Plan& plan) {
  Json buffers = Json::array();
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    buffers.push_back({{"name", plan.names[i]},
                       {"kind", kind_of(plan, i)},
                       {"bytes", buffer.bytes},
                       {"offset", buffer.offset},
                       {"first_step", buffer.live.first},
                       {"last_step", buffer.live.last},
                       {"writer", writer_of(plan, i)}});
    if (plan.arenas.size() > 1) buffers.back()["memory"] = plan.arenas[buffer.arena].memory;
  }
  return buffers;
}

Json shared_json(const Plan& plan) {
  Json shared = Json::array();
  for (const Overlap& overlap : plan.overlaps) {
    const Buffer& output = plan.buffers[overlap.output];
    const Buffer& input = plan.buffers[overlap.input];
    const int64_t first = std::max(output.offset, input.offset);
    const int64_t end = std::min(output.offset + output.bytes, input.offset + input.bytes);
    if (first >= end) continue;
    // One step, or all steps of a segment.
    const int64_t begin = std::max(output.live.first, input.live.first);
    const int64_t last = std::min(output.live.last, input.live.last);
    if (begin > last) continue;
    shared.push_back({{"step", begin},
                      {"last_step", last},
                      {"output", overlap.output},
                      {"input", overlap.input},
                      {"offset", first},
                      {"bytes", end - first},
                      {"distance_bytes", overlap.distance}});
  }
  return shared;
}

// Bytes that at least one buffer holds in the step.
int64_t bytes_in_use(const Plan& plan, int64_t step) {
  std::vector<std::pair<int64_t, int64_t>> ranges;  // begin, end
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.live.first <= step && step <= buffer.live.last)
      ranges.emplace_back(buffer.offset, buffer.offset + buffer.bytes);
  }
  std::sort(ranges.begin(), ranges.end());
  int64_t bytes = 0, counted_to = 0;
  for (const auto& [begin, end] : ranges) {
    bytes += std::max<int64_t>(0, end - std::max(begin, counted_to));
    counted_to = std::max(counted_to, end);
  }
  return bytes;
}

}  // namespace

Json segments_json(const Plan& plan) {
  Json segments = Json::array();
  for (const Segment& segment : plan.segments) {
    if (segment.parallel) continue;
    Json windows = Json::array();
    for (const StripWindow& window : segment.windows) {
      windows.push_back({{"buffer", window.buffer},
                         {"step", writer_of(plan, window.buffer)},
                         {"rows", plan.buffers[window.buffer].bytes / window.row_bytes},
                         {"of_rows", window.written.rows}});
    }
    segments.push_back({{"first_step", segment.first},
                        {"last_step", segment.last},
                        {"strips", segment.strips},
                        {"windows", std::move(windows)}});
  }
  return segments;
}

Json arena_json(const Plan& planned) {
  const Plan plan = in_one_piece(planned);
  Json steps = Json::array();
  for (const int64_t bound : step_bounds_bytes({plan.buffers, plan.overlaps})) {
    const auto step = static_cast<int64_t>(steps.size());
    steps.push_back({{"bytes", bytes_in_use(plan, step)}, {"lower_bound_bytes", bound}});
  }
  Json json{{"buffers", buffers_json(plan)}, {"shared", shared_json(plan)}, {"steps", std::move(steps)}};
  if (!plan.segments.empty()) json["segments"] = segments_json(plan);
  for (const Move& move : plan.moves)
    json["moves"].push_back({{"step", move.step}, {"from", move.from}, {"to", move.to}});
  return json;
}

}  // namespace mote
