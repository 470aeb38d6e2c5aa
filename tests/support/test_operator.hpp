// SPDX-License-Identifier: Apache-2.0
// A tiny operator whose behaviour a test writes down: for tests of passes and planning that need no real kernels.
#pragma once

#include <functional>

#include "ir/graph.hpp"

namespace mote::test {

struct Behaviour {
  std::string name = "op";
  Alias alias = Alias::none;
  Order order = {};
  int64_t scratch_bytes = 0;
  std::function<Region(size_t input, const Region& region)> needs = {};  // empty: the whole input
  std::function<OperatorPtr(const Operator& next, const TensorType& middle)> absorb = {};  // empty: joins nothing
  std::function<void(std::span<void* const> in_then_out)> run = {};                        // empty: lower() fails
};

class TestOperator final : public Operator {
 public:
  explicit TestOperator(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}

  std::string name() const override { return behaviour_.name; }
  std::string parameters() const override { return {}; }
  Types infer(Inputs, const Types& declared) const override { return declared; }
  Reals reference(Inputs, const Types&, const Reals&) const override { return {}; }
  Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override {
    return behaviour_.needs ? behaviour_.needs(input, region) : Operator::needs(input, region, in, out);
  }
  Alias alias() const override { return behaviour_.alias; }
  OperatorPtr absorb(const Operator& next, Inputs, Inputs, const TensorType& middle) const override {
    return behaviour_.absorb ? behaviour_.absorb(next, middle) : nullptr;
  }
  Call lower(Inputs in, const Types& out) const override {
    require(behaviour_.run != nullptr, "{} has no kernel", behaviour_.name);
    Call call;
    call.kernel = behaviour_.name;
    call.order = behaviour_.order;
    call.scratch_bytes = behaviour_.scratch_bytes;
    for (size_t i = 0; i < in.size(); ++i) {
      if (in[i] != nullptr) call.arguments.push_back(in[i]->state ? state(i) : input(i));
    }
    for (size_t i = 0; i < out.size(); ++i) call.arguments.push_back(output(i));
    call.run = behaviour_.run;
    return call;
  }

 private:
  Behaviour behaviour_;
};

inline OperatorPtr make_operator(Behaviour behaviour) {
  return std::make_shared<TestOperator>(std::move(behaviour));
}

// Builds graphs in one line a tensor.
class GraphBuilder {
 public:
  TensorId add(std::string name, Shape shape, DType dtype = DType::i8) {
    graph.tensors.push_back({std::move(name), {dtype, std::move(shape), {}}, {}});
    return graph.tensors.size() - 1;
  }
  TensorId constant(std::string name, Shape shape, std::initializer_list<int> bytes) {
    const TensorId id = add(std::move(name), std::move(shape));
    for (const int byte : bytes) graph.tensors[id].data.push_back(static_cast<std::byte>(byte));
    return id;
  }
  TensorId input(std::string name, Shape shape) {
    const TensorId id = add(std::move(name), std::move(shape));
    graph.inputs.push_back(id);
    return id;
  }
  // Bytes kept from run to run, each `value` at first.
  TensorId state(std::string name, int64_t bytes, int value) {
    const TensorId id = add(std::move(name), {bytes});
    graph.tensors[id].state = true;
    graph.tensors[id].data.assign(static_cast<size_t>(bytes), static_cast<std::byte>(value));
    return id;
  }
  // A node with one output.
  TensorId node(const Behaviour& behaviour, std::vector<TensorId> in, std::string name, Shape shape) {
    const TensorId id = add(std::move(name), std::move(shape));
    graph.nodes.push_back({make_operator(behaviour),
                           std::move(in),
                           {id},
                           fmt::format("{} ({})", behaviour.name, graph.tensors[id].name)});
    return id;
  }

  Graph graph;
};

}  // namespace mote::test
