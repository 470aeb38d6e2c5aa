// SPDX-License-Identifier: Apache-2.0
// Any function of int8 as a table of its 256 values: everything the compiler knows about it.
#include <cmath>

#include "nn/unary.hpp"
#include "ops/elementwise.hpp"
#include "ops/functions.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {

namespace {

class ByteTable final : public Operator {
 public:
  explicit ByteTable(std::vector<int8_t> table) : table_(std::move(table)) {
    require(table_.size() == 256, "internal: a table of {} bytes", table_.size());
  }

  [[nodiscard]] std::string name() const override { return "byte_table"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("{}..{}", table_.front(), table_.back());
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = op::one_input(in);
    op::require_dtype(input, {DType::i8}, "input");
    TensorType output = op::declared_type(declared, DType::i8);
    output.shape = input.shape;
    return {output};
  }
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Quantization& from = in[0]->type.quant;
    const Quantization& to = out[0].quant;
    std::vector<double> result;
    for (const double value : x[0]) {
      const auto code = std::lround(value / static_cast<double>(from.scale[0])) + from.zero[0];
      const int32_t stored = table_.at(static_cast<size_t>(code + 128));
      result.push_back(static_cast<double>(to.scale[0]) * (stored - to.zero[0]));
    }
    return {result};
  }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const Argument x = op::data_argument(in, 0, constants);
    constants.push_back({"table", DType::i8, to_bytes(table_), false});
    Call call = make_call(nn::lookup_s8, "lookup_s8", "nn/unary.hpp", "Count",
                          nn::Count{narrow<int32_t>(elements(out[0].shape))},
                          {x, constant(constants.size() - 1), output(0)});
    call.constants = std::move(constants);
    call.order = op::element_by_element(out[0].shape);
    return call;
  }

 private:
  std::vector<int8_t> table_;
};

Sample sample(std::mt19937& random) {
  std::vector<int8_t> table(256);
  for (int8_t& value : table) value = static_cast<int8_t>(op::random_integer(random, -128, 127));
  const TensorType in = op::random_type(random, DType::i8, op::random_shape(random, 0, 5, 5));
  return {
      make_byte_table(std::move(table)), {op::variable(in)}, {op::random_type(random, DType::i8, in.shape)}, 1e-6};
}

}  // namespace

OperatorPtr make_byte_table(std::vector<int8_t> table) { return std::make_shared<ByteTable>(std::move(table)); }

namespace op {

extern const OpDef byte_table{.name = "byte_table", .tflite = {}, .sample = sample};

}  // namespace op
}  // namespace mote
