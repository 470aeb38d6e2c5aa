// SPDX-License-Identifier: Apache-2.0
#include "plan/build_plan.hpp"

#include <algorithm>

#include "plan/check_segments.hpp"

namespace mote {

std::vector<TensorId> states_of(const Graph& graph) {
  std::vector<TensorId> states;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].state) states.push_back(id);
  }
  return states;
}

OrderedTasks ordered(const Graph& graph, const Values& values, const std::vector<Task>& tasks,
                     const std::vector<size_t>& order, const Core& core) {
  OrderedTasks result;
  result.core = core;
  const size_t count = values.values.size();
  for (const Value& value : values.values) result.value_bytes.push_back(value.bytes);
  result.born.assign(count, -1);
  result.last.assign(count, 0);
  result.readers.resize(count);
  for (size_t position = 0; position < order.size(); ++position) {
    const Task& task = tasks[order[position]];
    result.tasks.push_back(&task);
    result.rows.push_back(find_rows(graph, values, task));
    for (const size_t value : task.writes)
      result.born[value] = result.last[value] = static_cast<int64_t>(position);
    for (const size_t value : task.reads) {
      result.last[value] = static_cast<int64_t>(position);
      result.readers[value].push_back(position);
    }
  }
  const auto end = static_cast<int64_t>(order.size());
  for (const TensorId id : graph.outputs) result.last[values.of_tensor[id]] = end;
  for (const TensorId id : states_of(graph)) {
    result.born[values.of_tensor[id]] = -1;
    result.last[values.of_tensor[id]] = end;
  }
  return result;
}

std::optional<PlannedSegment> plan_segment(const Graph& graph, const OrderedTasks& order,
                                           const StripLayout& layout) {
  PlannedSegment segment{std::make_shared<StripLayout>(layout), {}};
  for (size_t position = layout.first; position <= layout.last; ++position) {
    std::optional<StripCalls> calls = strip_calls(graph, order.core, *order.tasks[position], *order.rows[position],
                                                  layout.done[position - layout.first], layout.strips);
    if (!calls) return std::nullopt;
    segment.calls.push_back(*std::move(calls));
  }
  return segment;
}

namespace {

// One buffer for each value, at the value's own index.
void add_values(const Graph& graph, const Values& values, const OrderedTasks& order, Plan& plan) {
  for (size_t i = 0; i < values.values.size(); ++i) {
    const Value& value = values.values[i];
    plan.buffers.push_back({value.bytes, value.align, {std::max<int64_t>(order.born[i], 0), order.last[i]}, -1});
    plan.names.push_back(value.name);
  }
  for (const TensorId id : graph.inputs) plan.inputs.push_back(values.of_tensor[id]);
  for (const TensorId id : graph.outputs) plan.outputs.push_back(values.of_tensor[id]);
  for (const TensorId id : states_of(graph)) plan.states.push_back({values.of_tensor[id], id});
}

int64_t scratch_align(const Call& call, int64_t least_align) {
  int64_t align = least_align;
  for (const Argument& argument : call.arguments) {
    if (argument.kind != Argument::Kind::scratch) continue;
    for (const DType dtype : {DType::i16, DType::i32, DType::i64, DType::f32}) {
      if (argument.c_type == c_type(dtype)) align = std::max<int64_t>(align, bits(dtype) / 8);
    }
  }
  return align;
}

// The buffer that holds the value in this step.
size_t buffer_in(const Plan& plan, size_t value, size_t step) {
  for (const Move& move : plan.moves) {
    if (move.from == value && move.step <= step) return move.to;
  }
  return value;
}

size_t buffer_of(const Plan& plan, const Values& values, TensorId id) {
  return id == no_tensor || values.of_tensor[id] == no_value
             ? no_buffer
             : buffer_in(plan, values.of_tensor[id], plan.steps.size());
}

// `at_once`: how many calls of the kernel run at the same time, each with its own scratch.
void add_step(const Graph& graph, const Values& values, const Task& task, const Call& call, int64_t at_once,
              int64_t least_align, Plan& plan) {
  const auto now = static_cast<int64_t>(plan.steps.size());
  const Node& node = graph.nodes[task.node];
  Step step{task.node, call, {}, {}, no_buffer};
  for (const TensorId id : node.in) step.in.push_back(buffer_of(plan, values, id));
  for (const TensorId id : node.out) step.out.push_back(values.of_tensor[id]);
  if (call.scratch_bytes > 0) {
    step.scratch = plan.buffers.size();
    const int64_t align = scratch_align(call, least_align);
    const int64_t bytes = at_once == 1 ? call.scratch_bytes : at_once * align_up(call.scratch_bytes, align);
    plan.buffers.push_back({bytes, align, {now, now}, -1});
    plan.names.push_back("scratch of " + node.origin);
  }
  plan.steps.push_back(std::move(step));
}

void add_permissions(const Task& task, int64_t now, Plan& plan) {
  for (const Permission& permission : task.permissions) {
    const size_t input = buffer_in(plan, task.reads[permission.read], static_cast<size_t>(now));
    if (plan.buffers[input].live.last == now)
      plan.overlaps.push_back({task.writes[0], input, permission.distance, {-1, -1}});
  }
}

// Builds one segment: its steps' rows, and what becomes of the buffers' sizes and lives.
class SegmentBuilder {
 public:
  SegmentBuilder(const OrderedTasks& order, const PlannedSegment& planned, Plan& plan)
      : order_(order), layout_(*planned.layout), planned_(planned), plan_(plan) {}

  Segment build() {
    Segment segment{layout_.first, layout_.last, layout_.strips, {}, {}, planned_.parallel, 0};
    for (const LayoutWindow& window : layout_.windows) segment.windows.push_back(window_of(window));
    for (size_t position = layout_.first; position <= layout_.last; ++position)
      segment.steps.push_back(step_of(position));
    stretch_lives();
    if (segment.parallel) {
      const size_t scratch = plan_.steps[layout_.first].scratch;
      if (scratch != no_buffer) segment.scratch_stride = plan_.buffers[scratch].bytes / layout_.strips;
    } else {
      permit();  // a core may not overwrite what another one still reads
    }
    return segment;
  }

 private:
  [[nodiscard]] const nn::RowCount& done(size_t position) const { return layout_.done[position - layout_.first]; }
  [[nodiscard]] Interval during() const {
    return {static_cast<int64_t>(layout_.first), static_cast<int64_t>(layout_.last)};
  }

  StripWindow window_of(const LayoutWindow& window) {
    const int64_t row_bytes = order_.rows[window.writer]->row_bytes;
    StripWindow result{window.value, row_bytes, done(window.writer), {}};
    for (const auto& [reader, input] : window.readers) result.readers.push_back({done(reader), input->low});
    Buffer& buffer = plan_.buffers[window.value];
    buffer.bytes = window.rows * row_bytes;
    buffer.live = window.carries
                      ? during()
                      : Interval{static_cast<int64_t>(window.writer), static_cast<int64_t>(window.last_reader)};
    return result;
  }

  [[nodiscard]] StripTensor tensor_of(size_t value, int64_t row_bytes) const {
    for (size_t i = 0; i < layout_.windows.size(); ++i) {
      if (layout_.windows[i].value == value) return {row_bytes, i};
    }
    return {row_bytes, no_window};
  }

  [[nodiscard]] StripStep step_of(size_t position) const {
    const RowTask& rows = *order_.rows[position];
    const StripCalls& calls = planned_.calls[position - layout_.first];
    StripStep step{done(position),
                   tensor_of(order_.tasks[position]->writes[0], rows.row_bytes),
                   {},
                   calls.fields,
                   calls.kinds,
                   calls.kind_of_strip};
    step.in.resize(plan_.steps[position].in.size());
    for (const RowInput& input : rows.inputs)
      step.in[input.input] = {tensor_of(input.value, input.row_bytes), input.low, input.high};
    return step;
  }

  // Where a value from outside lies.
  [[nodiscard]] size_t home(size_t value) const { return buffer_in(plan_, value, layout_.first); }

  // What the segment's strips use all the time: whole tensors that it writes, and those that it reads for the last
  // time.
  void stretch_lives() {
    for (const size_t value : layout_.whole_outputs) plan_.buffers[value].live.first = during().first;
    for (const size_t value : dying()) plan_.buffers[home(value)].live.last = during().last;
    for (const size_t value : layout_.whole_outputs) {
      int64_t& last = plan_.buffers[value].live.last;
      last = std::max(last, during().last);
    }
  }

  [[nodiscard]] std::vector<size_t> dying() const {
    std::vector<size_t> values;
    for (size_t value = 0; value < order_.value_bytes.size(); ++value) {
      if (order_.born[value] < during().first && order_.last[value] >= during().first &&
          order_.last[value] <= during().last)
        values.push_back(value);
    }
    return values;
  }

  void permit() {
    for (const size_t output : layout_.whole_outputs) {
      for (const size_t input : dying()) {
        const int64_t distance = strip_distance(order_, layout_, output, input);
        if (distance > -order_.value_bytes[output])
          plan_.overlaps.push_back({output, home(input), distance, during()});
      }
    }
  }

  const OrderedTasks& order_;
  const StripLayout& layout_;
  const PlannedSegment& planned_;
  Plan& plan_;
};

void place_buffers(Plan& plan) {
  const PlacementProblem problem{plan.buffers, plan.overlaps};
  const Placement placement = place(problem);
  check(problem, placement);
  for (size_t i = 0; i < plan.buffers.size(); ++i) plan.buffers[i].offset = placement.offsets[i];
  plan.arena_bytes = placement.arena_bytes;
  plan.lower_bound_bytes = lower_bound_bytes(problem);
}

}  // namespace

std::optional<size_t> move_step(const OrderedTasks& order, const std::vector<PlannedSegment>& segments,
                                size_t value) {
  const bool callers = order.born[value] < 0 || order.last[value] == static_cast<int64_t>(order.tasks.size());
  if (callers || order.readers[value].empty() || order.value_bytes[value] == 0) return std::nullopt;
  size_t step = order.readers[value][0];
  for (const PlannedSegment& segment : segments) {
    if (segment.layout->first <= step && step <= segment.layout->last) step = segment.layout->first;
  }
  return order.born[value] < static_cast<int64_t>(step) ? std::optional(step) : std::nullopt;
}

namespace {

void add_moves(const OrderedTasks& order, const std::vector<PlannedSegment>& segments, const MovedValues& moved,
               Plan& plan) {
  for (const size_t value : moved) {
    const size_t step = move_step(order, segments, value).value();
    plan.moves.push_back({step, value, plan.buffers.size()});
    Buffer later = plan.buffers[value];
    later.live.first = static_cast<int64_t>(step);
    plan.buffers[value].live.last = static_cast<int64_t>(step) - 1;
    plan.buffers.push_back(later);
    plan.names.push_back(plan.names[value]);
  }
  std::stable_sort(plan.moves.begin(), plan.moves.end(),
                   [](const Move& a, const Move& b) { return a.step < b.step; });
}

}  // namespace

Plan build_plan(const Graph& graph, const Values& values, const OrderedTasks& order,
                const std::vector<PlannedSegment>& segments, const MovedValues& moved, int64_t least_align) {
  static_assert(no_value == no_buffer, "a value's index is its buffer's");
  Plan plan;
  add_values(graph, values, order, plan);
  if (order.row_input) {
    plan.rows_pushed = plan.buffers.size();
    plan.buffers.push_back({4, 4, {0, static_cast<int64_t>(order.tasks.size())}, -1});
    plan.names.emplace_back("number of rows pushed");
  }
  add_moves(order, segments, moved, plan);
  auto segment = segments.begin();
  for (size_t position = 0; position < order.tasks.size(); ++position) {
    while (segment != segments.end() && segment->layout->last < position) ++segment;
    const bool inside = segment != segments.end() && segment->layout->first <= position;
    const Task& task = *order.tasks[position];
    const int64_t at_once = inside && segment->parallel ? segment->layout->strips : 1;
    add_step(graph, values, task, inside ? segment->calls[position - segment->layout->first].call : task.call,
             at_once, least_align, plan);
    if (!inside) add_permissions(task, static_cast<int64_t>(position), plan);
  }
  for (const PlannedSegment& one : segments) plan.segments.push_back(SegmentBuilder(order, one, plan).build());
  place_buffers(plan);
  if (!plan.segments.empty() || !plan.moves.empty()) check_segments(graph, plan);
  return plan;
}

}  // namespace mote
