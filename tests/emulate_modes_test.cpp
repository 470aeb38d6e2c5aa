// SPDX-License-Identifier: Apache-2.0
// What the modes promise of each other, kept by small networks on emulated cores.
#include <gtest/gtest.h>

#include "measure/measure.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"
#include "zoo/mode_promises.hpp"

namespace mote {
namespace {

using test::NetWriter;

// One channel in a wide window, as audio has it, then layers of one width.
Bytes spoken_words(DType dtype) {
  NetWriter net(1, dtype);
  int x = net.conv(net.image(25, 10, 1), 16, 5, 2);
  for (int block = 0; block < 3; ++block) x = net.conv(net.depthwise(x, 3, 1), 16, 1, 1);
  return net.finish({net.dense(net.mean(x), 12)});
}

Bytes windows(DType dtype) {
  NetWriter net(2, dtype);
  const int x = net.maximum(net.conv(net.image(24, 24, 3), 8, 3, 1), 2, 2);
  return net.finish({net.dense(net.mean(net.conv(net.conv(x, 16, 3, 2), 24, 3, 1)), 10)});
}

// Layers enough that no single one takes much of the time, most of them alike.
Bytes separable(DType dtype) {
  NetWriter net(3, dtype);
  int x = net.conv(net.image(32, 32, 1), 8, 3, 2);
  for (const int64_t channels : {16, 16, 16, 16}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  x = net.conv(net.depthwise(x, 3, 2), 32, 1, 1);
  for (const int64_t channels : {32, 32, 32}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  return net.finish({net.dense(net.mean(x), 5)});
}

Bytes residual(DType dtype) {
  NetWriter net(4, dtype);
  int x = net.conv(net.image(16, 16, 3), 16, 3, 1);
  for (int block = 0; block < 2; ++block) x = net.relu(net.add(x, net.conv(net.conv(x, 16, 3, 1), 16, 3, 1)));
  return net.finish({net.dense(net.average(x, 4, 4), 10)});
}

// Layers of nothing but weights, some of them alike.
Bytes autoencoder(DType dtype) {
  NetWriter net(5, dtype);
  int x = net.image(1, 1, 256);
  for (const int64_t outputs : {96, 96, 96, 8, 96, 96, 256}) x = net.dense(x, outputs);
  return net.finish({x});
}

struct Net {
  const char* name;
  Bytes (*make)(DType);
  bool floats =
      true;  // false: of many small layers on floats each copy takes a third of the time (docs/kernels.md)
};
constexpr Net nets[] = {{"spoken_words", spoken_words},
                        {"windows", windows},
                        {"separable", separable, false},
                        {"residual", residual},
                        {"autoencoder", autoencoder}};

BookRow run(const Bytes& file, const std::string& model, const Target& target, Mode mode) {
  const Compiled compiled = compile_model(file, "net", {}, plan_options(mode, target.core));
  std::mt19937 random(1);
  const Measurement measured =
      measure(compiled, target, mode, {random_case(compiled.graph, random, "modes").inputs}, false);
  BookRow row;
  row.model = model, row.target = target.name, row.mode = name(mode);
  row.instructions = measured.instructions.at(0);
  row.code_bytes = measured.sizes->code_bytes;
  return row;
}

class ModePromises : public testing::TestWithParam<std::tuple<const char*, DType>> {};

TEST_P(ModePromises, AreKept) {
  const auto [target, dtype] = GetParam();
  for (const Net& net : nets) {
    if (dtype == DType::f32 && !net.floats) continue;
    const Bytes file = net.make(dtype);
    std::vector<BookRow> rows;
    std::string figures;
    for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
      rows.push_back(run(file, net.name, find_target(target), mode));
      figures += fmt::format("{} {} instructions, {} B; ", rows.back().mode, *rows.back().instructions,
                             *rows.back().code_bytes);
    }
    for (const BrokenPromise& broken : broken_promises(rows)) {
      ADD_FAILURE() << net.name << ": " << broken.mode << " " << broken.what << " " << broken.is << ", limit "
                    << broken.limit << "; " << figures;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, ModePromises,
                         testing::Values(std::tuple("rv32imac", DType::i8), std::tuple("cortex-m4f", DType::i8),
                                         std::tuple("cortex-m55", DType::i8), std::tuple("rv32imafc", DType::f32)),
                         [](const auto& info) {
                           const std::string target = std::get<0>(info.param);
                           return target.substr(target.find('-') + 1) + "_" +
                                  std::string(name(std::get<1>(info.param)));
                         });

}  // namespace
}  // namespace mote
