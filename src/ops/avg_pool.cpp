// SPDX-License-Identifier: Apache-2.0
// Average pooling: everything the compiler knows about it.
#include "nn/avg_pool.hpp"

#include <numeric>

#include "ops/pool.hpp"
#include "ops/registry.hpp"
#include "ops/sum_rows.hpp"

namespace mote::op {

namespace {

class AvgPool final : public Pooling, public FoldsRows {
 public:
  using Pooling::Pooling;

  [[nodiscard]] std::string name() const override { return "avg_pool"; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const std::vector<Argument> arguments{input(0), output(0)};
    const char* const header = "nn/avg_pool.hpp";
    Call call = type.dtype == DType::f32   ? make_call(nn::avg_pool_f32, "avg_pool_f32", header, "PoolFloat",
                                                       kernel_parameters_float(type, out[0]), arguments)
                : type.dtype == DType::i16 ? make_call(nn::avg_pool_s16, "avg_pool_s16", header, "Pool",
                                                       kernel_parameters(type, out[0]), arguments)
                                           : make_call(nn::avg_pool_s8, "avg_pool_s8", header, "Pool",
                                                       kernel_parameters(type, out[0]), arguments);
    call.order = {.dims = 4, .block = 1, .reads_first = true};
    return call;
  }

  // One window that sees everything.
  [[nodiscard]] std::optional<Parts> parts(Inputs in, const Types& out) const override {
    const Shape& from = in[0]->type.shape;
    if (out[0].shape[1] != 1 || out[0].shape[2] != 1 ||
        needs(0, whole(out[0].shape), in, out).dims != whole(from).dims)
      return std::nullopt;
    return in_sums(in[0]->type, 3, make_average_of_sums(from[1] * from[2], activation()));
  }

 protected:
  [[nodiscard]] tflite::schema::BuiltinOperator code() const override {
    return tflite::schema::BuiltinOperator::AVERAGE_POOL_2D;
  }
  [[nodiscard]] bool padding_ignored() const override { return false; }
  [[nodiscard]] OperatorPtr with(const Parameters& parameters) const override { return make_avg_pool(parameters); }
  [[nodiscard]] double window_value(const std::vector<double>& elements) const override {
    return std::accumulate(elements.begin(), elements.end(), 0.0) / static_cast<double>(elements.size());
  }
};

Made from_tflite(const tflite::OpView& view) { return {make_avg_pool(pooling_from_tflite(view)), {0}}; }

Sample sample(std::mt19937& random) {
  return pooling_sample(random, make_avg_pool, {DType::i8, DType::i8, DType::i16, DType::f32});
}

}  // namespace

OperatorPtr make_avg_pool(const Pooling::Parameters& parameters) { return std::make_shared<AvgPool>(parameters); }

extern const OpDef avg_pool{.name = "avg_pool", .tflite = {{"AVERAGE_POOL_2D", from_tflite}}, .sample = sample};

}  // namespace mote::op
