// SPDX-License-Identifier: Apache-2.0
// The sum of any number of tensors of one shape: everything the compiler knows about it.
#include "nn/add_n.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/add_n.hpp";
constexpr size_t most_quantised = 8;  // their sum, with 20 more bits, fits 32

class AddN final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "add_n"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(!in.empty(), "has no inputs");
    const TensorType& first = input_type(in, 0);
    require_dtype(first, {DType::i8, DType::f32, DType::i32}, "input");
    TensorType output = declared_type(declared, first.dtype);
    output.shape = first.shape;
    for (size_t i = 1; i < in.size(); ++i) {
      const TensorType& type = input_type(in, i);
      require(type.dtype == first.dtype && type.shape == first.shape, "adds {} {} and {} {}; all must be alike",
              mote::name(first.dtype), to_text(first.shape), mote::name(type.dtype), to_text(type.shape));
      require(first.dtype != DType::i8 || type.quant == first.quant,
              "adds i8 tensors of several quantisations; give them one, or use ADD");
    }
    require(first.dtype != DType::i8 || in.size() <= most_quantised,
            "adds {} i8 tensors; up to {} are supported, split the sum", in.size(), most_quantised);
    if (first.dtype == DType::i8) (void)quantised(in, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    std::vector<double> sum(x[0].size(), 0.0);
    for (const std::vector<double>& one : x) {
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
    }
    if (in[0]->type.dtype == DType::i32) {
      for (double& value : sum) value = static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(value)));
    }
    return {sum};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }

  void to_tflite(tflite::NodeWriter& file, Inputs, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::ADD_N, 1, tflite::schema::AddNOptionsT{});
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const nn::AddN plain{narrow<int32_t>(elements(out[0].shape))};
    Call call;
    if (out[0].dtype == DType::i8) {
      const nn::AddN8 params = quantised(in, out[0]);
      call = make_call(nn::add_n_s8<1, int8_t>, fmt::format("add_n_s8<{}>", in.size()), header, "AddN8", params,
                       {output(0), input(0)});
      call.run = runner<int8_t>([params](auto... arguments) { nn::add_n_elements_s8(params, arguments...); });
    } else if (out[0].dtype == DType::f32) {
      call = plain_call<float>(plain, in.size());
    } else {
      call = plain_call<int32_t>(plain, in.size());
    }
    const std::string c_type = call.arguments.back().c_type;
    call.arguments.pop_back();
    for (size_t i = 0; i < in.size(); ++i) {
      call.arguments.push_back(data_argument(in, i, call.constants));
      call.arguments.back().c_type = c_type;
    }
    call.order = {.dims = static_cast<int>(out[0].shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  [[nodiscard]] static nn::AddN8 quantised(Inputs in, const TensorType& out) {
    const auto scale = static_cast<double>(tensor_scale(in[0]->type, "input"));
    const FixedMultiplier fixed =
        quantize_multiplier(2 * scale / (std::exp2(20) * static_cast<double>(tensor_scale(out, "output"))));
    require(fixed.shift <= 0, "has an output scale of {}, too small for its inputs; convert the model again",
            tensor_scale(out, "output"));
    return {narrow<int32_t>(elements(out.shape)),
            narrow<int32_t>(tensor_zero(in[0]->type, "input") * std::ssize(in)), tensor_zero(out, "output"),
            fixed.multiplier, fixed.shift};
  }

  template <class T>
  [[nodiscard]] static Call plain_call(const nn::AddN& params, size_t tensors) {
    Call call = make_call(nn::add_n<T, 1, T>, fmt::format("add_n<{}, {}>", detail::element_type<T>(), tensors),
                          header, "AddN", params, {output(0), input(0)});
    call.run = runner<T>([params](auto... arguments) { nn::add_n_elements(params, arguments...); });
    return call;
  }

  // Calls kernel(number of tensors, their pointers, output): the template's way in has a fixed number.
  template <class T, class Kernel>
  [[nodiscard]] static std::function<void(std::span<void* const>)> runner(Kernel kernel) {
    return [kernel](std::span<void* const> pointers) {
      std::vector<const T*> in;
      for (void* const pointer : pointers.subspan(1)) in.push_back(static_cast<const T*>(pointer));
      kernel(static_cast<int32_t>(in.size()), in.data(), static_cast<T*>(pointers[0]));
    };
  }
};

Made from_tflite(const tflite::OpView& view) {
  Made made{std::make_shared<AddN>(), {}};
  for (size_t i = 0; i < view.inputs.size(); ++i) made.inputs.push_back(i);
  return made;
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::f32, DType::i32};
  TensorType type = random_type(random, dtypes[random_integer(random, 0, 3)], random_shape(random, 0, 4, 4));
  if (type.dtype == DType::i32) type.quant = {};
  // A sum of reals may cancel to nearly nothing.
  Sample sample{std::make_shared<AddN>(), {}, {type}, type.dtype == DType::i8 ? 0.51 : 1e-3};
  for (int64_t i = random_integer(random, 1, 5); i > 0; --i) {
    sample.in.push_back(variable(type));
    if (sample.in.size() > 1 && chance(random, 20)) make_constant(*sample.in.back(), random);
  }
  if (type.dtype == DType::i8) {
    sample.out[0].quant = random_quantization(random, DType::i8);
    sample.out[0].quant.scale[0] = std::max(sample.out[0].quant.scale[0], type.quant.scale[0]);
  }
  return sample;
}

}  // namespace

extern const OpDef add_n{.name = "add_n", .tflite = {{"ADD_N", from_tflite}}, .sample = sample};

}  // namespace mote::op
