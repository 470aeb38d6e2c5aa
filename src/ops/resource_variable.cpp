// SPDX-License-Identifier: Apache-2.0
// Reading and assigning a variable, which the importer has made a state: everything the compiler knows about it.
#include "nn/resource_variable.hpp"

#include "formats/tflite_view.hpp"
#include "ops/checks.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Input 0 of both.
const TensorType& state_type(Inputs in) {
  const TensorType& type = input_type(in, 0);
  require(in[0]->state, "has an input 0 that is no variable");
  require_movable(type);
  return type;
}

nn::Variable params_of(const TensorType& state) { return {narrow<int32_t>(elements(state.shape))}; }

// A copy, because the variable may be assigned while others still need what it was.
class ReadVariable final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "read_variable"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& state = state_type(in);
    TensorType output = declared_type(declared, state.dtype);
    output.shape = state.shape;
    return {output};
  }
  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override { return {x[0]}; }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    return for_storage(in[0]->type.dtype, [&]<class T>(T) {
      return make_call(nn::read_variable<T>, instance<T>("read_variable"), "nn/resource_variable.hpp", "Variable",
                       params_of(in[0]->type), {state(0), output(0)});
    });
  }
};

// Inputs: the variable, its new content.
class AssignVariable final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "assign_variable"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types&) const override {
    const TensorType& state = state_type(in);
    const TensorType& value = input_type(in, 1);
    require(value.dtype == state.dtype && value.shape == state.shape, "assigns {} {} to a variable of {} {}",
            mote::name(value.dtype), to_text(value.shape), mote::name(state.dtype), to_text(state.shape));
    return {};
  }
  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals&) const override { return {}; }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    std::vector<Constant> constants;
    const Argument value = data_argument(in, 1, constants);
    Call call = for_storage(in[0]->type.dtype, [&]<class T>(T) {
      return make_call(nn::assign_variable<T>, instance<T>("assign_variable"), "nn/resource_variable.hpp",
                       "Variable", params_of(in[0]->type), {value, state(0)});
    });
    call.constants = std::move(constants);
    return call;
  }
};

Made read_from_tflite(const tflite::OpView&) { return {std::make_shared<ReadVariable>(), {0}}; }
Made assign_from_tflite(const tflite::OpView&) { return {std::make_shared<AssignVariable>(), {0, 1}}; }

// Assigning gives no output, which the generated tests look at: tests of whole models see it.
Sample sample(std::mt19937& random) {
  const TensorType type = random_movable(random, random_shape(random, 0, 4, 5));
  Tensor variable_state{"state", type, Bytes(static_cast<size_t>(byte_size(type))), true};
  return {std::make_shared<ReadVariable>(), {variable_state}, {type}, type.dtype == DType::f32 ? 0.0 : 1e-9};
}

}  // namespace

extern const OpDef resource_variable{
    .name = "resource_variable",
    .tflite = {{"READ_VARIABLE", read_from_tflite}, {"ASSIGN_VARIABLE", assign_from_tflite}},
    .sample = sample};

}  // namespace mote::op
