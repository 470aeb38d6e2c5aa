// SPDX-License-Identifier: Apache-2.0
// Whole models in every emulated core: the same bytes as the reference, and no more stack than was promised.
#include <gtest/gtest.h>

#include <algorithm>

#include "measure/measure.hpp"
#include "support/models.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

std::string identifier_of(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

Measurement expect_golden(const Compiled& model, const std::filesystem::path& golden, const Target& target,
                          Mode mode, size_t count) {
  std::vector<Case> cases = read_golden(golden, model.graph);
  cases.resize(std::min(count, cases.size()));
  Measurement measured = measure(model, target, mode, inputs_of(cases), false, continues_of(cases));
  const Comparison comparison = compare(model.graph, cases, measured.outputs);
  EXPECT_EQ(comparison.equal_bytes, comparison.total_bytes) << comparison.first_difference;
  EXPECT_GT(comparison.total_bytes, 0);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
  EXPECT_EQ(measured.sizes->library_ram_bytes, 0) << "RAM is the arena and the stack, nothing else";
  return measured;
}

struct Way {
  std::string target;
  Mode mode;
};

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const Target* const target : target::all()) {
    for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
      if (!target->emulator.empty()) ways.push_back({std::string(target->name), mode});
    }
  }
  return ways;
}

class Digits : public testing::TestWithParam<Way> {};

TEST_P(Digits, EqualTheReference) {
  const Target& target = find_target(GetParam().target);
  const Measurement measured = expect_golden(compile_file(test::digits_model(), {}, target.core),
                                             test::digits_golden(), target, GetParam().mode, 16);
  EXPECT_LE(measured.sizes->stack_bound_bytes, 512);
}

INSTANTIATE_TEST_SUITE_P(Targets, Digits, testing::ValuesIn(all_ways()), [](const auto& info) {
  return identifier_of(info.param.target + "_" + std::string(name(info.param.mode)));
});

using Place = std::tuple<std::string, std::string>;  // target, model
class RealModel : public testing::TestWithParam<Place> {};

TEST_P(RealModel, EqualsTheReference) {
  MOTE_NEEDS_SHARED();
  const auto& [target, model] = GetParam();
  const std::filesystem::path shared = test::shared_directory();
  // The size mode shares kernels with parameters from flash, the speed mode folds them: alternate, so that both
  // are seen on every target without running everything twice.
  const Mode mode = model.size() % 2 == 0 ? Mode::size : Mode::speed;
  const Compiled compiled =
      compile_file(shared / "models" / (model + ".tflite"), {}, plan_options(mode, find_target(target).core));
  const size_t cases = total_macs(compiled.graph) > 2'000'000 ? 1 : 5;
  const Measurement measured =
      expect_golden(compiled, shared / "golden" / model, find_target(target), mode, cases);
  EXPECT_LE(measured.sizes->stack_bound_bytes, 512);
}

INSTANTIATE_TEST_SUITE_P(Targets, RealModel,
                         testing::Combine(testing::Values("rv32imac", "cortex-m4f", "cortex-m55", "lx106"),
                                          testing::ValuesIn(test::emulated_models())),
                         [](const auto& info) {
                           return identifier_of(std::get<0>(info.param) + "_" + std::get<1>(info.param));
                         });

}  // namespace
}  // namespace mote
