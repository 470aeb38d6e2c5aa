// SPDX-License-Identifier: Apache-2.0
// The lx106's own arithmetic against this machine's, bit for bit, on random and special operands.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/temporary_directory.hpp"
#include "emulate/emulate.hpp"
#include "support/tiny_model.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

constexpr size_t pairs = 4000;

EmulateResult run_on_lx106(const std::string& name, int input_bytes, int output_bytes, const std::string& body,
                           const Bytes& input) {
  const TemporaryDirectory folder;
  test::write_tiny_model(folder.path(), name, input_bytes, output_bytes, 1, body);
  return emulate(EmulateRequest{.target = find_target("lx106"),
                                .model_directory = folder.path(),
                                .name = name,
                                .input_bytes = {input_bytes},
                                .output_bytes = {output_bytes},
                                .steps = 1,
                                .cases = {{input}},
                                .continues = {},
                                .optimize = "-O2",
                                .profile = false,
                                .timeout = std::chrono::seconds(60)});
}

// Random bits, with exponents often close together, and many zeros, subnormals, infinities and NaNs.
template <class Word>
Word random_real(std::mt19937_64& random, int mantissa, int width) {
  const Word exponents = (Word{1} << (width - 1 - mantissa)) - 1;
  const Word sign = static_cast<Word>(random() & 1) << (width - 1);
  const Word fraction = static_cast<Word>(random()) & ((Word{1} << mantissa) - 1);
  switch (random() % 8) {
    case 0: return sign | (fraction >> (random() % static_cast<unsigned>(mantissa)));    // subnormal or zero
    case 1: return sign | (exponents << mantissa) | (random() % 4 == 0 ? fraction : 0);  // infinity or NaN
    case 2:
    case 3: return static_cast<Word>(random());
    case 4: return sign | (static_cast<Word>(1 + random() % 60) << mantissa) | fraction;  // small
    default: return sign | ((exponents / 2 + static_cast<Word>(random() % 50) - 25) << mantissa) | fraction;
  }
}

template <class Real, class Word>
bool same(Word bits, Real expected) {
  if (std::isnan(expected)) return std::isnan(std::bit_cast<Real>(bits));
  return bits == std::bit_cast<Word>(expected);
}

template <class Real, class Word>
void check_real(const std::string& type, int mantissa) {
  std::mt19937_64 random(7);
  std::vector<Word> input(2 * pairs);
  for (Word& bits : input) bits = random_real<Word>(random, mantissa, static_cast<int>(sizeof(Word) * 8));
  const int bytes = static_cast<int>(sizeof(Word) * pairs);
  const std::string body = fmt::format(
      "extern \"C\" void real_run(void* arena) {{\n"
      "  const {0}* in = (const {0}*)real_input0(arena);\n  {0}* out = ({0}*)real_output0(arena);\n"
      "  for (int i = 0; i < {1}; ++i) {{\n"
      "    out[4 * i] = in[2 * i] + in[2 * i + 1];\n    out[4 * i + 1] = in[2 * i] - in[2 * i + 1];\n"
      "    out[4 * i + 2] = in[2 * i] * in[2 * i + 1];\n    out[4 * i + 3] = in[2 * i] / in[2 * i + 1];\n  "
      "}}\n}}\n",
      type, pairs);
  const EmulateResult result = run_on_lx106("real", 2 * bytes, 4 * bytes, body, to_bytes(input));
  const std::vector<Word> output = to_values<Word>(result.outputs.at(0).at(0));
  for (size_t i = 0; i < pairs; ++i) {
    const Real a = std::bit_cast<Real>(input[2 * i]), b = std::bit_cast<Real>(input[2 * i + 1]);
    ASSERT_TRUE(same<Real>(output[4 * i], a + b)) << i << ": " << a << " + " << b;
    ASSERT_TRUE(same<Real>(output[4 * i + 1], a - b)) << i << ": " << a << " - " << b;
    ASSERT_TRUE(same<Real>(output[4 * i + 2], a * b)) << i << ": " << a << " * " << b;
    ASSERT_TRUE(same<Real>(output[4 * i + 3], a / b)) << i << ": " << a << " / " << b;
  }
}

TEST(EmulateLibrary, Float) { check_real<float, uint32_t>("float", 23); }
TEST(EmulateLibrary, Double) { check_real<double, uint64_t>("double", 52); }

TEST(EmulateLibrary, Integers) {
  std::mt19937_64 random(8);
  std::vector<int64_t> input(2 * pairs);
  for (int64_t& value : input)
    value = static_cast<int64_t>(random() >> (random() % 63)) * (random() % 2 == 0 ? 1 : -1);
  for (size_t i = 1; i < input.size(); i += 2) {
    if (static_cast<int32_t>(input[i]) == 0) input[i] = 3;
  }
  constexpr int results = 7;
  const std::string body = fmt::format(
      "extern \"C\" void whole_run(void* arena) {{\n"
      "  const int64_t* in = (const int64_t*)whole_input0(arena);\n  int64_t* out = "
      "(int64_t*)whole_output0(arena);\n"
      "  for (int i = 0; i < {}; ++i, in += 2, out += {}) {{\n    const int64_t a = in[0], b = in[1];\n"
      "    const uint64_t c = a, d = b;\n    out[0] = a * b;\n    out[1] = a / b;\n    out[2] = (int64_t)(c / "
      "d);\n"
      "    out[3] = (int64_t)(c % d);\n    out[4] = (int32_t)a / (int32_t)b;\n    out[5] = (uint32_t)a / "
      "(uint32_t)b;\n"
      "    out[6] = (uint32_t)a % (uint32_t)b;\n  }}\n}}\n",
      pairs, results);
  const EmulateResult result = run_on_lx106("whole", 16 * pairs, 8 * results * pairs, body, to_bytes(input));
  const std::vector<int64_t> output = to_values<int64_t>(result.outputs.at(0).at(0));
  for (size_t i = 0; i < pairs; ++i) {
    const int64_t a = input[2 * i], b = input[2 * i + 1];
    const uint64_t c = static_cast<uint64_t>(a), d = static_cast<uint64_t>(b);
    const uint32_t e = static_cast<uint32_t>(c), f = static_cast<uint32_t>(d);
    const int64_t* const out = &output[results * i];
    ASSERT_EQ(out[0], static_cast<int64_t>(c * d)) << a << " * " << b;
    ASSERT_EQ(out[1], a / b) << a << " / " << b;
    ASSERT_EQ(static_cast<uint64_t>(out[2]), c / d) << c << " / " << d;
    ASSERT_EQ(static_cast<uint64_t>(out[3]), c % d) << c << " % " << d;
    ASSERT_EQ(out[4], int64_t{static_cast<int32_t>(a)} / static_cast<int32_t>(b)) << a << " / " << b;
    ASSERT_EQ(out[5], int64_t{e / f}) << e << " / " << f;
    ASSERT_EQ(out[6], int64_t{e % f}) << e << " % " << f;
  }
}

TEST(EmulateLibrary, Conversions) {
  std::mt19937_64 random(9);
  std::vector<uint64_t> input(pairs);
  for (uint64_t& bits : input) bits = random_real<uint64_t>(random, 52, 64);
  constexpr int results = 6;
  const std::string body = fmt::format(
      "extern \"C\" void turn_run(void* arena) {{\n"
      "  const uint64_t* in = (const uint64_t*)turn_input0(arena);\n  double* out = "
      "(double*)turn_output0(arena);\n"
      "  for (int i = 0; i < {}; ++i, ++in, out += {}) {{\n    const double wide = *(const double*)in;\n"
      "    const float narrow = (float)wide;\n    const float low = *(const float*)in;\n"
      "    out[0] = (double)narrow;\n    out[1] = (double)low;\n    out[2] = (double)(int32_t)*in;\n"
      "    out[3] = (double)(float)(int32_t)*in;\n    out[4] = (double)(float)(uint32_t)*in;\n"
      "    out[5] = wide > -2e9 && wide < 2e9 ? (double)(int32_t)wide : (double)(uint32_t)*in;\n  }}\n}}\n",
      pairs, results);
  const EmulateResult result = run_on_lx106("turn", 8 * pairs, 8 * results * pairs, body, to_bytes(input));
  const std::vector<uint64_t> output = to_values<uint64_t>(result.outputs.at(0).at(0));
  for (size_t i = 0; i < pairs; ++i) {
    const double wide = std::bit_cast<double>(input[i]);
    const uint32_t low = static_cast<uint32_t>(input[i]);
    const int32_t whole = static_cast<int32_t>(low);
    const uint64_t* const out = &output[results * i];
    ASSERT_TRUE(same<double>(out[0], double{static_cast<float>(wide)})) << wide;
    ASSERT_TRUE(same<double>(out[1], double{std::bit_cast<float>(low)})) << low;
    ASSERT_TRUE(same<double>(out[2], double{static_cast<double>(whole)})) << whole;
    ASSERT_TRUE(same<double>(out[3], double{static_cast<float>(whole)})) << whole;
    ASSERT_TRUE(same<double>(out[4], double{static_cast<float>(low)})) << low;
    const double cut =
        wide > -2e9 && wide < 2e9 ? static_cast<double>(static_cast<int32_t>(wide)) : double{low * 1.0};
    ASSERT_TRUE(same<double>(out[5], cut)) << wide;
  }
}

}  // namespace
}  // namespace mote
