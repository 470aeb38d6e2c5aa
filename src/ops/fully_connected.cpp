// SPDX-License-Identifier: Apache-2.0
// Fully connected layer: everything the compiler knows about it. It runs as a 1x1 convolution over its rows.
#include "ir/classifier.hpp"
#include "ops/batch_matmul.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_sample.hpp"
#include "ops/convolution_tflite.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

class FullyConnected final : public WeightedSum, public ClassifierPart {
 public:
  FullyConnected(Activation activation, bool keep_dimensions, bool asymmetric)
      : activation_(activation), keep_dimensions_(keep_dimensions), asymmetric_(asymmetric) {}

  std::string name() const override { return "fully_connected"; }
  ClassifierRole classifier_role() const override {
    return activation_ == Activation::none ? ClassifierRole::dense : ClassifierRole::clamped_dense;
  }
  ClampedTo clamped_to() const override {
    const FloatRange range = activation_range(activation_);
    return {range.low, range.high};
  }
  std::string parameters() const override {
    std::string text =
        activation_ == Activation::none ? "" : fmt::format("activation={}", mote::name(activation_));
    if (keep_dimensions_) text += text.empty() ? "keep_dimensions" : " keep_dimensions";
    return text;
  }

  OperatorPtr absorb(const Operator& next, Inputs, Inputs, const TensorType&) const override {
    const Activation clamp = op::clamp_of(next);
    if (activation_ != Activation::none || clamp == Activation::none) return nullptr;
    return make_fully_connected(clamp, keep_dimensions_, asymmetric_);
  }

  Types infer(Inputs in, const Types& declared) const override {
    convolution::check_inputs(in);
    const Shape& input = in[0]->type.shape;
    const Shape& weights = in[1]->type.shape;
    require(weights.size() == 2, "has weights {}, they need two dimensions", to_text(weights));
    const int64_t depth = weights[1];
    require(depth > 0 && elements(input) % depth == 0, "has weights {} that do not fit its input {}",
            to_text(weights), to_text(input));
    convolution::check_types(in, declared, weights[0], 0);
    if (in[0]->type.dtype == DType::i16) convolution::check_static_or_symmetric(*in[1]);
    Shape output{elements(input) / depth, weights[0]};
    if (keep_dimensions_) {
      require(!input.empty() && input.back() == depth, "keeps dimensions, but its input {} does not end in {}",
              to_text(input), depth);
      output = input;
      output.back() = weights[0];
    }
    return {{declared[0].dtype, output, declared[0].quant}};
  }

  Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override {
    Region needed = whole(in[input]->type.shape);
    if (input != 0 || !rows_match(in, out)) return needed;
    for (size_t i = 0; i + 1 < in[0]->type.shape.size(); ++i) needed.dims[i] = region.dims[i];
    return needed;
  }

  Call lower_for(const Core& core, Inputs in, const Types& out) const override {
    const bool product = !in[1]->constant() && in[0]->type.dtype == DType::i8;
    return product ? matrix_product(in, out) : WeightedSum::lower_for(core, in, out);
  }

  convolution::Problem problem(Inputs in, const Types& out) const override {
    convolution::Problem problem;
    problem.shape = shape(in);
    problem.activation = activation_;
    problem.weights = in[1];
    problem.bias = in.size() > 2 ? in[2] : nullptr;
    problem.input = &in[0]->type;
    problem.output = &out[0];
    problem.asymmetric = asymmetric_;
    problem.float_product = in[1]->type.quant.scale.size() == 1;
    problem.pixel_dims = rows_match(in, out) ? static_cast<int>(out[0].shape.size()) - 1 : 0;
    return problem;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    tflite::schema::FullyConnectedOptionsT options;
    options.fused_activation_function = mote::to_tflite(activation_);
    options.keep_num_dims = keep_dimensions_;
    options.asymmetric_quantize_inputs = asymmetric_;
    const DType dtype = in[0]->type.dtype;
    const bool per_channel = in[1]->type.quant.scale.size() > 1;
    const int version = per_channel                      ? 12
                        : in[1]->type.dtype == DType::i4 ? 10
                        : dtype == DType::i16            ? 7
                        : keep_dimensions_               ? 5
                        : dtype == DType::i8             ? 4
                                                         : 1;
    file.add(tflite::schema::BuiltinOperator::FULLY_CONNECTED, version, convolution::written_inputs(file),
             file.outputs(), options);
  }
  // TensorFlow Lite Micro wants one scale for all of a dense layer's INT4 weights.
  Int4Readers int4_readers(const TensorType& input, const TensorType& weights) const override {
    if (input.dtype != DType::i8) return Int4Readers::none;
    return weights.quant.scale.size() == 1 ? Int4Readers::all : Int4Readers::litert;
  }
  std::optional<IntegerForm> integer_form(DType, Inputs in, const Types&) const override {
    return weighted_form(in, activation_, {.out_axis = 0, .in_axis = 1, .per_tensor = true});
  }

 private:
  // Each output row is a function of the input row with the same index.
  static bool rows_match(Inputs in, const Types& out) {
    const Shape& input = in[0]->type.shape;
    const Shape& output = out[0].shape;
    return input.size() == output.size() && input.back() == in[1]->type.shape[1];
  }

  // With weights that are computed at run time, which have a zero point of their own.
  Call matrix_product(Inputs in, const Types& out) const {
    const nn::Conv2d geometry = shape(in);
    nn::BatchMatmul p{};
    p.dimensions = 1;
    p.rows = geometry.in_width, p.depth = geometry.in_channels, p.columns = geometry.out_channels;
    p.lhs_row = p.rhs_column = p.depth;
    p.lhs_step = p.rhs_step = 1;
    quantise_product(p, in[0]->type, in[1]->type, out[0], activation_);
    Call call = make_call(nn::batch_matmul_s8, "batch_matmul_s8", "nn/batch_matmul.hpp", "BatchMatmul", p,
                          {input(0), input(1), constant(0), constant(1), output(0)});
    const bool has_bias = in.size() > 2 && in[2] != nullptr;
    call.constants = {{"bias", DType::i32, has_bias ? in[2]->data : Bytes{}, true},
                      {"strides", DType::i32, to_bytes(std::vector<int32_t>{1, 0, 0}), false}};
    if (rows_match(in, out)) call.order = {static_cast<int>(out[0].shape.size()) - 1, 1, false};
    return call;
  }

  // Rows are pixels of one image; where each is quantised by itself, they are images.
  static nn::Conv2d shape(Inputs in) {
    const Shape& weights = in[1]->type.shape;
    const int64_t rows = elements(in[0]->type.shape) / weights[1];
    const bool images = in[0]->type.dtype == DType::f32 && in[1]->type.dtype != DType::f32;
    const int64_t batches = images ? rows : 1;
    nn::Conv2d shape = convolution::window_shape(SlidingWindow{}, {batches, 1, rows / batches, weights[1]},
                                                 {batches, 1, rows / batches, weights[0]});
    shape.group_channels = shape.in_channels;
    shape.group_outputs = shape.out_channels;
    return shape;
  }

  Activation activation_;
  bool keep_dimensions_, asymmetric_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::FullyConnectedOptions>();
  require(static_cast<int>(options.weights_format()) == 0, "has shuffled weights; convert the model without them");
  return {make_fully_connected(activation_from_tflite(static_cast<int>(options.fused_activation_function())),
                               options.keep_num_dims(), options.asymmetric_quantize_inputs()),
          convolution::kept_inputs(view)};
}

Sample sample(std::mt19937& random) {
  convolution::SampleMaker make(random);
  const bool keep = make.chance(0.4);
  const int64_t depth = make.chance(0.2) ? make.integer(30, 300) : make.integer(1, 30);
  const int64_t outputs = make.chance(0.25) ? make.integer(32, 70) : make.integer(1, 23);
  Shape input{make.integer(1, 4), depth};
  if (keep) input.insert(input.begin() + 1, make.integer(1, 3));
  if (!keep && depth % 2 == 0 && make.chance(0.5)) input = {input[0], 2, depth / 2};
  return make.sample(make_fully_connected(make.activation(), keep, make.chance(0.5)), input, {outputs, depth},
                     outputs, 0, {.runtime_weights = true, .runtime_zero = true});
}

}  // namespace

OperatorPtr make_fully_connected(Activation activation, bool keep_dimensions, bool asymmetric) {
  return std::make_shared<FullyConnected>(activation, keep_dimensions, asymmetric);
}

namespace op {

extern const OpDef fully_connected{
    .name = "fully_connected", .tflite = {{"FULLY_CONNECTED", from_tflite}}, .sample = sample};

}  // namespace op
}  // namespace mote
