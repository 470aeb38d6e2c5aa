// SPDX-License-Identifier: Apache-2.0
// Maximum pooling: everything the compiler knows about it.
#include "nn/max_pool.hpp"

#include <algorithm>

#include "ops/pool.hpp"
#include "ops/registry.hpp"

namespace mote::op {

namespace {

class MaxPool final : public Pooling {
 public:
  using Pooling::Pooling;

  [[nodiscard]] std::string name() const override { return "max_pool"; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const std::vector<Argument> arguments{input(0), output(0)};
    const char* const header = "nn/max_pool.hpp";
    Call call = type.dtype == DType::f32   ? make_call(nn::max_pool_f32, "max_pool_f32", header, "PoolFloat",
                                                       kernel_parameters_float(type, out[0]), arguments)
                : type.dtype == DType::i16 ? make_call(nn::max_pool_s16, "max_pool_s16", header, "Pool",
                                                       kernel_parameters(type, out[0]), arguments)
                                           : make_call(nn::max_pool_s8, "max_pool_s8", header, "Pool",
                                                       kernel_parameters(type, out[0]), arguments);
    call.order = {.dims = 4, .block = 1, .reads_first = true};
    return call;
  }

 protected:
  [[nodiscard]] tflite::schema::BuiltinOperator code() const override {
    return tflite::schema::BuiltinOperator::MAX_POOL_2D;
  }
  [[nodiscard]] bool padding_ignored() const override { return true; }
  [[nodiscard]] OperatorPtr with(const Parameters& parameters) const override { return make_max_pool(parameters); }
  [[nodiscard]] double window_value(const std::vector<double>& elements) const override {
    return *std::max_element(elements.begin(), elements.end());
  }
};

Made from_tflite(const tflite::OpView& view) { return {make_max_pool(pooling_from_tflite(view)), {0}}; }

Sample sample(std::mt19937& random) {
  return pooling_sample(random, make_max_pool, {DType::i8, DType::i8, DType::i16, DType::f32});
}

}  // namespace

OperatorPtr make_max_pool(const Pooling::Parameters& parameters) { return std::make_shared<MaxPool>(parameters); }

extern const OpDef max_pool{.name = "max_pool", .tflite = {{"MAX_POOL_2D", from_tflite}}, .sample = sample};

}  // namespace mote::op
