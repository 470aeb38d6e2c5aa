// SPDX-License-Identifier: Apache-2.0
// A head that learns: its gradients against double precision, its record, the cut of the model, and what it
// learns.
#include "passes/trainable_head.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "compile/compile.hpp"
#include "emulate/process.hpp"
#include "ir/packed_i4.hpp"
#include "nn/head_record.hpp"
#include "nn/train_two_dense.hpp"
#include "passes/passes.hpp"
#include "simulate/head.hpp"
#include "simulate/simulate.hpp"
#include "support/float_net.hpp"
#include "support/head_memory.hpp"
#include "support/models.hpp"
#include "support/net_writer.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

std::string error_of(const Graph& graph, std::optional<int64_t> classes = {}, int64_t layers = 1) {
  try {
    static_cast<void>(split_head(graph, classes, layers));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SplitHead, ModelsWithoutADenseLastLayerNameWhatTheyEndWith) {
  test::NetWriter net(1);
  const Graph mean = compile_model(net.finish({net.mean(net.conv(net.image(8, 8, 3), 4, 3, 1))}), "net").graph;
  EXPECT_NE(error_of(mean).find("--trainable-head: the model ends with MEAN #1 (t4), which is no dense layer"),
            std::string::npos)
      << error_of(mean);
  test::FloatNet activated(1);
  const int x = activated.dense(activated.input({1, 6}), 5, tflite::schema::ActivationFunctionType::RELU);
  const Graph relu = activated.graph({activated.dense(x, 3, tflite::schema::ActivationFunctionType::RELU)});
  EXPECT_NE(error_of(relu).find("ends with FULLY_CONNECTED #1"), std::string::npos) << error_of(relu);
  test::FloatNet alone(1);
  const Graph single =
      alone.graph({alone.dense(alone.input({1, 6}), 5, tflite::schema::ActivationFunctionType::NONE)});
  EXPECT_NE(error_of(single).find("no backbone"), std::string::npos) << error_of(single);
  test::FloatNet rows(1);
  const int y = rows.dense(rows.input({4, 6}), 5, tflite::schema::ActivationFunctionType::RELU);
  const Graph batch = rows.graph({rows.dense(y, 3, tflite::schema::ActivationFunctionType::NONE)});
  EXPECT_NE(error_of(batch).find("computes 4 rows; export the model with batch 1"), std::string::npos);
}

// A backbone with its features of one input, and the head.
class Learner {
 public:
  explicit Learner(const SplitModel& split)
      : graph_(split.backbone),
        plan_(make_plan(graph_, {})),
        dense_{static_cast<int32_t>(split.head.inputs), static_cast<int32_t>(split.head.outputs),
               split.head.features.quant.scale.at(0), split.head.features.quant.zero.at(0)},
        head_(head_floats(dense_)) {
    nn::dense_clear(dense_, head_.data());
    if (split.head.first.weights.data.empty()) return;
    const std::vector<int8_t> weights = to_values<int8_t>(split.head.first.weights.data);
    nn::dense_fill(dense_, weights.data(), split.head.first.scales.data(), split.head.first.zero,
                   split.head.first.bias.data(), head_.data());
  }
  std::vector<int8_t> features(const Bytes& image) const {
    return to_values<int8_t>(simulate(graph_, plan_, std::vector<Bytes>{image}).at(0));
  }
  float train(const std::vector<int8_t>& features, int label, float rate) {
    return nn::dense_train(dense_, features.data(), head_.data(), label, 0.9F, rate);
  }
  std::vector<float> scores(const std::vector<int8_t>& features) {
    const nn::DenseHead head = nn::dense_head(dense_, head_.data());
    nn::dense_scores(dense_, features.data(), head);
    return {head.errors, head.errors + dense_.outputs};
  }
  int predict(const std::vector<int8_t>& features) {
    std::vector<float> probabilities(static_cast<size_t>(dense_.outputs));
    const int best = nn::dense_predict(dense_, features.data(), head_.data(), probabilities.data());
    EXPECT_NEAR(std::accumulate(probabilities.begin(), probabilities.end(), 0.0F), 1.0F, 1e-5F);
    return best;
  }

 private:
  Graph graph_;
  Plan plan_;
  nn::TrainDense dense_;
  std::vector<float> head_;
};

struct Digits {
  std::vector<Bytes> images;
  std::vector<int> labels;
};

Digits digits() {
  const std::filesystem::path folder = std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits";
  const Bytes images = read_file(folder / "test_images.bin");
  Digits data;
  for (const std::byte label : read_file(folder / "test_labels.bin")) {
    const auto begin = images.begin() + static_cast<long>(64 * data.labels.size());
    data.images.emplace_back(begin, begin + 64);
    data.labels.push_back(std::to_integer<int>(label));
  }
  return data;
}

Graph digits_graph() { return compile_file(test::digits_model()).graph; }

// Before any training the head's sums are those of the file's layer, which rounds them to steps of its output:
// twice, first to a 128th of a step. Returns how many were compared.
int starts_as_its_own_layer(Graph graph, const std::vector<Bytes>& inputs) {
  const SplitModel split = split_head(graph);
  Learner learner(split);
  const auto dense = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const Node& node) { return node.origin == split.head.layer; });
  if (dense == graph.nodes.end()) return 0;
  graph.outputs = dense->out;
  const Quantization quant = graph.tensors[dense->out[0]].type.quant;
  graph = remove_dead(graph);
  const Plan plan = make_plan(graph, {});
  int compared = 0;
  for (const Bytes& input : inputs) {
    const auto logits = to_values<int8_t>(simulate(graph, plan, std::vector<Bytes>{input}).at(0));
    const std::vector<float> scores = learner.scores(learner.features(input));
    for (size_t i = 0; i < logits.size(); ++i) {
      if (logits[i] == 127 || logits[i] == -128) continue;  // saturated
      EXPECT_NEAR(scores[i] / quant.scale[0] + static_cast<float>(quant.zero[0]), static_cast<float>(logits[i]),
                  0.51F);
      ++compared;
    }
  }
  return compared;
}

TEST(SplitHead, StartsAsTheFilesOwnLayer) {
  EXPECT_GT(starts_as_its_own_layer(digits_graph(), digits().images), 3000);
}

TEST(SplitHead, WeightsOfFourBitsAreThoseOfEight) {
  test::NetWriter net(9);
  net.limit_weights(7);
  const int x = net.conv(net.image(4, 4, 2), 3, 3, 1);
  Graph graph = compile_model(net.finish({net.dense(x, 5)}), "net").graph;
  const Tensor bytes = split_head(graph).head.first.weights;
  Tensor& weights = graph.tensors[graph.nodes.back().in[1]];
  weights = packed_i4(weights);
  const Tensor read = split_head(graph).head.first.weights;
  EXPECT_EQ(read.type.dtype, DType::i8);
  EXPECT_EQ(read.data, bytes.data);
}

std::vector<Bytes> random_images(int64_t bytes, int count) {
  std::mt19937 random(3);
  std::vector<Bytes> images(static_cast<size_t>(count), Bytes(static_cast<size_t>(bytes)));
  for (Bytes& image : images)
    std::generate(image.begin(), image.end(), [&] { return static_cast<std::byte>(random() % 256); });
  return images;
}

// Behind an average of the whole map, and with a window that is the whole map.
TEST(SplitHead, AConvolutionOnASinglePlaceIsADenseLayer) {
  test::NetWriter pooled(4);
  pooled.limit_weights(12);
  const int x = pooled.conv(pooled.image(6, 6, 3), 20, 3, 1);
  const Bytes mean = pooled.finish({pooled.conv(pooled.average(x, 6, 6, false), 5, 1, 1)});
  test::NetWriter whole(5);
  whole.limit_weights(12);
  const int y = whole.conv(whole.image(6, 6, 3), 7, 3, 2);
  const Bytes window = whole.finish({whole.conv(y, 4, 3, 1, false)});
  const Graph graphs[] = {compile_model(mean, "net").graph, compile_model(window, "net").graph};
  const int64_t features[] = {20, 3 * 3 * 7};
  for (size_t i = 0; i < 2; ++i) {
    const SplitModel split = split_head(graphs[i]);
    EXPECT_EQ(split.head.layer.substr(0, 7), "CONV_2D");
    EXPECT_EQ(split.head.inputs, features[i]);
    EXPECT_EQ(head_sizes(split.head).flash, split.head.outputs * (features[i] + 8));
    EXPECT_GT(starts_as_its_own_layer(graphs[i], random_images(6 * 6 * 3, 30)), 60);
  }
}

TEST(SplitHead, OtherConvolutionsAreNamed) {
  const auto error = [](auto last) {
    test::NetWriter net(1);
    return error_of(compile_model(net.finish({last(net, net.conv(net.image(8, 8, 3), 4, 3, 1))}), "net").graph);
  };
  const std::string map = error([](auto& net, int x) { return net.conv(x, 5, 1, 1); });
  EXPECT_NE(map.find("computes 64 rows; export the model with batch 1, a last convolution on a 1x1 map"),
            std::string::npos)
      << map;
  const std::string padded =
      error([](auto& net, int x) { return net.conv(net.average(x, 8, 8, false), 5, 3, 1); });
  EXPECT_NE(padded.find("ends with CONV_2D #2"), std::string::npos) << padded;
  const std::string clamped =
      error([](auto& net, int x) { return net.relu(net.conv(net.average(x, 8, 8, false), 5, 1, 1)); });
  EXPECT_NE(clamped.find("without activation"), std::string::npos) << clamped;
}

// A new head learns from some images of each class, and is judged by others.
TEST(SplitHead, ANewHeadLearnsTheClassesFromTheFeatures) {
  Learner learner(split_head(digits_graph(), 10));
  const Digits data = digits();
  std::vector<std::vector<int8_t>> features;
  for (const Bytes& image : data.images) features.push_back(learner.features(image));
  const size_t trained = 180;
  const auto right = [&] {
    int count = 0;
    for (size_t i = trained; i < features.size(); ++i) count += learner.predict(features[i]) == data.labels[i];
    return count;
  };
  EXPECT_LE(right(), 36) << "zeros know nothing";
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (size_t i = 0; i < trained; ++i) learner.train(features[i], data.labels[i], 0.0005F);
  }
  std::cout << right() << " of " << features.size() - trained << " images not trained with are right\n";
  EXPECT_GE(right(), 167) << "93 %";
}

// Other meanings: digits 0 to 4 against 5 to 9, which no layer of the file knows.
TEST(SplitHead, ANewHeadLearnsOtherClasses) {
  Learner learner(split_head(digits_graph(), 2));
  const Digits data = digits();
  int right = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (size_t i = 0; i < 240; ++i)
      learner.train(learner.features(data.images[i]), data.labels[i] > 4 ? 1 : 0, 0.0005F);
  }
  for (size_t i = 240; i < 360; ++i)
    right += learner.predict(learner.features(data.images[i])) == (data.labels[i] > 4 ? 1 : 0);
  std::cout << right << " of 120 images not trained with are right\n";
  EXPECT_GE(right, 102) << "85 %";
}

TEST(SplitHead, TwoLayersStartAsTheFilesOwn) {
  test::NetWriter net(7);
  net.limit_weights(30);
  const int x = net.dense(net.conv(net.image(5, 5, 2), 4, 3, 2), 12);
  const Graph graph = compile_model(net.finish({net.dense(x, 6)}), "net").graph;
  SimulatedHead one(split_head(graph).head), two(split_head(graph, {}, 2).head);
  ASSERT_TRUE(two.description().hidden.has_value());
  EXPECT_EQ(two.description().hidden->outputs, 12);
  EXPECT_EQ(two.description().inputs, 3 * 3 * 4);
  EXPECT_EQ(head_sizes(two.description()).parameters, 4 * (12 * 37 + 6 * 13));
  EXPECT_NE(one.description().model, two.description().model);
  const Graph front = split_head(graph).backbone, back = split_head(graph, {}, 2).backbone;
  const Plan front_plan = make_plan(front, {}), back_plan = make_plan(back, {});
  int same = 0;
  for (const Bytes& image : random_images(5 * 5 * 2, 40)) {
    std::vector<float> expected(6), found(6);
    const int32_t best = one.predict(simulate(front, front_plan, std::vector<Bytes>{image}).at(0), expected);
    same += two.predict(simulate(back, back_plan, std::vector<Bytes>{image}).at(0), found) == best;
  }
  EXPECT_GE(same, 34) << "the hidden values are not rounded and do not saturate";
  // A record of one is none of the other.
  EXPECT_EQ(two.load(one.save()), nn::head_other_model);
  EXPECT_EQ(two.load(two.save()), nn::head_ok);
}

TEST(SplitHead, WithoutASecondDenseLayerTheErrorNamesWhatStandsThere) {
  const std::string digits = error_of(digits_graph(), {}, 2);
  EXPECT_NE(digits.find("in front of FULLY_CONNECTED #7 (logits) stands "), std::string::npos) << digits;
  EXPECT_NE(digits.find("train the last layer alone"), std::string::npos) << digits;
  test::FloatNet net(1);
  const int x = net.dense(net.input({1, 6}), 5, tflite::schema::ActivationFunctionType::RELU);
  const Graph graph = net.graph({net.dense(x, 3, tflite::schema::ActivationFunctionType::NONE)});
  EXPECT_NE(error_of(graph, {}, 2).find("no backbone in front of it; train the last layer alone"),
            std::string::npos);
  EXPECT_NE(error_of(graph, {}, 3).find("3 layers cannot learn"), std::string::npos);
}

TEST(SplitHead, TheClampBetweenTwoLayersIsTheActivations) {
  for (const auto& [activation, low, high] :
       {std::tuple{tflite::schema::ActivationFunctionType::RELU6, 0.0F, 6.0F},
        std::tuple{tflite::schema::ActivationFunctionType::NONE, std::numeric_limits<float>::lowest(),
                   std::numeric_limits<float>::max()}}) {
    test::FloatNet net(1);
    const int x = net.dense(net.input({1, 6}), 5, tflite::schema::ActivationFunctionType::RELU);
    const Graph graph =
        net.graph({net.dense(net.dense(x, 4, activation), 3, tflite::schema::ActivationFunctionType::NONE)});
    const SplitModel split = split_head(graph, 8, 2);
    EXPECT_EQ(split.head.hidden->low, low);
    EXPECT_EQ(split.head.hidden->high, high);
    EXPECT_FALSE(split.head.hidden->first.weights.data.empty());
    EXPECT_TRUE(split.head.first.weights.data.empty());
  }
}

TEST(SplitHead, TheModelsNumberNamesTheFeaturesNotTheFile) {
  const uint64_t model = split_head(digits_graph()).head.model;
  Graph renamed = digits_graph();
  renamed.name = "other";
  EXPECT_EQ(split_head(renamed).head.model, model);
  Graph changed = digits_graph();
  for (Tensor& tensor : changed.tensors) {
    if (!tensor.constant()) continue;
    tensor.data[0] ^= std::byte{1};
    break;
  }
  EXPECT_NE(split_head(changed).head.model, model);
}

class HeadProgram : public testing::Test {
 protected:
  ProcessResult compile(std::vector<std::string> more) {
    std::vector<std::string> command{MOTE_PROGRAM, "compile", test::digits_model().string(), "-o",
                                     (folder_.path() / "out").string()};
    command.insert(command.end(), more.begin(), more.end());
    return run_process(command, std::chrono::seconds(120));
  }
  TemporaryDirectory folder_;
};

TEST_F(HeadProgram, PrintsAndReportsItsMemory) {
  const ProcessResult result = compile({"--trainable-head", "--classes", "4"});
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  const int64_t parameters = 4 * 4 * (128 + 1), scratch = 4 * (128 + 4);
  EXPECT_NE(result.output.find("RAM 4,656 B (parameters 2,064 B, momentum 2,064 B, features and errors 528 B)"),
            std::string::npos)
      << result.output;
  const std::filesystem::path out = folder_.path() / "out";
  const auto report = nlohmann::json::parse(read_text(out / "report.json"))["head"];
  EXPECT_EQ(report["ram_bytes"], 2 * parameters + scratch);
  EXPECT_EQ(report["record_bytes"], parameters + 28);
  EXPECT_EQ(report["flash_bytes"], 0);
  EXPECT_NE(read_text(out / "digits_head.h").find("#define DIGITS_HEAD_BYTES 4656\n"), std::string::npos);
}

TEST_F(HeadProgram, RefusesWhatDoesNotGoTogether) {
  const auto error = [&](const std::vector<std::string>& flags) { return compile(flags).errors; };
  EXPECT_EQ(error({"--classes", "3"}), "mote: error: --classes N is for a new head; add --trainable-head\n");
  EXPECT_EQ(error({"--trainable-layers", "2"}),
            "mote: error: --trainable-layers N says how many layers learn; add --trainable-head\n");
  EXPECT_NE(error({"--trainable-head", "--trainable-layers", "2"}).find("in front of FULLY_CONNECTED #7"),
            std::string::npos);
  const std::vector<std::vector<std::string>> others{
      {"--package", "cmake"}, {"--cores", "2"}, {"--stream-input"}, {"--board", "esp32-c3"}};
  for (std::vector<std::string> flags : others) {
    flags.emplace_back("--trainable-head");
    EXPECT_NE(error(flags).find("mote: error: --trainable-head and " + flags[0]), std::string::npos)
        << error(flags);
    EXPECT_NE(error(flags).find("do not go together; "), std::string::npos) << error(flags);
  }
  EXPECT_EQ(error({"--trainable-head", "--ram", "10000"}),
            "mote: error: RAM: the trainable head alone takes 10872 B of 10000 B; choose fewer classes or fewer "
            "features\n");
  EXPECT_NE(error({"--trainable-head", "--ram", "11500"}).find("does not fit"), std::string::npos);
}

}  // namespace
}  // namespace mote
