// SPDX-License-Identifier: Apache-2.0
// Conversion between number types: everything the compiler knows about it.
#include "nn/cast.hpp"

#include <cmath>

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "ops/elementwise.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

const std::vector<DType> numbers{DType::i8,  DType::u8,  DType::i16, DType::u16,    DType::i32,
                                 DType::u32, DType::i64, DType::f32, DType::boolean};

template <class F, class Out>
Call cast_call(const std::string& type, Inputs in) {
  std::vector<Constant> constants;
  const Argument x = data_argument(in, 0, constants);
  const Function<F> function{{}, type, "nn/cast.hpp"};
  Call call = for_dtype<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, float>(
      in[0]->type.dtype, [&]<class T>(T) { return map_1_call<T, Out>(function, x, elements(in[0]->type.shape)); });
  call.constants = std::move(constants);
  return call;
}

class Cast final : public Operator, public WorksInRows {
 public:
  [[nodiscard]] std::string name() const override { return "cast"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(declared.size() == 1, "has {} outputs, it gives 1", declared.size());
    require_one_of(numbers, input.dtype);
    require_one_of(numbers, declared[0].dtype);
    TensorType output = declared[0];
    output.shape = input.shape;
    return {output};
  }

  // Of integers: modulo the output's numbers. Of reals: towards zero (tests clamp to the type).
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    std::vector<double> result;
    for (const double value : x[0]) result.push_back(convert(value, in[0]->type.dtype, out[0].dtype));
    return {result};
  }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs, const Types&) const override {
    return std::make_shared<Cast>(*this);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override {
    tflite::schema::CastOptionsT options;
    options.in_data_type = tflite::file_type(in[0]->type.dtype);
    options.out_data_type = tflite::file_type(out[0].dtype);
    file.add(tflite::schema::BuiltinOperator::CAST, 1, options);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call =
        out[0].dtype == DType::boolean
            ? cast_call<nn::ConvertToBoolean, uint8_t>("nn::ConvertToBoolean", in)
            : for_dtype<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, float>(
                  out[0].dtype, [&]<class T>(T) {
                    return cast_call<nn::Convert<T>, T>(template_id<>("nn::Convert", c_type(out[0].dtype)), in);
                  });
    call.order = element_by_element(out[0].shape);
    return call;
  }

 private:
  [[nodiscard]] static double convert(double value, DType from, DType to) {
    if (to == DType::boolean) return value != 0 ? 1 : 0;
    if (to == DType::f32) return value;
    if (from == DType::f32) return std::trunc(value);
    const bool is_signed = to == DType::i8 || to == DType::i16 || to == DType::i32 || to == DType::i64;
    const double numbers_of_type = std::exp2(bits(to));
    const double lowest = is_signed ? -numbers_of_type / 2 : 0;
    if (value >= lowest && value < lowest + numbers_of_type) return value;  // the sum below has fewer bits
    const double rest = value - numbers_of_type * std::floor(value / numbers_of_type);
    return is_signed && rest >= numbers_of_type / 2 ? rest - numbers_of_type : rest;
  }
};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<Cast>(), {0}}; }

Sample sample(std::mt19937& random) {
  const auto any = [&] {
    return numbers[static_cast<size_t>(random_integer(random, 0, std::ssize(numbers) - 1))];
  };
  DType from = any();
  const DType to = any();
  // The low bits of what fills 64 are lost on the way through the reference's doubles.
  if (from == DType::i64 && bits(to) < 64) from = DType::i32;
  const Shape shape = random_shape(random, 0, 5, 5);
  Sample sample{std::make_shared<Cast>(), {variable({from, shape, {}})}, {{to, shape, {}}}, 0};
  if (to == DType::f32) sample.tolerance = 1e-7;
  if (from == DType::i64) sample.tolerance = 1 << 12;
  if (chance(random, 10)) make_constant(*sample.in[0], random);
  return sample;
}

}  // namespace

extern const OpDef cast{.name = "cast", .tflite = {{"CAST", from_tflite}}, .sample = sample};

}  // namespace mote::op
