// SPDX-License-Identifier: Apache-2.0
// `mote quantize` as a person uses it, and its accuracy on real digits where they are there.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "quantize/compare.hpp"
#include "quantize/observe.hpp"
#include "quantize/quantize.hpp"
#include "support/float_net.hpp"
#include "support/npz_writer.hpp"
#include "support/shared.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;
namespace schema = tflite::schema;
using Fused = schema::ActivationFunctionType;

class QuantizeProgram : public testing::Test {
 protected:
  QuantizeProgram() {
    test::FloatNet net(1);
    const int x = net.input({1, 6, 6, 1});
    const int c = net.conv(x, 4, 3, Fused::RELU);
    write_file(path("net.tflite"), net.finish({net.softmax(net.dense(net.reshape(c, {1, 144}), 3, Fused::NONE))}));
    const std::vector<float> values = net.values(40 * 36, -1, 1);
    write_file(path("samples.npz"), test::npz({{"x", test::npy("<f4", {40, 6, 6, 1}, values)}}));
    // Labels are the float model's own answers, so that it is right always.
    const Graph graph = compile_file(path("net.tflite")).graph;
    std::vector<int32_t> labels;
    for (const std::vector<Bytes>& outputs : run_samples(graph, read_samples(path("samples.npz"), graph))) {
      const std::vector<float> scores = to_values<float>(outputs[0]);
      labels.push_back(static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin()));
    }
    write_file(path("labelled.npz"), test::npz({{"x", test::npy("<f4", {40, 6, 6, 1}, values)},
                                                {"labels", test::npy("<i4", {40}, labels)}}));
  }

  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {MOTE_PROGRAM, "quantize"});
    return run_process(arguments, std::chrono::seconds(60));
  }
  ProcessResult quantize(std::vector<std::string> more, const std::string& model = "net.tflite") {
    more.insert(more.begin(), {path(model), "--calib", path("samples.npz")});
    return run(more);
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryDirectory folder_;
};

TEST_F(QuantizeProgram, WritesAModelThatMoteCompiles) {
  const ProcessResult result = quantize({"-o", path("int8.tflite")});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_NE(result.output.find("CONV_2D #0"), std::string::npos);
  const Graph graph = compile_file(path("int8.tflite")).graph;
  EXPECT_EQ(graph.tensors[graph.inputs[0]].type.dtype, DType::i8);
  EXPECT_EQ(graph.tensors[graph.outputs[0]].type.quant, (Quantization{{1.0F / 256}, {-128}, -1}));
  EXPECT_EQ(quantize({"-o", path("again.tflite")}).exit_status, 0);
  EXPECT_EQ(read_file(path("again.tflite")), read_file(path("int8.tflite"))) << "same input, same bytes";
}

TEST_F(QuantizeProgram, PrintsTheReportAsJson) {
  const ProcessResult result = quantize({"-o", path("int8.tflite"), "--json", "--evaluate", path("labelled.npz")});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  const nlohmann::json json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["written"], true);
  EXPECT_EQ(json["bytes"], fs::file_size(path("int8.tflite")));
  ASSERT_EQ(json["layers"].size(), 3U);  // the view has none
  const nlohmann::json& conv = json["layers"][0];
  EXPECT_EQ(conv["name"], "CONV_2D #0 (t3)");
  EXPECT_EQ(conv["integer"], true);
  EXPECT_EQ(conv["values"][0], 0.0);
  EXPECT_NEAR(conv["scale"].get<double>(), conv["values"][1].get<double>() / 255, 1e-6);
  EXPECT_EQ(conv["zero_point"], -128);
  EXPECT_EQ(conv["saturation"], 0.0);
  EXPECT_GT(conv["signal_to_noise_db"], 30);
  EXPECT_LT(conv["signal_to_noise_db"], 60);
  const nlohmann::json& accuracy = json["accuracy"];
  EXPECT_EQ(accuracy["samples"], 40);
  EXPECT_EQ(accuracy["float"]["percent"], 100.0);
  EXPECT_GE(accuracy["integer"]["percent"], 90.0);
  EXPECT_EQ(accuracy["integer"]["right"], accuracy["agree"]) << "the labels are the float model's answers";
}

TEST_F(QuantizeProgram, WritesNothingBelowTheLeastAccuracy) {
  // Wrong labels on purpose: no model can be right.
  const Graph graph = compile_file(path("net.tflite")).graph;
  const Samples samples = read_samples(path("labelled.npz"), graph);
  std::vector<int32_t> wrong;
  for (const int64_t label : samples.labels) wrong.push_back(static_cast<int32_t>((label + 1) % 3));
  Bytes inputs;
  for (const auto& sample : samples.inputs) inputs.insert(inputs.end(), sample[0].begin(), sample[0].end());
  write_file(path("wrong.npz"), test::npz({{"x", test::npy("<f4", {40, 6, 6, 1}, ByteSpan(inputs))},
                                           {"labels", test::npy("<i4", {40}, wrong)}}));
  const ProcessResult result =
      quantize({"-o", path("int8.tflite"), "--evaluate", path("wrong.npz"), "--min-accuracy", "50"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.errors.find("less than --min-accuracy 50; nothing was written"), std::string::npos)
      << result.errors;
  EXPECT_FALSE(fs::exists(path("int8.tflite")));
  EXPECT_EQ(quantize({"-o", path("int8.tflite"), "--evaluate", path("labelled.npz"), "--min-accuracy", "90"})
                .exit_status,
            0);
  EXPECT_EQ(quantize({"-o", path("x.tflite"), "--min-accuracy", "50"}).errors,
            "mote: error: --min-accuracy needs --evaluate DATA.npz\n");
}

TEST_F(QuantizeProgram, NobodysFileIsOverwritten) {
  const std::string mine = path("mine.tflite");
  write_file(mine, read_file(path("net.tflite")));
  ProcessResult result = quantize({"-o", mine});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.errors,
            "mote: error: " + mine +
                ": is there already, and is nothing that `mote quantize` wrote; choose another name "
                "or remove it\n");
  EXPECT_EQ(read_file(mine), read_file(path("net.tflite")));
  EXPECT_EQ(quantize({"-o", path("net.tflite")}).errors,
            "mote: error: " + path("net.tflite") + ": is the model itself; choose another name\n");
  EXPECT_EQ(quantize({"-o", path("samples.npz")}).errors,
            "mote: error: " + path("samples.npz") + ": holds the samples; choose another name\n");
  // What it wrote itself it replaces.
  ASSERT_EQ(quantize({"-o", path("int8.tflite")}).exit_status, 0);
  const Bytes first = read_file(path("int8.tflite"));
  ASSERT_EQ(quantize({"-o", path("int8.tflite"), "--keep-float-io"}).exit_status, 0);
  EXPECT_NE(read_file(path("int8.tflite")), first);
  result = quantize({"-o", path("twice.tflite")}, "int8.tflite");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_FALSE(fs::exists(path("twice.tflite")));
}

// ---- real digits

std::vector<uint8_t> gunzip(const fs::path& file) {
  const ProcessResult result = run_process({"gzip", "-dc", file.string()}, std::chrono::seconds(60));
  return {result.output.begin(), result.output.end()};
}

Samples digits(const std::string& kind, size_t first, size_t count) {
  const fs::path folder = test::shared_directory() / "data" / "mnist";
  const std::vector<uint8_t> images = gunzip(folder / (kind + "-images-idx3-ubyte.gz"));
  const std::vector<uint8_t> labels = gunzip(folder / (kind + "-labels-idx1-ubyte.gz"));
  Samples samples;
  for (size_t i = first; i < first + count; ++i) {
    std::vector<float> pixels;
    for (size_t p = 0; p < 784; ++p) pixels.push_back(static_cast<float>(images.at(16 + i * 784 + p)) / 255.0F);
    samples.inputs.push_back({to_bytes(pixels)});
    samples.labels.push_back(labels.at(8 + i));
  }
  return samples;
}

TEST(QuantizeDigits, IntegersAreAsRightAsReals) {
  MOTE_NEEDS_SHARED();
  const fs::path model = test::shared_directory() / "models" / "emlearn_mnist_fp32.tflite";
  if (!fs::exists(model) || !fs::exists(test::shared_directory() / "data" / "mnist"))
    GTEST_SKIP() << "needs emlearn_mnist_fp32.tflite and the data/mnist folder";
  const Graph graph = compile_file(model).graph;
  // The last 300 test images give the ranges, all others the accuracy.
  const Samples calibration = digits("t10k", 9700, 300), test = digits("t10k", 0, 9700);
  for (const RangeMethod method : {RangeMethod::minmax, RangeMethod::mse}) {
    QuantizeOptions options;
    options.range.method = method;
    const Accuracy accuracy = evaluate(graph, quantize(graph, calibration, options).integer.graph, test);
    EXPECT_GT(accuracy.percent(accuracy.real), 97.0);
    EXPECT_GT(accuracy.percent(accuracy.integer), accuracy.percent(accuracy.real) - 0.3);
  }
}

}  // namespace
}  // namespace mote
