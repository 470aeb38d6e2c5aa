// SPDX-License-Identifier: Apache-2.0
// Models laid out over several memories: the same bytes as with one, in the simulator and in every emulated core.
#include <gtest/gtest.h>

#include <algorithm>

#include "fit/memories.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/models.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

// The first memories hold a part of the arena each, the last one the rest.
Compiled over(const std::filesystem::path& file, const std::vector<int64_t>& bytes) {
  Compiled model = compile_file(file);
  std::vector<MemoryRegion> memories;
  for (const int64_t one : bytes)
    memories.push_back(
        {one, 1.0 + static_cast<double>(memories.size()), fmt::format("memory {}", memories.size())});
  use_memories(model, memories);
  return model;
}

void expect_golden(const Compiled& model, const std::filesystem::path& golden, const Target& target, Mode mode,
                   size_t count) {
  std::vector<Case> cases = read_golden(golden, model.graph);
  cases.resize(std::min(count, cases.size()));
  const Measurement measured = measure(model, target, mode, inputs_of(cases), false, continues_of(cases));
  const Comparison comparison = compare(model.graph, cases, measured.outputs);
  EXPECT_EQ(comparison.equal_bytes, comparison.total_bytes) << comparison.first_difference;
  EXPECT_GT(comparison.total_bytes, 0);
  if (measured.sizes) {
    EXPECT_EQ(measured.sizes->library_ram_bytes, 0);
    EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
  }
}

class Arenas : public testing::TestWithParam<std::string> {};

TEST_P(Arenas, TwoAndThreeGiveTheBytesOfOne) {
  for (const std::vector<int64_t>& bytes : {std::vector<int64_t>{512, 4096}, {256, 512, 4096}}) {
    const Compiled model = over(test::digits_model(), bytes);
    ASSERT_EQ(model.plan.arenas.size(), bytes.size());
    expect_golden(model, test::digits_golden(), find_target(GetParam()), Mode::balanced, 4);
  }
}

std::vector<std::string> all_targets() {
  std::vector<std::string> names;
  for (const Target* const target : target::all()) names.emplace_back(target->name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Targets, Arenas, testing::ValuesIn(all_targets()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// A model whose state is in one arena and whose activations are in another remembers as with one.
TEST(ArenasOfAModelWithState, AreResetAndKept) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const std::filesystem::path file = shared / "models" / "micro_speech_lstm.tflite";
  const Compiled whole = compile_file(file);
  ASSERT_FALSE(whole.plan.states.empty());
  for (const int64_t part : {4, 2}) {
    const Compiled model = over(file, {whole.plan.arena_bytes / part, 1 << 20});
    ASSERT_EQ(model.plan.arenas.size(), 2U);
    for (const char* const target : {"host", "rv32imac", "cortex-m4f", "lx106"})
      expect_golden(model, shared / "golden" / "micro_speech_lstm", find_target(target), Mode::size, 3);
  }
}

TEST(ArenasOfRealModels, EqualTheReference) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  for (const char* const name : {"kws_int8", "resnet_int8", "person_detect"}) {
    const std::filesystem::path file = shared / "models" / (std::string(name) + ".tflite");
    for (const int64_t part : {10, 3}) {
      const Compiled model = over(file, {compile_file(file).plan.arena_bytes / part, 1 << 20});
      ASSERT_EQ(model.plan.arenas.size(), 2U) << name;
      expect_golden(model, shared / "golden" / name, find_target("host"), Mode::balanced, 2);
      if (part == 3) expect_golden(model, shared / "golden" / name, find_target("rv32imac"), Mode::balanced, 1);
      // Bytes that are dead are overwritten in every arena: nothing reads them.
      const std::vector<Case> cases = read_golden(shared / "golden" / name, model.graph);
      EXPECT_EQ(simulate(model.graph, model.plan, cases[0].inputs, {.poison = true, .after_step = {}}),
                simulate_apart(model.graph, model.plan, cases[0].inputs));
    }
  }
}

}  // namespace
}  // namespace mote
