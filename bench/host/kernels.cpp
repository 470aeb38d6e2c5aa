// SPDX-License-Identifier: Apache-2.0
// The simulator's kernels beside the plain ones on this machine: how many times as fast, measured in one run.
#include <benchmark/benchmark.h>

#include <chrono>
#include <random>

#include "ops/convolution.hpp"

namespace mote {
namespace {

struct Layer {
  const char* name;
  Shape input, weights;  // NHWC; [out][height][width][in], depthwise [1][height][width][channels], dense [out][in]
  int64_t limit;         // of the weights' magnitudes
};

const Layer layers[] = {
    {"conv 3x3, 16x16x32 to 32", {1, 16, 16, 32}, {32, 3, 3, 32}, 127},
    {"conv 1x1, 16x16x64 to 64", {1, 16, 16, 64}, {64, 1, 1, 64}, 127},
    {"conv 1x1, 16x16x64 to 64, 4 bits", {1, 16, 16, 64}, {64, 1, 1, 64}, 7},
    {"depthwise 3x3, 16x16x64", {1, 16, 16, 64}, {1, 3, 3, 64}, 127},
    {"dense, 784 to 128", {1, 784}, {128, 784}, 127},
    {"dense, 784 to 128, ternary", {1, 784}, {128, 784}, 1},
};

Bytes random_bytes(int64_t count, int64_t low, int64_t high, std::mt19937& random) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (int8_t& value : values) {
    value = static_cast<int8_t>(low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1)));
  }
  return to_bytes(values);
}

// A kernel's call with memory of its own.
class Runnable {
 public:
  Runnable(Call call, Bytes input, int64_t output_bytes)
      : call_(std::move(call)),
        input_(std::move(input)),
        output_(static_cast<size_t>(output_bytes)),
        scratch_(static_cast<size_t>(call_.scratch_bytes) / sizeof(int64_t) + 1) {
    for (const Argument& argument : call_.arguments) pointers_.push_back(place(argument));
  }

  void run() const { call_.run(pointers_); }
  [[nodiscard]] const Bytes& output() const { return output_; }
  [[nodiscard]] const std::string& kernel() const { return call_.kernel; }

 private:
  void* place(const Argument& argument) {
    switch (argument.kind) {
      case Argument::Kind::input: return input_.data();
      case Argument::Kind::output: return output_.data();
      case Argument::Kind::constant: return call_.constants.at(argument.index).data.data();
      case Argument::Kind::scratch: return scratch_.data();
      case Argument::Kind::state: break;
    }
    fail("{} has a state", call_.kernel);
  }

  Call call_;
  Bytes input_, output_;
  std::vector<int64_t> scratch_;
  std::vector<void*> pointers_;
};

// The plain kernel of a layer and the one that lowering chooses.
struct Both {
  Runnable plain, chosen;
  int64_t macs;
};

OperatorPtr operator_of(const Layer& layer) {
  if (layer.weights.size() == 2) return make_fully_connected(Activation::none, false);
  const int64_t kernel = layer.weights[1], padding = kernel / 2;
  const SlidingWindow window{{kernel, 1, 1}, {kernel, 1, 1}, {padding, padding}, {padding, padding}};
  return layer.weights[0] == 1 ? make_depthwise_conv2d(window, 1) : make_conv2d(window);
}

Both make(const Layer& layer) {
  std::mt19937 random(1);
  const bool depthwise = layer.weights[0] == 1;
  const int64_t outputs = depthwise ? layer.weights.back() : layer.weights[0];
  const std::vector<float> scales(static_cast<size_t>(outputs), 0.01F);
  const Tensor input{"input", {DType::i8, layer.input, {{0.05F}, {3}, -1}}, {}};
  const Tensor weights{
      "weights",
      {DType::i8, layer.weights, {scales, std::vector<int32_t>(scales.size(), 0), depthwise ? 3 : 0}},
      random_bytes(elements(layer.weights), -layer.limit, layer.limit, random)};
  const OperatorPtr op = operator_of(layer);
  const std::vector<const Tensor*> in{&input, &weights};
  const Types out = op->infer(in, {{DType::i8, {}, {{0.5F}, {-4}, -1}}});
  const Bytes values = random_bytes(elements(layer.input), -128, 127, random);
  const auto& weighted = dynamic_cast<const WeightedSum&>(*op);
  const int64_t bytes = elements(out[0].shape);
  return {{convolution::lower_plain(weighted.problem(in, out)), values, bytes},
          {op->lower(in, out), values, bytes},
          op->work(in, out).macs};
}

double seconds_of(const Runnable& kernel, int runs) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < runs; ++i) kernel.run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / runs;
}

// The plain kernel is timed between the others' runs, so that both see the same machine.
void compare(benchmark::State& state, const Layer& layer) {
  const Both both = make(layer);
  both.plain.run(), both.chosen.run();
  if (both.plain.output() != both.chosen.output())
    return state.SkipWithError("other bytes than the plain kernel's");
  double plain = 0, chosen = 0;
  for (auto _ : state) {
    plain += seconds_of(both.plain, 4);
    chosen += seconds_of(both.chosen, 4);
  }
  const auto runs = 4.0 * static_cast<double>(state.iterations());
  state.counters["times_as_fast"] = plain / chosen;
  state.counters["MAC/ns"] = static_cast<double>(both.macs) * runs / (chosen * 4 * 1e9);
  state.SetLabel(both.chosen.kernel());
}

}  // namespace
}  // namespace mote

int main(int count, char** arguments) {
  for (const mote::Layer& layer : mote::layers) {
    benchmark::RegisterBenchmark(layer.name, [&layer](benchmark::State& state) { mote::compare(state, layer); });
  }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
