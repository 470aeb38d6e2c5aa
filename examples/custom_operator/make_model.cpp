// SPDX-License-Identifier: Apache-2.0
// Writes the example's model: a dense layer, then the custom operator "HardSigmoid".
#include <cstdio>

#include "base/files.hpp"
#include "support/tflite_writer.hpp"

int main(int count, char** arguments) {
  using namespace mote;
  namespace schema = tflite::schema;
  if (count != 2) {
    std::fputs("usage: make_model FILE\n", stderr);
    return 2;
  }
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  for (int unit = 0; unit < 8; ++unit) {
    bias.push_back(100 * unit - 400);
    for (int i = 0; i < 16; ++i) weights.push_back(static_cast<int8_t>((37 * i + 53 * unit) % 255 - 127));
  }
  test::TfliteWriter file;
  const int x = file.tensor("x", {DType::i8, {1, 16}, {{0.05F}, {3}, -1}});
  const int w = file.constant("weights", {DType::i8, {8, 16}, {{0.01F}, {0}, -1}}, weights);
  const int b = file.constant("bias", {DType::i32, {8}, {{0.05F * 0.01F}, {0}, -1}}, bias);
  const int dense = file.tensor("dense", {DType::i8, {1, 8}, {{0.1F}, {-4}, -1}});
  const int y = file.tensor("y", {DType::i8, {1, 8}, {{1.0F / 256}, {-128}, -1}});
  file.add(schema::BuiltinOperator::FULLY_CONNECTED, {x, w, b}, {dense}, schema::FullyConnectedOptionsT{});
  file.add_custom("HardSigmoid", {dense}, {y});
  file.finish({x}, {y});
  write_file(arguments[1], file.bytes());
}
