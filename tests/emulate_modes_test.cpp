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

// One channel in a wide window, as audio has it.
Bytes one_channel_net(DType dtype) {
  NetWriter net(1, dtype);
  return net.finish({net.dense(net.conv(net.image(39, 30, 1), 8, 7, 2), 4)});
}

Bytes windows_net(DType dtype) {
  NetWriter net(2, dtype);
  const int x = net.maximum(net.conv(net.image(24, 24, 3), 8, 3, 1), 2, 2);
  return net.finish({net.dense(net.mean(net.conv(net.conv(x, 16, 3, 2), 24, 3, 1)), 10)});
}

// Layers enough that no single one takes much of the time.
Bytes depthwise_net(DType dtype) {
  NetWriter net(3, dtype);
  int x = net.conv(net.image(32, 32, 1), 8, 3, 2);
  for (const int64_t channels : {12, 16, 16, 24, 24}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  for (const int64_t channels : {32, 32}) x = net.conv(net.depthwise(x, 3, 2), channels, 1, 1);
  return net.finish({net.dense(net.mean(x), 5)});
}

Bytes residual_net(DType dtype) {
  NetWriter net(4, dtype);
  int x = net.conv(net.image(16, 16, 3), 16, 3, 1);
  for (int block = 0; block < 2; ++block) x = net.relu(net.add(x, net.conv(net.conv(x, 16, 3, 1), 16, 3, 1)));
  return net.finish({net.dense(net.average(x, 4, 4), 10)});
}

Bytes dense_net(DType dtype) {
  NetWriter net(5, dtype);
  return net.finish({net.dense(net.dense(net.dense(net.image(1, 40, 3), 32), 24), 6)});
}

struct Net {
  const char* name;
  Bytes (*make)(DType);
};
constexpr Net nets[] = {{"one_channel", one_channel_net},
                        {"windows", windows_net},
                        {"depthwise", depthwise_net},
                        {"residual", residual_net},
                        {"dense", dense_net}};

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
    const Bytes file = net.make(dtype);
    std::vector<BookRow> rows;
    std::string figures;
    for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
      rows.push_back(run(file, net.name, find_target(target), mode));
      figures += fmt::format("{} {} instructions, {} B; ", rows.back().mode, *rows.back().instructions,
                             *rows.back().code_bytes);
    }
    for (const BrokenPromise& broken : broken_promises(rows))
      ADD_FAILURE() << net.name << ": " << broken.mode << " " << broken.what << " " << broken.is << ", limit "
                    << broken.limit << "; " << figures;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, ModePromises,
                         testing::Combine(testing::Values("rv32imac", "cortex-m4f"),
                                          testing::Values(DType::i8, DType::f32)),
                         [](const auto& info) {
                           const std::string target = std::get<0>(info.param);
                           return target.substr(0, target.find('-')) + "_" +
                                  std::string(name(std::get<1>(info.param)));
                         });

}  // namespace
}  // namespace mote
