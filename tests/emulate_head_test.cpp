// SPDX-License-Identifier: Apache-2.0
// Training in an emulated core: losses, probabilities and the saved record have the bits of the host's.
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "codegen/head.hpp"
#include "compile/compile.hpp"
#include "emulate/emulate.hpp"
#include "fit/build.hpp"
#include "measure/train_head.hpp"
#include "nn/head_record.hpp"
#include "nn/train_dense.hpp"
#include "simulate/head.hpp"
#include "simulate/simulate.hpp"
#include "support/float_net.hpp"
#include "support/models.hpp"
#include "support/tiny_model.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

constexpr int images = 12, image_bytes = 64;

// A model for the emulator whose run is an application: it trains the head with images and labels.
constexpr std::string_view trainer = R"(
#include <string.h>
#include "digits.cpp"
#include "digits_head.cpp"

extern "C" void trainer_run(void* memory) {
  const uint8_t* image = static_cast<const uint8_t*>(trainer_input0(memory));
  const uint8_t* const labels = image + 12 * 64;
  uint8_t* out = static_cast<uint8_t*>(trainer_output0(memory));
  alignas(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];
  alignas(DIGITS_HEAD_ALIGN) uint8_t head[DIGITS_HEAD_BYTES];
  digits_head_init(head);
  for (int i = 0; i < 12; ++i, image += 64) {
    memcpy(digits_input0(arena), image, 64);
    digits_run(arena);
    const float loss = digits_train_step(arena, head, labels[i], 0.01f);
    memcpy(out, &loss, 4);
    out += 4;
  }
  float probabilities[DIGITS_HEAD_OUTPUTS];
  *out++ = static_cast<uint8_t>(digits_predict(arena, head, probabilities));
  memcpy(out, probabilities, sizeof probabilities);
  out += sizeof probabilities;
  digits_head_save(head, out);
  memset(head, 0xA5, sizeof head);
  out[100] ^= 1;
  out[DIGITS_HEAD_RECORD_BYTES] = static_cast<uint8_t>(digits_head_load(head, out));
  out[100] ^= 1;
  out[DIGITS_HEAD_RECORD_BYTES + 1] = static_cast<uint8_t>(digits_head_load(head, out));
  digits_predict(arena, head, probabilities);
  memcpy(out + DIGITS_HEAD_RECORD_BYTES + 2, probabilities, sizeof probabilities);
}
)";

template <class T>
void append(Bytes& bytes, const std::vector<T>& values) {
  const Bytes more = to_bytes(values);
  bytes.insert(bytes.end(), more.begin(), more.end());
}

// The same on the host, from the kernels and the simulator.
Bytes on_host(const SplitModel& split, const Plan& plan, const Bytes& input) {
  const TrainableHead& head = split.head;
  const nn::TrainDense p{static_cast<int32_t>(head.inputs), static_cast<int32_t>(head.outputs),
                         head.features.quant.scale.at(0), head.features.quant.zero.at(0)};
  std::vector<float> memory(static_cast<size_t>(head_sizes(head).ram()) / 4);
  nn::dense_clear(p, memory.data());
  if (!head.first.weights.data.empty()) {
    const std::vector<int8_t> weights = to_values<int8_t>(head.first.weights.data);
    nn::dense_fill(p, weights.data(), head.first.scales.data(), head.first.zero, head.first.bias.data(),
                   memory.data());
  }
  std::vector<int8_t> features;
  Bytes out;
  for (long i = 0; i < images; ++i) {
    const Bytes image(input.begin() + i * image_bytes, input.begin() + (i + 1) * image_bytes);
    features = to_values<int8_t>(simulate(split.backbone, plan, std::vector<Bytes>{image}).at(0));
    const int label = std::to_integer<int>(input.at(static_cast<size_t>(images * image_bytes + i)));
    append(out, std::vector<float>{nn::dense_train(p, features.data(), memory.data(), label, 0.9F, 0.01F)});
  }
  std::vector<float> probabilities(static_cast<size_t>(head.outputs));
  const int best = nn::dense_predict(p, features.data(), memory.data(), probabilities.data());
  append(out, std::vector<uint8_t>{static_cast<uint8_t>(best)});
  append(out, probabilities);
  std::vector<uint8_t> record(static_cast<size_t>(head_sizes(head).record));
  nn::save_head({{static_cast<uint32_t>(head.model), static_cast<uint32_t>(head.model >> 32)},
                 p.inputs,
                 p.outputs,
                 nn::dense_parameters(p)},
                memory.data(), record.data());
  append(out, record);
  append(out, std::vector<uint8_t>{nn::head_damaged, nn::head_ok});
  append(out, probabilities);
  return out;
}

struct Way {
  std::string name, target;
  Mode mode;
  std::optional<int64_t> classes;
};

class HeadOnACore : public testing::TestWithParam<Way> {};

TEST_P(HeadOnACore, LearnsTheBitsOfTheHost) {
  const Way& way = GetParam();
  const Target& target = find_target(way.target);
  const SplitModel split = split_head(compile_file(test::digits_model()).graph, way.classes);
  const Plan plan = make_plan(split.backbone, plan_options(way.mode, target.core));
  const TemporaryDirectory folder;
  for (const GeneratedFile& file : generate_with_head(split.backbone, plan, way.mode, split.head)) {
    std::filesystem::create_directories((folder.path() / file.path).parent_path());
    write_file(folder.path() / file.path, std::string_view(file.text));
  }
  const std::filesystem::path data = std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits";
  Bytes input = read_file(data / "test_images.bin");
  const Bytes labels = read_file(data / "test_labels.bin");
  input.resize(images * image_bytes);
  input.insert(input.end(), labels.begin(), labels.begin() + images);
  const Bytes expected = on_host(split, plan, input);
  const auto outputs = static_cast<int64_t>(expected.size());
  test::write_tiny_model(folder.path(), "trainer", static_cast<int>(input.size()), static_cast<int>(outputs), 1,
                         std::string(trainer));
  EmulateRequest request{.target = target,
                         .model_directory = folder.path(),
                         .name = "trainer",
                         .input_bytes = {static_cast<int64_t>(input.size())},
                         .output_bytes = {outputs},
                         .steps = 1,
                         .cases = {{input}},
                         .continues = {},
                         .optimize = std::string(way.mode == Mode::size ? target.size_flags : target.speed_flags)};
  const EmulateResult result = emulate(request);
  EXPECT_EQ(result.outputs.at(0).at(0), expected);
  std::cout << result.instructions.at(0) << " instructions for " << images << " images\n";
}

INSTANTIATE_TEST_SUITE_P(Ways, HeadOnACore,
                         testing::Values(Way{"rv32_of_the_file", "rv32imac", Mode::balanced, {}},
                                         Way{"rv32_size", "rv32imac", Mode::size, {}},
                                         Way{"rv32_new", "rv32imac", Mode::speed, 10},
                                         Way{"m4_of_the_file", "cortex-m4f", Mode::balanced, {}},
                                         Way{"m0_new", "cortex-m0plus", Mode::balanced, 10}),
                         [](const auto& info) { return info.param.name; });

// What Python calls: epochs of training, then predictions, in the emulator and on the host.
void expect_the_bits_of_the_host(const SplitModel& split, const Target& target, const HeadTraining& training) {
  const Plan plan = make_plan(split.backbone, plan_options(Mode::balanced, target.core));
  const TrainedHead trained = train_head(split, plan, target, Mode::balanced, training);
  SimulatedHead head(split.head);
  const auto features = [&](const std::vector<Bytes>& inputs) {
    return simulate(split.backbone, plan, inputs).at(0);
  };
  std::vector<float> losses, all;
  for (int epoch = 0; epoch < training.epochs; ++epoch) {
    for (size_t i = 0; i < training.samples.size(); ++i)
      losses.push_back(head.train(features(training.samples[i]), training.labels[i], training.rate));
  }
  std::vector<int32_t> classes;
  for (const std::vector<Bytes>& test : training.tests) {
    std::vector<float> probabilities(static_cast<size_t>(split.head.outputs));
    classes.push_back(head.predict(features(test), probabilities));
    all.insert(all.end(), probabilities.begin(), probabilities.end());
  }
  EXPECT_EQ(to_bytes(trained.losses), to_bytes(losses));
  EXPECT_LT(losses[training.samples.size()], losses[0]);
  EXPECT_EQ(trained.classes, classes);
  EXPECT_EQ(to_bytes(trained.probabilities), to_bytes(all));
  EXPECT_EQ(trained.record, head.save());
  EXPECT_EQ(trained.step_instructions.size(), losses.size());
  EXPECT_GT(trained.step_instructions[0], trained.prediction_instructions.at(0));
  const LayoutRequest request{.target = &target, .board = {}, .memories = {}};
  const Planner planner = [&](const PlanOptions&) { return Compiled{split.backbone, plan}; };
  const Built told = build(planner, request, {}, true, &split.head);
  EXPECT_GE(told.sizes->stack_bound_bytes, trained.stack_peak_bytes) << "what compile tells, what was painted";
  EXPECT_LE(told.sizes->stack_bound_bytes, trained.stack_peak_bytes + 200);
  EXPECT_GE(told.sizes->stack_bound_bytes, build(planner, request, {}, true).sizes->stack_bound_bytes);
}

TEST(TrainHead, EpochsInTheEmulatorHaveTheBitsOfTheHost) {
  const SplitModel split = split_head(compile_file(test::digits_model()).graph, 10);
  const std::filesystem::path data = std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits";
  const Bytes pixels = read_file(data / "test_images.bin"), labels = read_file(data / "test_labels.bin");
  HeadTraining training{.samples = {}, .labels = {}, .epochs = 2, .rate = 0.001F, .tests = {}};
  for (long i = 0; i < 8; ++i) {
    const Bytes image(pixels.begin() + i * image_bytes, pixels.begin() + (i + 1) * image_bytes);
    (i < 5 ? training.samples : training.tests).push_back({image});
    if (i < 5) training.labels.push_back(std::to_integer<int>(labels[static_cast<size_t>(i)]));
  }
  expect_the_bits_of_the_host(split, find_target("rv32imac"), training);
}

// Of a float model with ReLU6 between them, from the file's weights and with new classes.
TEST(TrainHead, TwoLayersLearnTheSameBits) {
  using Activation = tflite::schema::ActivationFunctionType;
  test::FloatNet net(2);
  const int x = net.dense(net.dense(net.input({1, 10}), 16, Activation::RELU), 9, Activation::RELU6);
  const Graph graph = net.graph({net.dense(x, 4, Activation::NONE)});
  HeadTraining training{.samples = {}, .labels = {}, .epochs = 2, .rate = 0.01F, .tests = {}};
  for (int i = 0; i < 8; ++i) {
    (i < 6 ? training.samples : training.tests).push_back({to_bytes(net.values(10, -1, 1))});
    if (i < 6) training.labels.push_back(i % 3);
  }
  for (const auto& [target, classes] :
       {std::pair{"rv32imac", std::optional<int64_t>()}, std::pair{"cortex-m4f", std::optional<int64_t>(3)}})
    expect_the_bits_of_the_host(split_head(graph, classes, 2), find_target(target), training);
}

}  // namespace
}  // namespace mote
