// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.hpp"

#include <algorithm>

#include "plan/order.hpp"
#include "plan/overlap.hpp"
#include "plan/values.hpp"

namespace mote {

namespace {

// Output 0 of a task may share bytes with the value that is its read `read`, should that die here.
struct Permission {
  size_t read = 0;
  int64_t distance = 0;
};

// A node that runs code.
struct Task {
  size_t node = 0;
  Call call;
  std::vector<size_t> reads, writes;  // values
  std::vector<Permission> permissions;
};

Call lower_node(const Graph& graph, const Node& node, const Core& core) {
  try {
    Call call = node.op->lower_for(core, inputs_of(graph, node), output_types(graph, node));
    require(!call.empty(), "internal: {} is no view but has no kernel", node.op->name());
    return call;
  } catch (const Error& error) {
    fail("{}: {}", node.origin, error.what());
  }
}

// A value that the node reads through several inputs has the least of their distances.
std::vector<Permission> find_permissions(const Graph& graph, const Values& values, const Task& task) {
  const Node& node = graph.nodes[task.node];
  // Order and needs() speak of output 0 only: when other outputs are written is unknown.
  if (node.out.size() != 1 || task.call.order.dims == 0) return {};
  const std::vector<const Tensor*> inputs = inputs_of(graph, node);
  const Types outputs = output_types(graph, node);
  std::vector<Permission> permissions;
  for (size_t read = 0; read < task.reads.size(); ++read) {
    std::optional<int64_t> least = values.values[task.reads[read]].bytes;
    for (size_t i = 0; i < node.in.size() && least; ++i) {
      if (node.in[i] == no_tensor || values.of_tensor[node.in[i]] != task.reads[read]) continue;
      const std::optional<int64_t> distance = overlap_distance(*node.op, i, inputs, outputs, task.call.order);
      least = distance ? std::optional(std::min(*least, *distance)) : std::nullopt;
    }
    if (least && *least > -byte_size(outputs[0])) permissions.push_back({read, *least});
  }
  return permissions;
}

std::vector<Task> find_tasks(const Graph& graph, const Values& values, const Core& core) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op->alias() == Alias::view) continue;
    Task task;
    task.node = i;
    task.call = lower_node(graph, node, core);
    task.reads = values_read(values, node);
    for (const TensorId id : node.out) task.writes.push_back(values.of_tensor[id]);
    task.permissions = find_permissions(graph, values, task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<TensorId> states_of(const Graph& graph) {
  std::vector<TensorId> states;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].state) states.push_back(id);
  }
  return states;
}

// Steps that touch one state keep the order of the file: each may change it.
void keep_order_of_states(const Graph& graph, const std::vector<Task>& tasks, OrderProblem& problem) {
  std::vector<size_t> last(graph.tensors.size(), tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    for (const TensorId id : graph.nodes[tasks[i].node].in) {
      if (id == no_tensor || !graph.tensors[id].state) continue;
      if (last[id] < i) problem.fixed.emplace_back(last[id], i);
      last[id] = i;
    }
  }
}

OrderProblem order_problem(const Graph& graph, const Values& values, const std::vector<Task>& tasks) {
  OrderProblem problem;
  for (const Value& value : values.values) problem.value_bytes.push_back(value.bytes);
  problem.from_start.assign(values.values.size(), false);
  problem.to_end = problem.from_start;
  for (const TensorId id : graph.inputs) problem.from_start[values.of_tensor[id]] = true;
  for (const TensorId id : graph.outputs) problem.to_end[values.of_tensor[id]] = true;
  for (const TensorId id : states_of(graph)) {
    problem.from_start[values.of_tensor[id]] = true;
    problem.to_end[values.of_tensor[id]] = true;
  }
  for (const Task& task : tasks) {
    OrderTask entry{task.reads, task.writes, std::vector<int64_t>(task.reads.size(), 0), task.call.scratch_bytes};
    for (const Permission& permission : task.permissions) {
      const int64_t out_bytes = values.values[task.writes[0]].bytes;
      const int64_t in_bytes = values.values[task.reads[permission.read]].bytes;
      entry.saves[permission.read] = std::min(in_bytes, out_bytes + std::min<int64_t>(permission.distance, 0));
    }
    problem.tasks.push_back(std::move(entry));
  }
  keep_order_of_states(graph, tasks, problem);
  return problem;
}

// The plan's buffers: one for each value, at the value's own index; then one for each step's scratch memory.
void add_values(const Graph& graph, const Values& values, const std::vector<const Task*>& order, Plan& plan) {
  for (const Value& value : values.values) {
    plan.buffers.push_back({value.bytes, value.align, {0, 0}, -1});
    plan.names.push_back(value.name);
  }
  for (size_t step = 0; step < order.size(); ++step) {
    const auto now = static_cast<int64_t>(step);
    for (const size_t value : order[step]->writes) plan.buffers[value].live = {now, now};
    for (const size_t value : order[step]->reads) plan.buffers[value].live.last = now;
  }
  for (const TensorId id : graph.inputs) plan.inputs.push_back(values.of_tensor[id]);
  for (const TensorId id : graph.outputs) {
    plan.outputs.push_back(values.of_tensor[id]);
    plan.buffers[values.of_tensor[id]].live.last = static_cast<int64_t>(order.size());
  }
  for (const TensorId id : states_of(graph)) {
    plan.states.push_back({values.of_tensor[id], id});
    plan.buffers[values.of_tensor[id]].live = {0, static_cast<int64_t>(order.size())};
  }
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

size_t buffer_of(const Values& values, TensorId id) { return id == no_tensor ? no_buffer : values.of_tensor[id]; }

void add_step(const Graph& graph, const Values& values, const Task& task, int64_t least_align, Plan& plan) {
  const auto now = static_cast<int64_t>(plan.steps.size());
  const Node& node = graph.nodes[task.node];
  Step step{task.node, task.call, {}, {}, no_buffer};
  for (const TensorId id : node.in) step.in.push_back(buffer_of(values, id));
  for (const TensorId id : node.out) step.out.push_back(buffer_of(values, id));
  for (const Permission& permission : task.permissions) {
    const size_t input = task.reads[permission.read];
    if (plan.buffers[input].live.last == now)
      plan.overlaps.push_back({task.writes[0], input, permission.distance});
  }
  if (task.call.scratch_bytes > 0) {
    step.scratch = plan.buffers.size();
    plan.buffers.push_back({task.call.scratch_bytes, scratch_align(task.call, least_align), {now, now}, -1});
    plan.names.push_back("scratch of " + node.origin);
  }
  plan.steps.push_back(std::move(step));
}

void place_buffers(Plan& plan) {
  const PlacementProblem problem{plan.buffers, plan.overlaps};
  const Placement placement = place(problem);
  check(problem, placement);
  for (size_t i = 0; i < plan.buffers.size(); ++i) plan.buffers[i].offset = placement.offsets[i];
  plan.arena_bytes = placement.arena_bytes;
  plan.lower_bound_bytes = lower_bound_bytes(problem);
}

}  // namespace

Plan make_plan(const Graph& graph, const Core& core, int64_t least_align) {
  static_assert(no_value == no_buffer, "a value's index is its buffer's");
  const Values values = find_values(graph, least_align);
  const std::vector<Task> tasks = find_tasks(graph, values, core);
  std::vector<const Task*> order;
  for (const size_t task : best_order(order_problem(graph, values, tasks))) order.push_back(&tasks[task]);
  Plan plan;
  add_values(graph, values, order, plan);
  for (const Task* task : order) add_step(graph, values, *task, least_align, plan);
  place_buffers(plan);
  return plan;
}

}  // namespace mote
