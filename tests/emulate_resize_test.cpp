// SPDX-License-Identifier: Apache-2.0
// Firmware that resizes images in strips, beside strides that are no power of two, computes what the whole does.
#include <gtest/gtest.h>

#include "codegen/codegen.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

using test::NetWriter;

struct Way {
  std::string name, target;
  Mode mode;
  DType dtype;
  bool stream_input = false;
  int cores = 1;
};

// To any height and width, mostly between the pixels, with either option or none.
int resized(NetWriter& net, int x, int64_t height, int64_t width) {
  const int64_t option = net.integer(0, 2);
  return net.integer(0, 3) == 0 ? net.nearest(x, height, width, option == 1, option == 2)
                                : net.bilinear(x, height, width, option == 1, option == 2);
}

// Up or down twice in one chain, and a branch of its own pace that is added.
Bytes random_resizes(unsigned seed, DType dtype) {
  NetWriter net(seed, dtype);
  const int64_t channels = net.integer(2, 9), stride = net.integer(1, 3);
  const int x = net.conv(net.image(2 * net.integer(5, 14) + 1, net.integer(6, 11), 2), channels, 3, 1);
  const int y = net.conv(resized(net, x, net.integer(7, 41), net.integer(4, 12)), channels, 3, 1);
  const int z = net.maximum(y, 3, static_cast<int>(stride == 2 ? 5 : stride));
  const int64_t height = net.integer(7, 45), width = net.integer(4, 12);
  const int branch = net.depthwise(resized(net, y, height, width), 3, 1);
  const int sum = net.add(resized(net, z, height, width), branch);
  return net.finish({net.conv(sum, 2, 3, 3), net.mean(sum)});
}

bool source_contains(const Compiled& model, Mode mode, std::string_view text) {
  for (const GeneratedFile& file : generate(model.graph, model.plan, mode)) {
    if (file.path == model.graph.name + ".cpp") return file.text.find(text) != std::string::npos;
  }
  return false;
}

size_t resizes_in_strips(const Compiled& model) {
  size_t count = 0;
  for (const Segment& segment : model.plan.segments) {
    for (size_t step = segment.first; step <= segment.last; ++step)
      count += model.graph.nodes[model.plan.steps[step].node].op->name().rfind("resize_", 0) == 0 ? 1 : 0;
  }
  return count;
}

// Outputs of the emulated core are those of whole tensors.
void expect_same(const Bytes& file, const Compiled& strips, const Target& target, Mode mode) {
  const Compiled whole = compile_model(file, "net", {}, target.core);
  std::vector<std::vector<Bytes>> inputs, expected;
  std::mt19937 random(9);
  for (int i = 0; i < 2; ++i) {
    inputs.push_back(random_case(whole.graph, random, "resizes").inputs);
    expected.push_back(simulate_apart(whole.graph, whole.plan, inputs.back()));
  }
  const Measurement measured = measure(strips, target, mode, inputs, true);
  EXPECT_EQ(measured.outputs, expected);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
}

class Resizes : public testing::TestWithParam<Way> {};

TEST_P(Resizes, InStripsComputeTheSame) {
  const Way& way = GetParam();
  const Target& target = find_target(way.target);
  size_t in_strips = 0;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    const Bytes file = random_resizes(seed, way.dtype);
    PlanOptions options = plan_options(way.mode, target.core, {}, way.cores);
    options.arena_goal_bytes = 0;
    options.stream_input = way.stream_input;
    const Compiled strips = compile_model(file, "net", {}, options);
    in_strips += resizes_in_strips(strips);
    expect_same(file, strips, target, way.mode);
    if (HasFailure()) return;
  }
  std::cout << in_strips << " resizes in strips\n";
  EXPECT_GE(in_strips, 3U);
}

INSTANTIATE_TEST_SUITE_P(Ways, Resizes,
                         testing::Values(Way{"rv32_size", "rv32imac", Mode::size, DType::i8},
                                         Way{"rv32_size_16_bits", "rv32imac", Mode::size, DType::i16},
                                         Way{"rv32_balanced", "rv32imac", Mode::balanced, DType::i8},
                                         Way{"rv32_float", "rv32imafc", Mode::balanced, DType::f32},
                                         Way{"m0plus_size_float", "cortex-m0plus", Mode::size, DType::f32},
                                         Way{"m4_speed", "cortex-m4f", Mode::speed, DType::i8},
                                         Way{"m55_balanced_16_bits", "cortex-m55", Mode::balanced, DType::i16},
                                         Way{"lx106_size", "lx106", Mode::size, DType::i8},
                                         Way{"rv32_rows", "rv32imac", Mode::balanced, DType::i8, true},
                                         Way{"rv32_size_rows", "rv32imac", Mode::size, DType::i8, true},
                                         Way{"rv32_two_cores", "rv32imac", Mode::speed, DType::i8, false, 2}),
                         [](const auto& info) { return info.param.name; });

// The layers' table holds strips at rates of three and a half, too.
TEST(Resizes, FromATableOfLayersComputeTheSame) {
  NetWriter net(3);
  int x = net.conv(net.image(31, 9, 2), 8, 3, 1);
  for (const int64_t height : {62, 93}) x = net.conv(net.depthwise(net.bilinear(x, height, 12), 3, 1), 8, 1, 1);
  x = net.conv(net.depthwise(net.nearest(x, 31, 7, false, true), 3, 1), 8, 1, 1);
  const Bytes file = net.finish({net.mean(net.conv(net.depthwise(x, 3, 3), 8, 1, 1))});
  for (const std::string name : {"rv32imac", "cortex-m4f"}) {
    const Target& target = find_target(name);
    const Compiled strips = compile_model(file, "net", {}, plan_options(Mode::size, target.core));
    EXPECT_EQ(resizes_in_strips(strips), 3U);
    EXPECT_TRUE(source_contains(strips, Mode::size, "nn::LayerRows"));
    expect_same(file, strips, target, Mode::size);
  }
}

}  // namespace
}  // namespace mote
