// SPDX-License-Identifier: Apache-2.0
// Average pooling: everything the compiler knows about it.
#include "nn/avg_pool.hpp"

#include <numeric>

#include "ops/pool.hpp"
#include "ops/registry.hpp"

namespace mote::op {

namespace {

class AvgPool final : public Pooling {
 public:
  using Pooling::Pooling;

  [[nodiscard]] std::string name() const override { return "avg_pool"; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    Call call = type.dtype == DType::f32
                    ? make_call(nn::avg_pool_f32, "avg_pool_f32", "nn/avg_pool.hpp", "PoolFloat",
                                kernel_parameters_float(type, out[0]), {input(0), output(0)})
                    : make_call(nn::avg_pool_s8, "avg_pool_s8", "nn/avg_pool.hpp", "Pool",
                                kernel_parameters(type, out[0]), {input(0), output(0)});
    call.order = {.dims = 4, .block = 1, .reads_first = true};
    return call;
  }

 protected:
  [[nodiscard]] double window_value(const std::vector<double>& elements) const override {
    return std::accumulate(elements.begin(), elements.end(), 0.0) / static_cast<double>(elements.size());
  }
};

Made from_tflite(const tflite::OpView& view) { return {make_avg_pool(pooling_from_tflite(view)), {0}}; }

Sample sample(std::mt19937& random) { return pooling_sample(random, make_avg_pool); }

}  // namespace

OperatorPtr make_avg_pool(const Pooling::Parameters& parameters) { return std::make_shared<AvgPool>(parameters); }

extern const OpDef avg_pool{.name = "avg_pool", .tflite = {{"AVERAGE_POOL_2D", from_tflite}}, .sample = sample};

}  // namespace mote::op
