// SPDX-License-Identifier: Apache-2.0
// Any bytes become a checked view of a .tflite file or one Error.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/files.hpp"
#include "formats/tflite_view.hpp"
#include "support/shared.hpp"
#include "support/tflite_writer.hpp"

namespace mote {
namespace {

namespace schema = tflite::schema;
using schema::BuiltinOperator;
using test::TfliteWriter;

const TensorType row{DType::i8, {1, 4}, {{0.5F}, {-3}}};

// One fully connected operator without bias: tensors 0 input, 1 weights, 2 output.
TfliteWriter small_model() {
  TfliteWriter file;
  const int input = file.tensor("in", row);
  const TensorType type{DType::i8, {4, 4}, {{0.1F, 0.2F, 0.3F, 0.4F}, {0, 0, 0, 0}, 0}};
  const int weights =
      file.constant("weights", type, std::vector<int8_t>{1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1, 9, 9, 9, 9});
  const int output = file.tensor("out", row);
  file.add(BuiltinOperator::FULLY_CONNECTED, {input, weights, -1}, {output}, schema::FullyConnectedOptionsT{});
  file.finish({input}, {output});
  return file;
}

std::string parse_error(ByteSpan bytes) {
  try {
    (void)tflite::parse(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string parse_error(const std::function<void(TfliteWriter&)>& spoil) {
  TfliteWriter file = small_model();
  spoil(file);
  return parse_error(file.bytes());
}

// What the model says about tensor `index` after `spoil`.
std::string tensor_problem(int index, const std::function<void(schema::TensorT&)>& spoil) {
  TfliteWriter file = small_model();
  spoil(file.tensor_at(index));
  return tflite::parse(file.bytes()).tensors.at(static_cast<size_t>(index)).problem;
}

std::string operator_problem(const std::function<void(schema::OperatorT&)>& spoil) {
  TfliteWriter file = small_model();
  spoil(*file.graph().operators.at(0));
  return tflite::parse(file.bytes()).operators.at(0).problem;
}

TEST(FormatsTflite, ReadsWhatWasWritten) {
  const tflite::Model model = tflite::parse(small_model().bytes());
  ASSERT_EQ(model.tensors.size(), 3u);
  EXPECT_EQ(model.tensors[0].tensor.name, "in");
  EXPECT_EQ(model.tensors[0].tensor.type, row);
  EXPECT_FALSE(model.tensors[0].tensor.constant());
  EXPECT_EQ(model.tensors[1].tensor.type.quant.axis, 0);
  EXPECT_EQ(to_values<int8_t>(model.tensors[1].tensor.data)[5], 6);
  ASSERT_EQ(model.operators.size(), 1u);
  const tflite::FileOperator& op = model.operators[0];
  EXPECT_EQ(op.view.name, "FULLY_CONNECTED");
  EXPECT_EQ(op.in, (std::vector<size_t>{0, 1, tflite::absent}));
  EXPECT_EQ(op.view.inputs[2], nullptr);
  EXPECT_EQ(op.view.inputs[1], &model.tensors[1].tensor);
  EXPECT_FALSE(op.view.required_options<schema::FullyConnectedOptions>().keep_num_dims());
  EXPECT_THROW((void)op.view.options<schema::Conv2DOptions>(), Error);
  EXPECT_EQ(model.inputs, std::vector<size_t>{0});
  EXPECT_EQ(model.outputs, std::vector<size_t>{2});
}

TEST(FormatsTflite, BytesNeedNoAlignment) {
  const Bytes bytes = small_model().bytes();
  Bytes moved(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), moved.begin() + 1);
  EXPECT_EQ(tflite::parse(ByteSpan(moved).subspan(1)).tensors.size(), 3u);
}

TEST(FormatsTflite, FilesThatAreNoModel) {
  EXPECT_EQ(parse_error(ByteSpan()), "is empty; a .tflite model was expected");
  const std::string text = "this is not a model";
  EXPECT_EQ(parse_error(std::as_bytes(std::span(text))),
            "is not a .tflite model: the bytes 'TFL3' are missing at position 4");
  const Bytes bytes = small_model().bytes();
  EXPECT_EQ(parse_error(ByteSpan(bytes).first(100)),
            "is damaged or cut short: parts of it lie outside its 100 bytes; fetch or convert it again");
}

TEST(FormatsTflite, DamagedStructure) {
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.model().version = 2; }),
            "has TFLite schema version 2; only version 3 is supported");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.model().subgraphs.clear(); }),
            "has no subgraph; there is nothing to compute");
  const auto with_second = [](std::vector<int> outputs) {
    return parse_error([&](TfliteWriter& f) {
      f.model().subgraphs.push_back(std::make_unique<schema::SubGraphT>());
      f.model().subgraphs[1]->outputs = outputs;
    });
  };
  EXPECT_EQ(with_second({}), "");
  EXPECT_EQ(with_second({5}), "is damaged: the outputs of subgraph 1 name tensor 5 of 0");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().outputs.clear(); }),
            "has no outputs; there is nothing to compute");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().inputs = {3}; }),
            "is damaged: the model's inputs name tensor 3 of 3");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().outputs = {-1}; }),
            "is damaged: the model's outputs name tensor -1 of 3");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().operators[0]->inputs[1] = -2; }),
            "is damaged: inputs of operator #0 name tensor -2 of 3");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().operators[0]->outputs[0] = -1; }),
            "is damaged: outputs of operator #0 name tensor -1 of 3");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.graph().operators[0]->opcode_index = 1; }),
            "is damaged: operator #0 uses operator code 1 of 1");
  EXPECT_EQ(parse_error([](TfliteWriter& f) { f.tensor_at(0).buffer = 9; }),
            "is damaged: tensor 0 ('in') uses buffer 9 of 2");
}

TEST(FormatsTflite, TensorTypesAndShapes) {
  EXPECT_EQ(tensor_problem(0, [](schema::TensorT&) {}), "");
  EXPECT_EQ(tensor_problem(0, [](schema::TensorT& t) { t.type = schema::TensorType::FLOAT16; }),
            "has data type FLOAT16, which is not supported; use int8 or float32");
  EXPECT_EQ(tensor_problem(0, [](schema::TensorT& t) { t.type = static_cast<schema::TensorType>(77); }),
            "has data type number 77, which is not supported; use int8 or float32");
  EXPECT_EQ(tensor_problem(0,
                           [](schema::TensorT& t) {
                             t.shape = {1, -4};
                           }),
            "has a negative extent (-4) in its shape");
  EXPECT_EQ(tensor_problem(0, [](schema::TensorT& t) { t.shape.assign(9, 1); }), "has rank 9; the limit is 8");
  EXPECT_EQ(tensor_problem(0,
                           [](schema::TensorT& t) {
                             t.shape = {2147483647, 2147483647, 2147483647};
                           }),
            "shape 2147483647x2147483647x2147483647 is too large");
  EXPECT_EQ(tensor_problem(0, [](schema::TensorT& t) { t.sparsity = std::make_unique<schema::UnreadT>(); }),
            "is stored sparse, which is not supported; export it dense");
  EXPECT_EQ(tensor_problem(1,
                           [](schema::TensorT& t) {
                             t.shape = {4, 5};
                           }),
            "holds 16 bytes of data, but its shape 4x5 needs 20");
  EXPECT_EQ(tensor_problem(1, [](schema::TensorT& t) { t.is_variable = true; }),
            "keeps state from run to run but has an initial value");
  TfliteWriter outside = small_model();
  outside.model().buffers[1]->offset = 4096;
  EXPECT_EQ(tflite::parse(outside.bytes()).tensors[1].problem,
            "keeps its data behind the FlatBuffer, which is not supported");
}

TEST(FormatsTflite, Quantisation) {
  using Parameters = schema::QuantizationParametersT;
  const auto problem = [](int index, const std::function<void(Parameters&)>& spoil) {
    return tensor_problem(index, [&](schema::TensorT& tensor) { spoil(*tensor.quantization); });
  };
  EXPECT_EQ(problem(0, [](Parameters& q) { q.zero_point.clear(); }),
            "has 1 quantisation scales but 0 zero points");
  EXPECT_EQ(problem(0, [](Parameters& q) { q.scale[0] = 0; }),
            "has quantisation scale 0 at index 0; it must be positive");
  EXPECT_EQ(problem(1, [](Parameters& q) { q.scale[2] = -1; }),
            "has quantisation scale -1 at index 2; it must be positive");
  EXPECT_EQ(problem(0, [](Parameters& q) { q.scale[0] = std::nanf(""); }),
            "has quantisation scale nan at index 0; it must be positive");
  EXPECT_EQ(problem(0, [](Parameters& q) { q.scale[0] = HUGE_VALF; }),
            "has quantisation scale inf at index 0; it must be positive");
  EXPECT_EQ(problem(0, [](Parameters& q) { q.zero_point[0] = 128; }),
            "has zero point 128 at index 0, outside -128 to 127");
  EXPECT_EQ(problem(1, [](Parameters& q) { q.quantized_dimension = 2; }),
            "is quantised along axis 2 but its shape is 4x4");
  EXPECT_EQ(problem(1, [](Parameters& q) { q.quantized_dimension = -1; }),
            "is quantised along axis -1 but its shape is 4x4");
  EXPECT_EQ(problem(1, [](Parameters& q) { q.scale.resize(3, 1), q.zero_point.resize(3); }),
            "has 3 scales for the 4 indices of axis 0");
  EXPECT_EQ(problem(0, [](Parameters& q) { q.details_type = 1; }),
            "is quantised in a way of its own, which is not supported; use scales and zero points");
  const auto make_float = [](schema::TensorT& tensor) {
    tensor.type = schema::TensorType::FLOAT32;
    tensor.quantization->zero_point[0] = 0;
  };
  EXPECT_EQ(tensor_problem(2, make_float), "is f32 but has quantisation scales");
}

TEST(FormatsTflite, AVectorHasOneAxisWhateverTheFileSays) {
  TfliteWriter file = small_model();
  const int bias = file.constant("bias", {DType::i32, {2}, {{1.0F, 2.0F}, {0, 0}, 3}}, std::vector<int32_t>{1, 2});
  const tflite::Model model = tflite::parse(file.bytes());
  EXPECT_EQ(model.tensors[static_cast<size_t>(bias)].problem, "");
  EXPECT_EQ(model.tensors[static_cast<size_t>(bias)].tensor.type.quant.axis, 0);
}

TEST(FormatsTflite, OperatorsBeyondTheSchema) {
  EXPECT_EQ(operator_problem([](schema::OperatorT&) {}), "");
  EXPECT_EQ(operator_problem([](schema::OperatorT& op) { op.large_custom_options_offset = 5; }),
            "keeps its options behind the FlatBuffer, which is not supported");
  EXPECT_EQ(operator_problem([](schema::OperatorT& op) { op.builtin_options_2_type = 4; }),
            "carries options of the second kind (type 4), which Mote does not know");
}

// A model whose only operator carries `options` under the given type; they are written by hand, field by field.
Bytes model_with_options(schema::BuiltinOptions type,
                         const std::function<void(flatbuffers::FlatBufferBuilder&)>& add_fields) {
  flatbuffers::FlatBufferBuilder builder;
  const auto start = builder.StartTable();
  add_fields(builder);
  const flatbuffers::Offset<void> options(builder.EndTable(start));
  const std::vector<int32_t> index{0};
  const auto operators =
      builder.CreateVector(std::vector{schema::CreateOperatorDirect(builder, 0, &index, &index, type, options)});
  const auto codes = builder.CreateVector(std::vector{schema::CreateOperatorCode(builder, 25)});
  const auto tensors = builder.CreateVector(std::vector{schema::CreateTensorDirect(builder, &index)});
  const auto graph = schema::CreateSubGraph(builder, tensors, builder.CreateVector(index),
                                            builder.CreateVector(index), operators);
  const auto graphs = builder.CreateVector(std::vector{graph});
  const auto buffers = builder.CreateVector(std::vector{schema::CreateBuffer(builder)});
  schema::FinishModelBuffer(builder, schema::CreateModel(builder, 3, codes, graphs, 0, buffers));
  return to_bytes(std::span<const uint8_t>(builder.GetBufferPointer(), builder.GetSize()));
}

TEST(FormatsTflite, FieldsAndOptionsOfANewerSchema) {
  const auto add_one = [](flatbuffers::FlatBufferBuilder& b) { b.AddElement<float>(4, 1.0F, 0.0F); };
  const auto add_two = [](flatbuffers::FlatBufferBuilder& b) {
    b.AddElement<float>(4, 1.0F, 0.0F);
    b.AddElement<int32_t>(6, 1, 0);
  };
  const auto problem = [](const Bytes& bytes) { return tflite::parse(bytes).operators.at(0).problem; };
  EXPECT_EQ(problem(model_with_options(schema::BuiltinOptions::SoftmaxOptions, add_one)), "");
  EXPECT_EQ(problem(model_with_options(schema::BuiltinOptions::SoftmaxOptions, add_two)),
            "sets field 1 of its SoftmaxOptions, which Mote does not know");
  EXPECT_EQ(problem(model_with_options(static_cast<schema::BuiltinOptions>(200), add_one)),
            "carries options of type number 200, which Mote does not know");
}

TEST(FormatsTflite, NamesOfOperators) {
  const auto name = [](const std::function<void(schema::OperatorCodeT&)>& change) {
    TfliteWriter file = small_model();
    change(*file.model().operator_codes.at(0));
    return tflite::parse(file.bytes()).operators.at(0).view.name;
  };
  EXPECT_EQ(name([](schema::OperatorCodeT& c) { c.deprecated_builtin_code = 0; }), "FULLY_CONNECTED");
  EXPECT_EQ(name([](schema::OperatorCodeT& c) { c.builtin_code = BuiltinOperator::ADD; }), "FULLY_CONNECTED");
  EXPECT_EQ(name([](schema::OperatorCodeT& c) { c.builtin_code = static_cast<BuiltinOperator>(9999); }),
            "operator code 9999");
  const auto custom = [&](const std::string& text) {
    return name([&](schema::OperatorCodeT& c) { c.builtin_code = BuiltinOperator::CUSTOM, c.custom_code = text; });
  };
  EXPECT_EQ(custom("SignalWindow"), "SignalWindow");
  EXPECT_EQ(custom("CONV_2D"), "CUSTOM:CONV_2D");  // must not pass for the builtin one
  EXPECT_EQ(custom(""), "CUSTOM:");
}

TEST(FormatsTflite, SharedPartsCannotUnpackToMoreThanTheFileAllows) {
  TfliteWriter file = small_model();
  const int big = file.constant("big", {DType::i8, {1 << 20}, {}}, std::vector<int8_t>(1 << 20));
  for (int i = 0; i < 64; ++i) {
    file.tensor_at(file.tensor("again", {DType::i8, {1 << 20}, {}})).buffer = file.tensor_at(big).buffer;
  }
  const Bytes bytes = file.bytes();
  const tflite::Model model = tflite::parse(bytes);
  size_t held = 0;
  for (const tflite::FileTensor& tensor : model.tensors) held += tensor.tensor.data.size();
  EXPECT_LE(held, 4 * bytes.size() + (1 << 20));
  EXPECT_EQ(model.tensors.back().problem,
            fmt::format("shares so many parts that it unpacks to more than {} bytes; "
                        "convert the model again",
                        4 * bytes.size() + (1 << 20)));
}

TEST(FormatsTflite, EveryTruncationAndBitFlipIsAModelOrAnError) {
  const Bytes bytes = small_model().bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(parse_error(ByteSpan(bytes).first(length)), "") << length;
  }
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    (void)parse_error(flipped);
  }
}

TEST(FormatsTflite, EveryRealModelOpensAsAView) {
  MOTE_NEEDS_SHARED();
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_directory() / "models")) {
    if (entry.path().extension() != ".tflite") continue;
    ++count;
    const tflite::Model model = tflite::parse(read_file(entry.path()));
    EXPECT_FALSE(model.operators.empty()) << entry.path();
    for (const tflite::FileOperator& op : model.operators) EXPECT_EQ(op.problem, "") << entry.path();
    for (const tflite::FileTensor& tensor : model.tensors) {
      // The audio front ends of TFLM use unsigned words; nothing else in the collection is out of reach here.
      if (tensor.problem.starts_with("has data type UINT32,") ||
          tensor.problem.starts_with("has data type UINT64,")) {
        EXPECT_TRUE(entry.path().filename().string().starts_with("audio_pre")) << entry.path();
      } else {
        EXPECT_EQ(tensor.problem, "") << entry.path();
      }
    }
  }
  EXPECT_GE(count, 158u);
}

}  // namespace
}  // namespace mote
