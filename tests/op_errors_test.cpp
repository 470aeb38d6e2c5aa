// SPDX-License-Identifier: Apache-2.0
// What operators say about uses that they do not support: one case a message, exact text.
#include <flatbuffers/flexbuffers.h>
#include <gtest/gtest.h>

#include "formats/tflite_view.hpp"
#include "import/unsupported.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

namespace schema = tflite::schema;

// An operator of a file, built by hand, with the tensors it points to.
class Use {
 public:
  explicit Use(std::string name) { view_.name = std::move(name); }

  Use& input(TensorType type, Bytes data = {}) {
    tensors_.push_back(std::make_unique<Tensor>(Tensor{"input", std::move(type), std::move(data)}));
    view_.inputs.push_back(tensors_.back().get());
    return *this;
  }
  Use& integers(std::vector<int32_t> values) {
    const auto count = static_cast<int64_t>(values.size());
    return input({DType::i32, {count}, {}}, to_bytes(values));
  }
  Use& output(TensorType type) {
    outputs_.push_back(type);
    tensors_.push_back(std::make_unique<Tensor>(Tensor{"output", std::move(type), {}}));
    view_.outputs.push_back(tensors_.back().get());
    return *this;
  }
  template <class Native>
  Use& options(const Native& native) {
    using Table = typename Native::TableType;
    builder_.Finish(Table::Pack(builder_, &native));
    view_.options_table = flatbuffers::GetRoot<Table>(builder_.GetBufferPointer());
    view_.options_type = schema::BuiltinOptionsTraits<Table>::enum_value;
    return *this;
  }
  // Options of a custom operator.
  Use& custom(const std::vector<std::pair<const char*, double>>& numbers) {
    flexbuffers::Builder builder;
    builder.Map([&] {
      for (const auto& [name, value] : numbers) {
        if (value == std::trunc(value)) {
          builder.Int(name, static_cast<int64_t>(value));
        } else {
          builder.Float(name, static_cast<float>(value));
        }
      }
    });
    builder.Finish();
    custom_ = builder.GetBuffer();
    view_.custom_options = std::as_bytes(std::span(custom_));
    return *this;
  }

  // The message of the Error that making, checking or lowering the operator throws; "none" when nothing does.
  [[nodiscard]] std::string error() const {
    try {
      for (const OpDef* const definition : op::all()) {
        for (const TfliteEntry& entry : definition->tflite) {
          if (entry.op == view_.name) check(entry.make(view_));
        }
      }
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  }

 private:
  void check(const Made& made) const {
    std::vector<const Tensor*> inputs;
    for (const size_t input : made.inputs) inputs.push_back(view_.inputs.at(input));
    (void)made.op->lower(inputs, made.op->infer(inputs, outputs_));
  }

  tflite::OpView view_;
  std::vector<std::unique_ptr<Tensor>> tensors_;
  Types outputs_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<uint8_t> custom_;
};

TensorType quantized(Shape shape, float scale = 0.5F, int32_t zero = 0, DType dtype = DType::i8) {
  return {dtype, std::move(shape), {{scale}, {zero}, -1}};
}
TensorType plain(Shape shape, DType dtype = DType::f32) { return {dtype, std::move(shape), {}}; }

std::string pool_error(int32_t stride, const TensorType& in, const TensorType& out) {
  schema::Pool2DOptionsT options;
  options.padding = schema::Padding::VALID;
  options.stride_h = options.stride_w = stride;
  options.filter_height = options.filter_width = 2;
  return Use("MAX_POOL_2D").options(options).input(in).output(out).error();
}

schema::ReducerOptionsT drop_dims() {
  schema::ReducerOptionsT options;
  options.keep_dims = false;
  return options;
}

}  // namespace

TEST(OperatorErrors, Pooling) {
  EXPECT_EQ(pool_error(1, quantized({1, 4, 4, 1}), quantized({1, 3, 3, 1})), "none");
  EXPECT_EQ(pool_error(0, quantized({1, 4, 4, 1}), quantized({1, 3, 3, 1})),
            "has a filter of 2 with stride 0; both must be positive");
  EXPECT_EQ(pool_error(1, quantized({4, 4}), quantized({3, 3})), "needs an input of rank 4 (NHWC), it has 4x4");
  EXPECT_EQ(pool_error(1, quantized({1, 4, 4, 1}, 1, 0, DType::i32), quantized({1, 3, 3, 1})),
            "has an input of type i32, which is not supported; convert the model with i8 or i16 or f32");
  EXPECT_EQ(
      pool_error(1, quantized({1, 4, 4, 1}), quantized({1, 3, 3, 1}, 0.25F)),
      "has input scale 0.5 zero point 0 but output scale 0.25 zero point 0; they must be equal, convert the model "
      "again");
  EXPECT_EQ(pool_error(1, quantized({1, 4, 4, 1}), plain({1, 3, 3, 1})),
            "has an output of type f32, its inputs make it i8");
}

TEST(OperatorErrors, Softmax) {
  const auto softmax = [](float beta, const TensorType& out) {
    schema::SoftmaxOptionsT options;
    options.beta = beta;
    return Use("SOFTMAX").options(options).input(quantized({1, 4})).output(out).error();
  };
  EXPECT_EQ(softmax(1, quantized({1, 4}, 1.0F / 256, -128)), "none");
  EXPECT_EQ(softmax(-1, quantized({1, 4}, 1.0F / 256, -128)), "has beta -1, which must be positive");
  EXPECT_EQ(softmax(1, quantized({1, 4}, 0.5F, 0)),
            "has an output with scale 0.5 and zero point 0; an i8 softmax gives 1/256 and -128, convert the model "
            "again");
  EXPECT_EQ(Use("SOFTMAX").input(quantized({1, 4})).output(quantized({1, 4})).error(),
            "carries no options; the file is incomplete, convert the model again");
}

TEST(OperatorErrors, SoftmaxOf16Bits) {
  const auto softmax = [](DType from, float scale, int32_t zero) {
    schema::SoftmaxOptionsT options;
    options.beta = 1;
    return Use("SOFTMAX")
        .options(options)
        .input(quantized({1, 4}, 0.001F, 0, from))
        .output(quantized({1, 4}, scale, zero, DType::i16))
        .error();
  };
  EXPECT_EQ(softmax(DType::i8, 1.0F / 65535, -32768), "none");
  EXPECT_EQ(softmax(DType::i16, 1.0F / 32768, 0), "none");
  EXPECT_EQ(softmax(DType::i16, 0.5F, 1),
            "has an output with scale 0.5 and zero point 1; an i16 softmax gives 1/32768 and 0, convert the model "
            "again");
}

TEST(OperatorErrors, WeightedSums) {
  const auto dense = [](const TensorType& in, const TensorType& weights, const TensorType& bias, DType out) {
    const Bytes values(static_cast<size_t>(byte_size(weights)));
    return Use("FULLY_CONNECTED")
        .options(schema::FullyConnectedOptionsT())
        .input(in)
        .input(weights, values)
        .input(bias, Bytes(static_cast<size_t>(byte_size(bias))))
        .output(out == DType::f32 ? plain({1, 3}) : quantized({1, 3}, 0.5F, 0, out))
        .error();
  };
  const TensorType in8 = quantized({1, 2}), in16 = quantized({1, 2}, 0.5F, 0, DType::i16);
  const TensorType weights = quantized({3, 2}, 0.01F);
  EXPECT_EQ(dense(in8, weights, quantized({3}, 0.005F, 0, DType::i32), DType::i8), "none");
  EXPECT_EQ(dense(in16, weights, quantized({3}, 0.005F, 0, DType::i64), DType::i16), "none");
  EXPECT_EQ(dense(plain({1, 2}), weights, plain({3}), DType::f32), "none");
  EXPECT_EQ(dense(in8, weights, quantized({3}, 0.005F, 0, DType::i64), DType::i8),
            "has biases of type i64, its input needs i32");
  EXPECT_EQ(dense(in8, plain({3, 2}), quantized({3}, 0.005F, 0, DType::i32), DType::i8),
            "has weights of type f32, its input needs i8");
  EXPECT_EQ(dense(quantized({1, 2}, 0.5F, 7, DType::i16), weights, quantized({3}, 1, 0, DType::i64), DType::i16),
            "has zero point 7, which i16 convolutions do not allow; it must be 0");
}

TEST(OperatorErrors, BatchMatmul) {
  const auto product = [](const TensorType& a, const TensorType& b) {
    return Use("BATCH_MATMUL").options(schema::BatchMatMulOptionsT()).input(a).input(b).output(a).error();
  };
  EXPECT_EQ(product(plain({2, 3}), plain({3, 3})), "none");
  EXPECT_EQ(product(plain({2, 3}), plain({2, 3})), "multiplies 2x3 by 2x3: the sums run over 3 and 2 elements");
  EXPECT_EQ(product(plain({2, 3}), quantized({3, 3})), "multiplies f32 by i8; both must have one type");
}

TEST(OperatorErrors, Add) {
  const auto add = [](const TensorType& a, const TensorType& b) {
    return Use("ADD").input(a).input(b).output(a).error();
  };
  EXPECT_EQ(add(quantized({2, 3}), quantized({1, 3})), "none");
  EXPECT_EQ(add(quantized({2, 3}), quantized({2})), "cannot broadcast 2x3 and 2 to one shape");
  EXPECT_EQ(add(plain({2}), quantized({2})), "has inputs of types f32 and i8; both must have one type");
  EXPECT_EQ(add(plain({2}, DType::i8), quantized({2})), "the first input needs one quantisation scale, it has 0");
  schema::AddOptionsT tanh;
  tanh.fused_activation_function = schema::ActivationFunctionType::TANH;
  EXPECT_EQ(Use("ADD").options(tanh).input(plain({2})).input(plain({2})).output(plain({2})).error(),
            "fuses activation 4, which is not supported; export it as an operator of its own");
}

TEST(OperatorErrors, Reductions) {
  const auto mean = [](std::vector<int32_t> axes) {
    return Use("MEAN")
        .options(drop_dims())
        .input(plain({2, 3}))
        .integers(std::move(axes))
        .output(plain({2}))
        .error();
  };
  EXPECT_EQ(mean({-1}), "none");
  EXPECT_EQ(mean({2}), "reduces axis 2 of an input of rank 2");
  EXPECT_EQ(
      Use("REDUCE_MAX")
          .options(drop_dims())
          .input(quantized({2, 3}))
          .integers({1})
          .output(quantized({2}, 0.5F, 1))
          .error(),
      "has input scale 0.5 zero point 0 but output scale 0.5 zero point 1; they must be equal, convert the model "
      "again");
}

TEST(OperatorErrors, Pad) {
  const auto pad = [](std::vector<int32_t> paddings) {
    const auto pairs = static_cast<int64_t>(paddings.size() / 2);
    return Use("PAD")
        .input(plain({2, 3}))
        .input({DType::i32, {pairs, 2}, {}}, to_bytes(paddings))
        .output(plain({2, 3}))
        .error();
  };
  EXPECT_EQ(pad({0, 1, 1, 0}), "none");
  EXPECT_EQ(pad({0, -1, 1, 0}), "pads by 0 and -1; paddings must not be negative");
  EXPECT_EQ(pad({0, 1}), "pads 1 dimensions, its input has 2");
}

TEST(OperatorErrors, ResizeNearest) {
  const auto resize = [](std::vector<int32_t> size) {
    return Use("RESIZE_NEAREST_NEIGHBOR")
        .options(schema::ResizeNearestNeighborOptionsT())
        .input(plain({1, 2, 2, 1}))
        .integers(std::move(size))
        .output(plain({1, 4, 4, 1}))
        .error();
  };
  EXPECT_EQ(resize({4, 4}), "none");
  EXPECT_EQ(resize({4, 0}), "has a size of 4x0; it takes a positive height and width");
}

TEST(OperatorErrors, Quantization) {
  EXPECT_EQ(Use("QUANTIZE")
                .input(quantized({2}, 0.5F, 0, DType::u8))
                .output(quantized({2}, 0.5F, 0, DType::i16))
                .error(),
            "converts u8 to i16, which is not supported; use i8 on one side");
  EXPECT_EQ(Use("QUANTIZE").input(plain({2})).output(quantized({2}, 0.5F, 0, DType::i32)).error(),
            "converts f32 to i32, which is not supported; use i8, u8 or i16");
  EXPECT_EQ(Use("DEQUANTIZE").input(quantized({2}, 1e-35F)).output(plain({2})).error(),
            "has an input scale of 1e-35; scales from 1e-30 to 1e30 are supported");
}

TEST(OperatorErrors, Reshape) {
  const auto reshape = [](std::vector<int32_t> shape) {
    return Use("RESHAPE").input(plain({2, 3})).integers(std::move(shape)).output(plain({6})).error();
  };
  EXPECT_EQ(reshape({-1}), "none");
  EXPECT_EQ(reshape({4}), "cannot give 2x3 the shape 4: the numbers of elements differ");
  EXPECT_EQ(reshape({4, -1}), "cannot complete the shape 4x1 (the open extent as 1) to 6 elements");
  EXPECT_EQ(Use("SQUEEZE").input(plain({2, 1})).output(plain({2})).error(), "none");
  EXPECT_EQ(Use("EXPAND_DIMS").input(plain({2, 1})).integers({4}).output(plain({2, 1, 1})).error(),
            "names dimension 4 of a tensor of rank 3");
}

TEST(OperatorErrors, Select) {
  const auto select = [](const char* name, const TensorType& mask, const TensorType& a, const TensorType& b) {
    return Use(name).input(mask).input(a).input(b).output(a).error();
  };
  const TensorType mask = plain({2, 3}, DType::boolean), row_mask = plain({2}, DType::boolean);
  EXPECT_EQ(select("SELECT_V2", mask, plain({2, 3}), plain({3})), "none");
  EXPECT_EQ(select("SELECT", row_mask, plain({2, 3}), plain({2, 3})), "none");
  EXPECT_EQ(select("SELECT", mask, plain({2, 3}), plain({3})),
            "chooses between 2x3 and 3 by a mask 2x3; shapes that are broadcast need SELECT_V2");
  EXPECT_EQ(select("SELECT_V2", plain({2, 3}), plain({2, 3}), plain({3})),
            "has an input mask of type f32, which is not supported; convert the model with bool");
  EXPECT_EQ(select("SELECT_V2", mask, plain({2, 3}), quantized({3})),
            "chooses between f32 and i8; both must have one type");
  EXPECT_EQ(select("SELECT_V2", mask, quantized({2, 3}), quantized({3}, 0.25F)),
            "has input scale 0.25 zero point 0 but output scale 0.5 zero point 0; they must be equal, convert the "
            "model again");
}

TEST(OperatorErrors, Gather) {
  const auto gather = [](std::vector<int32_t> indices) {
    return Use("GATHER")
        .options(schema::GatherOptionsT())
        .input(plain({3, 2}))
        .integers(indices)
        .output(plain({std::ssize(indices), 2}))
        .error();
  };
  EXPECT_EQ(gather({2, -3}), "none");
  EXPECT_EQ(gather({0, 3}), "takes index 3 of a dimension of 3; indices go from -3 to 2");
  EXPECT_EQ(gather({-4}), "takes index -4 of a dimension of 3; indices go from -3 to 2");
  const auto gather_nd = [](std::vector<int32_t> tuple) {
    const auto depth = std::ssize(tuple);
    return Use("GATHER_ND").input(plain({3, 2})).integers(tuple).output(plain({depth == 1 ? 2 : 1})).error();
  };
  EXPECT_EQ(gather_nd({-3}), "none");
  EXPECT_EQ(gather_nd({2, 2}), "takes index 2 of a dimension of 2; indices go from -2 to 1");
  EXPECT_EQ(gather_nd({0, 0, 0}), "takes tuples of 3 as indices into 3x2");
}

TEST(OperatorErrors, Prelu) {
  const auto prelu = [](const TensorType& x, const TensorType& slopes, const TensorType& out) {
    return Use("PRELU").input(x).input(slopes).output(out).error();
  };
  EXPECT_EQ(prelu(quantized({2, 3}), quantized({3}), quantized({2, 3})), "none");
  EXPECT_EQ(prelu(plain({3}), plain({2, 3}), plain({2, 3})),
            "has slopes 2x3 for an input 3; they must broadcast to its shape");
  EXPECT_EQ(prelu(quantized({3}, 1.0F), quantized({3}), quantized({3}, 1e-5F)),
            "has an output scale of 1e-05, too small for its input");
}

TEST(OperatorErrors, AddN) {
  const auto add_n = [](const std::vector<TensorType>& types, const TensorType& out) {
    Use use("ADD_N");
    for (const TensorType& type : types) use.input(type);
    return use.output(out).error();
  };
  EXPECT_EQ(add_n({quantized({3}), quantized({3})}, quantized({3})), "none");
  EXPECT_EQ(add_n({}, plain({3})), "has no inputs");
  EXPECT_EQ(add_n({plain({3}), plain({2})}, plain({3})), "adds f32 3 and f32 2; all must be alike");
  EXPECT_EQ(add_n({quantized({3}), quantized({3}, 0.25F)}, quantized({3})),
            "adds i8 tensors of several quantisations; give them one, or use ADD");
  EXPECT_EQ(add_n(std::vector<TensorType>(9, quantized({3})), quantized({3})),
            "adds 9 i8 tensors; up to 8 are supported, split the sum");
  EXPECT_EQ(add_n({quantized({3}), quantized({3})}, quantized({3}, 1e-7F)),
            "has an output scale of 1e-07, too small for its inputs; convert the model again");
}

TEST(OperatorErrors, L2Normalization) {
  const auto normalization = [](const TensorType& in, const TensorType& out) {
    return Use("L2_NORMALIZATION").input(in).output(out).error();
  };
  EXPECT_EQ(normalization(quantized({2, 3}), quantized({2, 3}, 1.0F / 128)), "none");
  EXPECT_EQ(normalization(quantized({2, 3}), quantized({2, 3})),
            "has an output with scale 0.5 and zero point 0; an i8 L2 normalisation gives 1/128 and 0, convert the "
            "model again");
  EXPECT_EQ(normalization(quantized({2, 40000}), quantized({2, 40000}, 1.0F / 128)),
            "normalises rows of 40000 elements; i8 rows of up to 33025 are supported");
  schema::L2NormOptionsT relu;
  relu.fused_activation_function = schema::ActivationFunctionType::RELU;
  EXPECT_EQ(Use("L2_NORMALIZATION").options(relu).input(plain({3})).output(plain({3})).error(),
            "fuses an activation, which is not supported; export it as an operator of its own");
}

TEST(OperatorErrors, WritingInPlaces) {
  const auto update_slice = [](const TensorType& block) {
    return Use("DYNAMIC_UPDATE_SLICE")
        .input(plain({3, 4}))
        .input(block)
        .integers({0, 0})
        .output(plain({3, 4}))
        .error();
  };
  EXPECT_EQ(update_slice(plain({2, 2})), "none");
  EXPECT_EQ(update_slice(plain({4, 4})), "lays 4x4 over 3x4 at 2 indices; ranks must be equal and at most 6");
  EXPECT_EQ(update_slice(quantized({2, 2})), "lays i8 over f32; both must have one type");
  const auto scatter_nd = [](const TensorType& updates, const TensorType& out) {
    return Use("SCATTER_ND")
        .input({DType::i32, {2, 1}, {}}, to_bytes(std::vector<int32_t>{0, 2}))
        .input(updates)
        .integers({4, 3})
        .output(out)
        .error();
  };
  EXPECT_EQ(scatter_nd(plain({2, 3}), plain({4, 3})), "none");
  EXPECT_EQ(scatter_nd(plain({2, 2}), plain({4, 3})),
            "scatters updates 2x2 by indices 2x1 into 4x3; shapes do not fit");
  EXPECT_EQ(scatter_nd(quantized({2, 3}, 0.5F, 1), quantized({4, 3}, 0.5F, 1)),
            "adds numbers of zero point 1; only 0 is supported");
}

TEST(OperatorErrors, ReverseSequence) {
  const auto reverse = [](int along, int batch, std::vector<int32_t> lengths) {
    schema::ReverseSequenceOptionsT options;
    options.seq_dim = along;
    options.batch_dim = batch;
    return Use("REVERSE_SEQUENCE")
        .options(options)
        .input(plain({2, 3}))
        .integers(std::move(lengths))
        .output(plain({2, 3}))
        .error();
  };
  EXPECT_EQ(reverse(1, 0, {3, 1}), "none");
  EXPECT_EQ(reverse(1, 1, {3, 1}),
            "turns dimension 1 round for each index of dimension 1 of 2x3; the two must differ");
  EXPECT_EQ(reverse(1, 0, {1, 2, 3}), "has lengths 3 for the 2 indices of dimension 0");
  EXPECT_EQ(reverse(2, 0, {1, 2}), "names dimension 2 of a tensor of rank 2");
}

TEST(OperatorErrors, Detection) {
  const auto detection = [](double classes_of_a_box, double overlap, int64_t scores) {
    return Use("TFLite_Detection_PostProcess")
        .custom({{"max_detections", 5},
                 {"max_classes_per_detection", classes_of_a_box},
                 {"num_classes", 3},
                 {"nms_score_threshold", 0.25},
                 {"nms_iou_threshold", overlap},
                 {"y_scale", 10},
                 {"x_scale", 10},
                 {"h_scale", 5},
                 {"w_scale", 5}})
        .input(plain({1, 8, 4}))
        .input(plain({1, 8, scores}))
        .input(plain({8, 4}))
        .output(plain({1, 5, 4}))
        .output(plain({1, 5}))
        .output(plain({1, 5}))
        .output(plain({1}))
        .error();
  };
  EXPECT_EQ(detection(1, 0.5, 4), "none");
  EXPECT_EQ(detection(2, 0.5, 4),
            "gives 2 classes of each box, which is not supported; export with max_classes_per_detection=1 or "
            "use_regular_nms");
  EXPECT_EQ(detection(1, 0, 4), "has nms_iou_threshold 0, it must be above 0 and at most 1");
  EXPECT_EQ(detection(1, 0.5, 5), "has 5 scores a box for 3 classes; there may be one more, for the background");
}

TEST(OperatorErrors, WhatCannotBeSupported) {
  EXPECT_EQ(why_unsupported("SOMETHING"), "this operator is not supported");
  EXPECT_EQ(
      why_unsupported("IF"),
      "decides at run time what to compute, which is not supported; choose with SELECT_V2, or make a model of "
      "each branch");
}

}  // namespace mote
