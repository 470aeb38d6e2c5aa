// SPDX-License-Identifier: Apache-2.0
// The beginnings of sequences, backwards: everything the compiler knows about REVERSE_SEQUENCE.
#include "nn/reverse_sequence.hpp"

#include "ops/axes.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Inputs: data, the length of each batch's sequence.
class ReverseSequence final : public Operator {
 public:
  ReverseSequence(size_t along, size_t batch) : along_(along), batch_(batch) {}

  [[nodiscard]] std::string name() const override { return "reverse_sequence"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("along={} batch={}", along_, batch_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const Shape& shape = input_type(in, 0).shape;
    require_dtype(input_type(in, 1), {DType::i32, DType::i64}, "input of lengths");
    require(along_ != batch_ && along_ < shape.size() && batch_ < shape.size(),
            "turns dimension {} round for each index of dimension {} of {}; the two must differ", along_, batch_,
            to_text(shape));
    require(in[1]->type.shape == Shape{shape[batch_]}, "has lengths {} for the {} indices of dimension {}",
            to_text(in[1]->type.shape), shape[batch_], batch_);
    return {moved_type(in[0]->type, declared, shape)};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const Shape& shape = in[0]->type.shape;
    std::vector<double> result;
    for (int64_t index = 0; index < elements(shape); ++index) {
      std::vector<int64_t> at(shape.size());
      int64_t rest = index;
      for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) at[d] = rest % shape[d];
      const double turned = std::min(x[1][static_cast<size_t>(at[batch_])], static_cast<double>(shape[along_]));
      if (static_cast<double>(at[along_]) < turned) at[along_] = static_cast<int64_t>(turned) - 1 - at[along_];
      int64_t place = 0;
      for (size_t d = 0; d < shape.size(); ++d) place = place * shape[d] + at[d];
      result.push_back(x[0][static_cast<size_t>(place)]);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& shape = in[0]->type.shape;
    const size_t first = std::min(along_, batch_), second = std::max(along_, batch_);
    const auto product = [&](size_t begin, size_t end) {
      int64_t result = 1;
      for (size_t d = begin; d < end; ++d) result *= shape[d];
      return narrow<int32_t>(result);
    };
    const nn::ReverseSequence params{product(0, first),
                                     narrow<int32_t>(shape[first]),
                                     product(first + 1, second),
                                     narrow<int32_t>(shape[second]),
                                     product(second + 1, shape.size()),
                                     batch_ < along_ ? 1 : 0};
    std::vector<Constant> constants;
    const std::vector<Argument> arguments{data_argument(in, 0, constants), data_argument(in, 1, constants),
                                          output(0)};
    Call call = for_storage(out[0].dtype, [&]<class T>(T) {
      const auto call_of = [&]<class I>(I) {
        return make_call(nn::reverse_sequence<T, I>, instance<T, I>("reverse_sequence"), "nn/reverse_sequence.hpp",
                         "ReverseSequence", params, arguments);
      };
      return in[1]->type.dtype == DType::i64 ? call_of(int64_t()) : call_of(int32_t());
    });
    call.constants = std::move(constants);
    return call;
  }

 private:
  size_t along_, batch_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::ReverseSequenceOptions>();
  const size_t rank = file_shape(view).size();
  return {
      std::make_shared<ReverseSequence>(dimension(options.seq_dim(), rank), dimension(options.batch_dim(), rank)),
      {0, 1}};
}

Sample sample(std::mt19937& random) {
  const TensorType type = random_movable(random, random_shape(random, 2, 5, 4));
  const auto rank = std::ssize(type.shape);
  const auto along = static_cast<size_t>(random_integer(random, 0, rank - 1));
  const size_t batch = (along + static_cast<size_t>(random_integer(random, 1, rank - 1))) % type.shape.size();
  Tensor lengths = variable({DType::i32, {type.shape[batch]}, {}});
  std::vector<int32_t> values;
  for (int64_t i = 0; i < type.shape[batch]; ++i)
    values.push_back(static_cast<int32_t>(random_integer(random, 0, type.shape[along])));
  if (chance(random, 70)) lengths.data = to_bytes(values);
  return {std::make_shared<ReverseSequence>(along, batch),
          {variable(type), lengths},
          {type},
          type.dtype == DType::f32 ? 0.0 : 1e-9};
}

}  // namespace

extern const OpDef reverse_sequence{
    .name = "reverse_sequence", .tflite = {{"REVERSE_SEQUENCE", from_tflite}}, .sample = sample};

}  // namespace mote::op
