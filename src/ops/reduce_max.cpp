// SPDX-License-Identifier: Apache-2.0
// Maximum, minimum, any and all over axes: everything the compiler knows about them.
#include "nn/reduce_max.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/move.hpp"
#include "ops/reduction.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

enum class Kind { max, min, any, all };

class ReduceMax final : public Reduction {
 public:
  ReduceMax(Parameters parameters, Kind kind) : Reduction(std::move(parameters)), kind_(kind) {}

  [[nodiscard]] std::string name() const override {
    switch (kind_) {
      case Kind::max: return "reduce_max";
      case Kind::min: return "reduce_min";
      case Kind::any: return "reduce_any";
      case Kind::all: return "reduce_all";
    }
    fail("internal: unknown reduction");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    Types out = Reduction::infer(in, declared);
    (void)moved_type(in[0]->type, out, out[0].shape);
    return out;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const auto call_of = [&](auto kernel, const std::string& suffix) {
      return make_call(kernel, name() + suffix, "nn/reduce_max.hpp", "Reduce", loops(in[0]->type.shape),
                       {input(0), output(0)});
    };
    Call call;
    if (kind_ == Kind::any || kind_ == Kind::all) {
      call = call_of(kind_ == Kind::any ? nn::reduce_any : nn::reduce_all, "");
    } else {
      const auto either = [&](auto max, auto min, const char* suffix) {
        return call_of(kind_ == Kind::min ? min : max, suffix);
      };
      const DType dtype = in[0]->type.dtype;
      call = dtype == DType::f32   ? either(nn::reduce_max_f32, nn::reduce_min_f32, "_f32")
             : dtype == DType::u8  ? either(nn::reduce_max_u8, nn::reduce_min_u8, "_u8")
             : dtype == DType::i16 ? either(nn::reduce_max_s16, nn::reduce_min_s16, "_s16")
             : dtype == DType::i32 ? either(nn::reduce_max_s32, nn::reduce_min_s32, "_s32")
             : dtype == DType::i64 ? either(nn::reduce_max_s64, nn::reduce_min_s64, "_s64")
                                   : either(nn::reduce_max_s8, nn::reduce_min_s8, "_s8");
    }
    call.order = order(out[0]);
    return call;
  }

  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

 protected:
  [[nodiscard]] tflite::schema::BuiltinOperator code() const override { return tflite::builtin_operator(name()); }
  [[nodiscard]] std::vector<DType> dtypes() const override {
    if (kind_ == Kind::any || kind_ == Kind::all) return {DType::boolean};
    return {DType::i8, DType::u8, DType::i16, DType::f32, DType::i32, DType::i64};
  }

  [[nodiscard]] double folded_value(const std::vector<double>& elements) const override {
    const auto is_true = [](double element) { return element != 0; };
    switch (kind_) {
      case Kind::max: return *std::max_element(elements.begin(), elements.end());
      case Kind::min: return *std::min_element(elements.begin(), elements.end());
      case Kind::any: return std::any_of(elements.begin(), elements.end(), is_true) ? 1 : 0;
      case Kind::all: return std::all_of(elements.begin(), elements.end(), is_true) ? 1 : 0;
    }
    fail("internal: unknown reduction");
  }

 private:
  Kind kind_;
};

template <Kind kind>
Made from_tflite(const tflite::OpView& view) {
  return {std::make_shared<ReduceMax>(reduction_from_tflite(view), kind), {0}};
}

Sample sample(std::mt19937& random) {
  TensorType type = random_movable(random, random_shape(random, 1, 6, 5));
  Kind kind = chance(random, 50) ? Kind::max : Kind::min;
  if (chance(random, 20)) {
    type = {DType::boolean, type.shape, {}};
    kind = chance(random, 50) ? Kind::any : Kind::all;
  }
  const Reduction::Parameters parameters = random_reduction(random, type.shape);
  const TensorType out = reshaped(type, reduced(type.shape, parameters));
  Sample sample{std::make_shared<ReduceMax>(parameters, kind), {variable(type)}, {out}, 0.0};
  if (type.dtype != DType::f32) sample.tolerance = 1e-9;  // the reference goes through real numbers
  return sample;
}

}  // namespace

extern const OpDef reduce_max{.name = "reduce_max",
                              .tflite = {{"REDUCE_MAX", from_tflite<Kind::max>},
                                         {"REDUCE_MIN", from_tflite<Kind::min>},
                                         {"REDUCE_ANY", from_tflite<Kind::any>},
                                         {"REDUCE_ALL", from_tflite<Kind::all>}},
                              .sample = sample};

}  // namespace mote::op
