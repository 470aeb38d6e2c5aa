// SPDX-License-Identifier: Apache-2.0
// Every operator of the registry, on random samples: kernel against reference, guards, needs, order, inferred
// types.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "ir/rows.hpp"
#include "ops/registry.hpp"
#include "plan/overlap.hpp"
#include "support/guarded_call.hpp"

namespace mote {

static void PrintTo(const OpDef* definition, std::ostream* out) { *out << definition->name; }

}  // namespace mote

namespace mote::test {

namespace {

constexpr unsigned samples = 2000;

class EveryOperator : public testing::TestWithParam<const OpDef*> {
 protected:
  // Calls `property(sample, random)` for each sample; a failure names the seed.
  template <class Property>
  void for_each_sample(Property property) {
    if (GetParam()->sample == nullptr) GTEST_SKIP() << "has no sample";
    for (unsigned seed = 1; seed <= samples; ++seed) {
      std::mt19937 random(seed);
      const Sample sample = GetParam()->sample(random);
      SCOPED_TRACE(
          fmt::format("{} seed {}: {{{}}} {}", sample.op->name(), seed, sample.op->parameters(), types(sample)));
      ASSERT_NO_THROW(property(sample, random));
      if (HasFailure()) return;
    }
  }

  static std::string types(const Sample& sample) {
    std::string text;
    for (const auto& tensor : sample.in) {
      text += tensor ? fmt::format("{}[{}]{} ", name(tensor->type.dtype), to_text(tensor->type.shape),
                                   tensor->constant() ? "const" : "")
                     : "- ";
    }
    for (const TensorType& type : sample.out)
      text += fmt::format("-> {}[{}]", name(type.dtype), to_text(type.shape));
    return text;
  }
};

// The kernel for one kind of core, each in its turn.
Call lowered(const Sample& sample, std::mt19937& random) {
  const Core cores[] = {{}, {.dsp = true}, {.dsp = true, .mve = true}, {.unsigned_bytes = true}};
  return sample.op->lower_for(cores[random() % 4], input_pointers(sample), sample.out);
}

// One index tuple of the first `dims` dimensions of `shape`, with everything below it.
Region region_of_tuple(const Shape& shape, int dims, int64_t tuple) {
  Region region = whole(shape);
  for (int d = dims; d-- > 0;) {
    const auto dimension = static_cast<size_t>(d);
    region.dims[dimension] = {tuple % shape[dimension], tuple % shape[dimension] + 1};
    tuple /= shape[dimension];
  }
  return region;
}

int64_t element_bytes(const TensorType& type) { return bits(type.dtype) / 8; }

// Straight from the meaning of Order: the largest start of the output, relative to that of input `input`, at which
// no step writes a byte that the same step (unless it reads first) or a later one still reads. At most the input's
// size.
int64_t tightest_distance(const Sample& sample, const Call& call, size_t input) {
  const auto inputs = input_pointers(sample);
  const TensorType& in = inputs[input]->type;
  const TensorType& out = sample.out[0];
  const int64_t in_bytes = byte_size(in);
  if (call.order.dims == 0) return -byte_size(out);
  int64_t tuples = 1;
  for (int d = 0; d < call.order.dims; ++d) tuples *= out.shape[static_cast<size_t>(d)];
  const int64_t tuple_bytes = byte_size(out) / std::max<int64_t>(tuples, 1);
  int64_t distance = in_bytes;
  int64_t first_later_read = in_bytes;  // the lowest byte read by steps after the current one
  const int64_t steps = (tuples + call.order.block - 1) / call.order.block;
  for (int64_t step = steps; step-- > 0;) {
    const int64_t end = std::min(tuples, (step + 1) * call.order.block);
    int64_t first_read = first_later_read;
    for (int64_t tuple = step * call.order.block; tuple < end; ++tuple) {
      const Region region =
          sample.op->needs(input, region_of_tuple(out.shape, call.order.dims, tuple), inputs, sample.out);
      if (!region.empty()) first_read = std::min(first_read, first_element(region, in.shape) * element_bytes(in));
    }
    const int64_t limit = call.order.reads_first ? first_later_read : first_read;
    if (limit < in_bytes) distance = std::min(distance, limit - end * tuple_bytes);
    first_later_read = first_read;
  }
  return distance;
}

Region random_region(const Shape& shape, std::mt19937& random) {
  Region region = whole(shape);
  for (int d = 0; d < region.rank; ++d) {
    auto& range = region.dims[static_cast<size_t>(d)];
    range.low = std::uniform_int_distribution<int64_t>(0, range.high - 1)(random);
    range.high = std::uniform_int_distribution<int64_t>(range.low + 1, range.high)(random);
  }
  return region;
}

// Calls body(flat index, inside) for all elements of a shape.
template <class Body>
void for_each_element(const Shape& shape, const Region& region, Body body) {
  for (int64_t index = 0; index < elements(shape); ++index) {
    int64_t rest = index;
    bool inside = true;
    for (size_t d = shape.size(); d-- > 0;) {
      const int64_t at = rest % shape[d];
      rest /= shape[d];
      inside = inside && at >= region.dims[d].low && at < region.dims[d].high;
    }
    body(index, inside);
  }
}

// The strip [begin, end) of the sample's rows as a sample of its own; nullopt: the operator does not work in
// strips.
struct RowSample {
  Sample sample;
  std::vector<Bytes> inputs;
};
std::optional<RowSample> strip_of(const Sample& sample, const std::vector<Bytes>& inputs, int64_t begin,
                                  int64_t end) {
  const auto pointers = input_pointers(sample);
  Region region = whole(sample.out[0].shape);
  region.dims[1] = {begin, end};
  RowStrip strip{region.dims[1], {}};
  for (size_t i = 0; i < sample.in.size(); ++i) {
    const bool some = sample.in[i] && sample.in[i]->type.shape.size() > 1;
    const bool cut =
        some && !sample.in[i]->constant() && sample.in[i]->type.shape.size() == sample.out[0].shape.size();
    strip.in.push_back({0, some ? sample.in[i]->type.shape[1] : 0});
    if (cut) strip.in.back() = sample.op->needs(i, region, pointers, sample.out).dims[1];
  }
  RowSample result{sample, inputs};
  result.sample.op = operator_of_rows(*sample.op, strip, pointers, sample.out);
  if (result.sample.op == nullptr) return std::nullopt;
  for (size_t i = 0; i < sample.in.size(); ++i) {
    if (!sample.in[i] || sample.in[i]->constant() || sample.in[i]->type.shape.size() < 2) continue;
    const int64_t row_bytes = byte_size(sample.in[i]->type) / sample.in[i]->type.shape[1];
    const Region::Range& rows = strip.in[i];
    result.sample.in[i]->type.shape[1] = rows.high - rows.low;
    result.inputs[i].assign(inputs[i].begin() + rows.low * row_bytes, inputs[i].begin() + rows.high * row_bytes);
  }
  result.sample.out[0].shape[1] = end - begin;
  return result;
}

}  // namespace

TEST_P(EveryOperator, HasASample) {
  EXPECT_NE(GetParam()->sample, nullptr) << GetParam()->name << " has no sample: no generated test covers it";
}

TEST_P(EveryOperator, InfersTheTypesOfItsSamples) {
  for_each_sample([](const Sample& sample, std::mt19937&) {
    EXPECT_EQ(sample.op->infer(input_pointers(sample), sample.out), sample.out);
    EXPECT_EQ(sample.op->name().empty(), false);
    (void)sample.op->parameters();
    (void)sample.op->work(input_pointers(sample), sample.out);
  });
}

TEST_P(EveryOperator, KernelAgreesWithTheReference) {
  for_each_sample([](const Sample& sample, std::mt19937& random) {
    const auto inputs = random_inputs(sample, random);
    Reals reals;
    for (size_t i = 0; i < inputs.size(); ++i) {
      reals.push_back(sample.in[i] ? to_reals(sample.in[i]->type, inputs[i]) : std::vector<double>{});
    }
    const Reals expected = sample.op->reference(input_pointers(sample), sample.out, reals);
    ASSERT_EQ(expected.size(), sample.out.size());
    const Call call = lowered(sample, random);
    EXPECT_EQ(call.empty(), sample.op->alias() == Alias::view);
    const std::vector<Bytes> outputs =
        call.empty() ? std::vector<Bytes>{inputs[0]} : run_guarded(call, inputs, sample.out, random);
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_LE(difference(sample.out[i], outputs[i], expected[i]), sample.tolerance) << "output " << i;
    }
  });
}

TEST_P(EveryOperator, ResultDependsOnNothingButTheInputs) {
  for_each_sample([](const Sample& sample, std::mt19937& random) {
    const Call call = lowered(sample, random);
    if (call.empty()) return;
    const auto inputs = random_inputs(sample, random);
    EXPECT_EQ(run_guarded(call, inputs, sample.out, random), run_guarded(call, inputs, sample.out, random));
  });
}

TEST_P(EveryOperator, NeedsCoversEverythingARegionReads) {
  for_each_sample([](const Sample& sample, std::mt19937& random) {
    const Call call = lowered(sample, random);
    if (call.empty()) return;
    auto inputs = random_inputs(sample, random);
    const Bytes before = run_guarded(call, inputs, sample.out, random)[0];
    const Region region = random_region(sample.out[0].shape, random);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!sample.in[i] || sample.in[i]->constant() || sample.in[i]->state) continue;
      const TensorType& type = sample.in[i]->type;
      const Region needed = sample.op->needs(i, region, input_pointers(sample), sample.out);
      ASSERT_EQ(needed.rank, static_cast<int>(type.shape.size()));
      const auto size = element_bytes(type);
      for_each_element(type.shape, needed, [&](int64_t index, bool inside) {
        if (inside) return;
        for (int64_t b = 0; b < size; ++b)
          inputs[i][static_cast<size_t>(index * size + b)] = std::byte(random() >> 24);
      });
    }
    const Bytes after = run_guarded(call, inputs, sample.out, random)[0];
    const auto size = element_bytes(sample.out[0]);
    for_each_element(sample.out[0].shape, region, [&](int64_t index, bool inside) {
      if (!inside) return;
      const auto first = index * size;
      EXPECT_TRUE(std::equal(before.begin() + first, before.begin() + first + size, after.begin() + first))
          << "output element " << index << " read outside needs()";
    });
  });
}

TEST_P(EveryOperator, OutputMayOverlapADyingInputAsFarAsOrderAndNeedsPermit) {
  int64_t overlaps = 0;
  for_each_sample([&](const Sample& sample, std::mt19937& random) {
    const Call call = lowered(sample, random);
    if (call.empty()) return;
    ASSERT_LE(call.order.dims, static_cast<int>(sample.out[0].shape.size()));
    const auto inputs = random_inputs(sample, random);
    const Bytes apart = run_guarded(call, inputs, sample.out, random)[0];
    const int64_t alignment = element_bytes(sample.out[0]);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!sample.in[i] || sample.in[i]->constant() || sample.in[i]->state) continue;
      const int64_t distance = tightest_distance(sample, call, i);
      const auto planned = overlap_distance(*sample.op, i, input_pointers(sample), sample.out, call.order)
                               .value_or(-byte_size(sample.out[0]));
      EXPECT_LE(planned, distance) << "the planner lets the output of input " << i << " start too late";
      if (distance <= -byte_size(sample.out[0])) continue;
      for (const int64_t closer : {int64_t{0}, static_cast<int64_t>(random() % 16)}) {
        const int64_t start = (distance - closer) - (((distance - closer) % alignment) + alignment) % alignment;
        EXPECT_EQ(run_overlapping(call, inputs, i, start, sample.out, random), apart)
            << "input " << i << ", output " << start << " bytes after its start";
        ++overlaps;
      }
    }
  });
  std::cout << overlaps << " overlapping runs\n";
}

TEST_P(EveryOperator, StripsOfRowsComputeTheSame) {
  int64_t strips = 0;
  for_each_sample([&](const Sample& sample, std::mt19937& random) {
    const Shape& shape = sample.out[0].shape;
    const Call call = sample.op->lower(input_pointers(sample), sample.out);
    if (call.empty() || sample.out.size() != 1 || shape.size() < 3 || shape[0] != 1 || shape[1] < 2) return;
    for (const auto& tensor : sample.in) {
      const bool same_rank = tensor && tensor->type.shape.size() == shape.size();
      if (tensor && !tensor->constant() && !(same_rank && tensor->type.shape[0] == 1)) return;
    }
    // What reads constants only is computed while compiling.
    if (std::all_of(sample.in.begin(), sample.in.end(), [](const auto& one) { return !one || one->constant(); }))
      return;
    const auto inputs = random_inputs(sample, random);
    const Bytes all = run_guarded(call, inputs, sample.out, random)[0];
    const int64_t begin = static_cast<int64_t>(random() % static_cast<uint64_t>(shape[1]));
    const int64_t end = begin + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(shape[1] - begin));
    const std::optional<RowSample> strip = strip_of(sample, inputs, begin, end);
    if (!strip) return;
    const auto pointers = input_pointers(strip->sample);
    ASSERT_EQ(strip->sample.op->infer(pointers, strip->sample.out), strip->sample.out);
    const Call strip_call = strip->sample.op->lower(pointers, strip->sample.out);
    const Bytes part = run_guarded(strip_call, strip->inputs, strip->sample.out, random)[0];
    const int64_t row_bytes = byte_size(sample.out[0]) / shape[1];
    EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + begin * row_bytes))
        << "rows " << begin << " to " << end;
    ++strips;
  });
  std::cout << strips << " strips\n";
}

INSTANTIATE_TEST_SUITE_P(All, EveryOperator, testing::ValuesIn(op::all().begin(), op::all().end()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace mote::test
