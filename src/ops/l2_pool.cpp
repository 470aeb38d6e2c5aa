// SPDX-License-Identifier: Apache-2.0
// Root mean square pooling, of real numbers only: everything the compiler knows about it.
#include "nn/l2_pool.hpp"

#include <cmath>
#include <numeric>

#include "ops/checks.hpp"
#include "ops/pool.hpp"
#include "ops/registry.hpp"

namespace mote::op {

namespace {

class L2Pool final : public Pooling {
 public:
  using Pooling::Pooling;

  [[nodiscard]] std::string name() const override { return "l2_pool"; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require_dtype(one_input(in), {DType::f32}, "input");
    return Pooling::infer(in, declared);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call = make_call(nn::l2_pool_f32, "l2_pool_f32", "nn/l2_pool.hpp", "PoolFloat",
                          kernel_parameters_float(in[0]->type, out[0]), {input(0), output(0)});
    call.order = {.dims = 4, .block = 1, .reads_first = true};
    return call;
  }

 protected:
  [[nodiscard]] tflite::schema::BuiltinOperator code() const override {
    return tflite::schema::BuiltinOperator::L2_POOL_2D;
  }
  [[nodiscard]] bool padding_ignored() const override { return false; }
  [[nodiscard]] OperatorPtr with(const Parameters& parameters) const override {
    return std::make_shared<L2Pool>(parameters);
  }
  [[nodiscard]] double window_value(const std::vector<double>& elements) const override {
    const double sum = std::inner_product(elements.begin(), elements.end(), elements.begin(), 0.0);
    return std::sqrt(sum / static_cast<double>(elements.size()));
  }
};

OperatorPtr make(const Pooling::Parameters& parameters) { return std::make_shared<L2Pool>(parameters); }

Made from_tflite(const tflite::OpView& view) { return {make(pooling_from_tflite(view)), {0}}; }

Sample sample(std::mt19937& random) { return pooling_sample(random, make, {DType::f32}); }

}  // namespace

extern const OpDef l2_pool{.name = "l2_pool", .tflite = {{"L2_POOL_2D", from_tflite}}, .sample = sample};

}  // namespace mote::op
