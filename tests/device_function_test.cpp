// SPDX-License-Identifier: Apache-2.0
// Functions built as for a device and called through their frames on this machine, beside direct calls.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/files.hpp"
#include "support/loaded_function.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;
using test::array_of;
using test::LoadedFunction;
using test::write_source;

template <class T>
Number number_of(T value) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<double>(value);
  if constexpr (std::is_unsigned_v<T>) return static_cast<uint64_t>(value);
  return static_cast<int64_t>(value);
}

// Bits, so that a NaN and the sign of a zero count.
template <class T>
Bytes bits_of(Scalar type, const Number& number) {
  Bytes bytes;
  append_number(bytes, type, number, "test");
  EXPECT_EQ(bytes.size(), sizeof(T));
  return bytes;
}

template <class T>
std::vector<T> extremes() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{
      T{0}, T{1}, Limits::min(), Limits::max(), Limits::lowest(), static_cast<T>(Limits::max() / 3)};
  if constexpr (std::is_floating_point_v<T>) {
    values.insert(values.end(), {-T{0}, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                                 Limits::denorm_min(), T{1} / T{3}});
  }
  return values;
}

class Functions : public testing::TestWithParam<const char*> {
 protected:
  FunctionRequest source(const std::string& text, const std::string& function) const {
    return write_source(folder_, std::string("user.") + GetParam(),
                        "#include <stdint.h>\n#include <stddef.h>\n" + text, function);
  }

  // The value comes back unchanged, and in the middle of others; its neighbours are not mistaken for it.
  template <class T>
  void expect_passes(const std::string& type, Scalar scalar) const {
    SCOPED_TRACE(type);
    const LoadedFunction same(source(type + " same(uint8_t before, " + type +
                                         " value, int64_t behind) {\n"
                                         "  return before == 7 && behind == -9 ? value : (" +
                                         type + ")0; }\n",
                                     "same"));
    ASSERT_EQ(same.signature().result, scalar);
    ASSERT_EQ(same.signature().parameters[1].element, scalar);
    for (const T value : extremes<T>()) {
      const Returned returned = same.call({Number(int64_t{7}), number_of(value), Number(int64_t{-9})});
      EXPECT_EQ(bits_of<T>(scalar, *returned.result), to_bytes(std::vector<T>{value})) << +value;
    }
  }

  // Elements come back in another order, next to arrays of odd lengths.
  template <class T>
  void expect_arrays(const std::string& type, Scalar scalar) const {
    SCOPED_TRACE(type);
    FunctionRequest request =
        source("size_t turn(const uint8_t* odd, const " + type + "* in, " + type + "* both, " + type +
                   "* out, size_t n) {\n  for (size_t i = 0; i < n; ++i) { out[i] = both[i]; both[i] = "
                   "in[n - 1 - i]; }\n  return n + odd[2]; }\n",
               "turn");
    request.outputs = {"out"};
    const LoadedFunction turn(request);
    const std::vector<T> in = extremes<T>();
    std::vector<T> both(in.begin(), in.end());
    std::swap(both[0], both[3]);
    const Returned returned =
        turn.call({array_of<uint8_t>(Scalar::uint8, {1, 2, 100}), array_of(scalar, in), array_of(scalar, both),
                   OutputLength{static_cast<int64_t>(in.size())}, Number(static_cast<uint64_t>(in.size()))});
    EXPECT_EQ(std::get<uint64_t>(*returned.result), in.size() + 100);
    ASSERT_EQ(returned.arrays.size(), 2U);
    EXPECT_EQ(returned.arrays[0].name, "both");
    EXPECT_EQ(returned.arrays[0].values.data, to_bytes(std::vector<T>(in.rbegin(), in.rend())));
    EXPECT_EQ(returned.arrays[1].name, "out");
    EXPECT_EQ(returned.arrays[1].values.data, to_bytes(both));
    EXPECT_EQ(returned.arrays[1].values.element, scalar);
  }

  TemporaryDirectory folder_;
};

TEST_P(Functions, TakeAndReturnEveryScalarAtItsExtremes) {
  expect_passes<int8_t>("int8_t", Scalar::int8);
  expect_passes<uint8_t>("unsigned char", Scalar::uint8);
  expect_passes<int16_t>("short", Scalar::int16);
  expect_passes<uint16_t>("uint16_t", Scalar::uint16);
  expect_passes<int32_t>("int32_t", Scalar::int32);
  expect_passes<uint32_t>("unsigned", Scalar::uint32);
  expect_passes<int64_t>("long long", Scalar::int64);
  expect_passes<uint64_t>("size_t", Scalar::uint64);
  expect_passes<float>("float", Scalar::float32);
  expect_passes<double>("double", Scalar::float64);
}

TEST_P(Functions, TakeAndReturnArraysOfEveryType) {
  expect_arrays<int8_t>("signed char", Scalar::int8);
  expect_arrays<uint8_t>("uint8_t", Scalar::uint8);
  expect_arrays<int16_t>("int16_t", Scalar::int16);
  expect_arrays<uint16_t>("uint16_t", Scalar::uint16);
  expect_arrays<int32_t>("int32_t", Scalar::int32);
  expect_arrays<uint32_t>("uint32_t", Scalar::uint32);
  expect_arrays<int64_t>("int64_t", Scalar::int64);
  expect_arrays<uint64_t>("uint64_t", Scalar::uint64);
  expect_arrays<float>("float", Scalar::float32);
  expect_arrays<double>("double", Scalar::float64);
}

TEST_P(Functions, TakeBoolsAndEnums) {
  const LoadedFunction function(
      source("#include <stdbool.h>\nenum Mode { off, on = 200, far = 70000 };\n"
             "enum Mode step(bool up, enum Mode mode, const bool* many, bool* inverse) {\n"
             "  *inverse = !many[1];\n  return up ? (mode == on ? far : on) : off; }\n",
             "step"));
  EXPECT_EQ(function.signature().result, Scalar::uint32);
  const auto step = [&](int64_t up, int64_t mode) {
    return function.call({Number(up), Number(mode), ArrayValue{Scalar::boolean, {std::byte{1}, std::byte{0}}},
                          ArrayValue{Scalar::boolean, {std::byte{0}}}});
  };
  EXPECT_EQ(std::get<int64_t>(*step(1, 200).result), 70000);
  EXPECT_EQ(std::get<int64_t>(*step(1, 0).result), 200);
  EXPECT_EQ(std::get<int64_t>(*step(0, 200).result), 0);
  EXPECT_EQ(step(0, 0).arrays[0].values.data, Bytes{std::byte{1}});
}

TEST_P(Functions, TakeTablesByTheirRows) {
  FunctionRequest request = source(
      "void multiply(const float a[2][3], float b[][2], double* out) {\n"
      "  for (int i = 0; i < 2; ++i) for (int j = 0; j < 2; ++j) {\n    double sum = 0;\n"
      "    for (int k = 0; k < 3; ++k) sum += (double)a[i][k] * (double)b[k][j];\n    out[2 * i + j] = sum; } }\n",
      "multiply");
  request.outputs = {"out"};
  const LoadedFunction multiply(request);
  EXPECT_EQ(multiply.signature().result, std::nullopt);
  const Returned returned =
      multiply.call({array_of<float>(Scalar::float32, {1, 2, 3, 4, 5, 6}),
                     array_of<float>(Scalar::float32, {1, 10, 2, 20, 3, 30}), OutputLength{4}});
  EXPECT_EQ(returned.result, std::nullopt);
  EXPECT_EQ(returned.arrays[1].values.data, to_bytes(std::vector<double>{14, 140, 32, 320}));
}

TEST_P(Functions, TakeNullPointersAndEmptyArrays) {
  const LoadedFunction function(
      source("int kind(const int* a, short* b) { return (a == 0) + 2 * (b == 0); }\n", "kind"));
  const auto kind = [&](const CallArgument& a, const CallArgument& b) {
    return std::get<int64_t>(*function.call({a, b}).result);
  };
  EXPECT_EQ(kind(NullPointer{}, NullPointer{}), 3);
  EXPECT_EQ(kind(ArrayValue{Scalar::int32, {}}, NullPointer{}), 2);
  EXPECT_EQ(kind(NullPointer{}, ArrayValue{Scalar::int16, {}}), 1);
  EXPECT_TRUE(function.call({NullPointer{}, NullPointer{}}).arrays.empty());
}

TEST_P(Functions, AreCalledWithoutAnythingToPass) {
  const LoadedFunction function(source("static int calls;\nvoid tick(void) { ++calls; }\n", "tick"));
  const Returned returned = function.call({});
  EXPECT_EQ(returned.result, std::nullopt);
  EXPECT_TRUE(returned.arrays.empty());
}

TEST_P(Functions, KeepTheirVariablesAndMayBeStatic) {
  const LoadedFunction next(
      source("static int32_t state = 40;\nstatic int32_t next(void) { return ++state; }\n", "next"));
  EXPECT_EQ(std::get<int64_t>(*next.call({}).result), 41);
  EXPECT_EQ(std::get<int64_t>(*next.call({}).result), 42);
}

TEST_P(Functions, UseIncludesDefinesFlagsAndMoreSources) {
  write_file(folder_.path() / "more.c", "int more(int x) { return x * FACTOR; }\n");
  fs::create_directories(folder_.path() / "headers");
  write_file(folder_.path() / "headers" / "more.h",
             "#ifdef __cplusplus\nextern \"C\"\n#endif\nint more(int x);\n");
  FunctionRequest request = source(
      "#include \"more.h\"\nint run(int x) {\n"
      "#ifdef __OPTIMIZE__\n  return -1;\n#endif\n  return more(x) + EXTRA; }\n",
      "run");
  request.more_sources = {folder_.path() / "more.c"};
  request.includes = {folder_.path() / "headers"};
  request.defines = {"FACTOR=3", "EXTRA=1"};
  request.flags = "-O0";
  EXPECT_EQ(std::get<int64_t>(*LoadedFunction(request).call({Number(int64_t{5})}).result), 16);
  request.flags = "-O3 -funroll-loops";
  EXPECT_EQ(std::get<int64_t>(*LoadedFunction(request).call({Number(int64_t{5})}).result), -1);
}

uint32_t asked[3];
char logged[64];

extern "C" uint32_t test_service(uint32_t number, uintptr_t first, uintptr_t second) {
  if (number == 1) std::memcpy(logged, reinterpret_cast<const char*>(first), second);
  if (number == 2)
    asked[0] = number, asked[1] = static_cast<uint32_t>(first), asked[2] = static_cast<uint32_t>(second);
  return 0;
}

TEST_P(Functions, AskForServices) {
  FunctionRequest request = source(
      "#include \"mote/services.h\"\n"
      "#ifdef __cplusplus\nextern \"C\" {\n#endif\nuint32_t (*hook)(uint32_t, uintptr_t, uintptr_t);\n"
      "uint32_t mote_service(uint32_t n, uintptr_t a, uintptr_t b) { return hook(n, a, b); }\n"
      "#ifdef __cplusplus\n}\n#endif\n"
      "void work(void) { mote_log(\"half\\n\"); mote_progress(3, 6); }\n",
      "work");
  const LoadedFunction work(request);
  *static_cast<decltype(&test_service)*>(work.symbol("hook")) = test_service;
  EXPECT_TRUE(work.call({}).arrays.empty());
  EXPECT_EQ(std::string(logged), "half\n");
  EXPECT_EQ(std::vector<uint32_t>(asked, asked + 3), (std::vector<uint32_t>{2, 3, 6}));
}

TEST_P(Functions, LeaveTheUsersFilesAlone) {
  const FunctionRequest request = source("int one(void) { return 1; }\n", "one");
  const std::string before = read_text(request.source);
  const fs::file_time_type written = fs::last_write_time(request.source);
  EXPECT_EQ(std::get<int64_t>(*LoadedFunction(request).call({}).result), 1);
  EXPECT_EQ(read_text(request.source), before);
  EXPECT_EQ(fs::last_write_time(request.source), written);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

INSTANTIATE_TEST_SUITE_P(Languages, Functions, testing::Values("c", "cpp"),
                         [](const auto& info) { return info.param; });

class CppFunctions : public testing::Test {
 protected:
  TemporaryDirectory folder_;
};

TEST_F(CppFunctions, RunStaticConstructorsOnlyInMoteStart) {
  const LoadedFunction function(write_source(
      folder_, "user.cpp",
      "namespace { struct Table { int squares[5]; Table() { for (int i = 0; i < 5; ++i) squares[i] = i * i; }\n"
      "  ~Table() { squares[0] = 1; } };\nTable table;\nint copy = table.squares[3]; }\n"
      "int square(int i) { return table.squares[i] + 100 * copy; }\n",
      "square"));
  EXPECT_EQ(std::get<int64_t>(*function.call({Number(int64_t{4})}).result), 0);
  function.start();
  EXPECT_EQ(std::get<int64_t>(*function.call({Number(int64_t{4})}).result), 916);
}

TEST_F(CppFunctions, LieInNamespacesAndClasses) {
  const std::string text =
      "#define frame wrong\n#define bytes wrong\n#define io wrong\n"
      "int twice(int x) { return -x; }\n"
      "namespace dsp { int twice(int x) { return 2 * x; }\n"
      "namespace { int thrice(int x) { return 3 * x; } }\n"
      "inline namespace v2 { int square(int x) noexcept { return x * x; } }\n"
      "enum class Mode : short { a = -5, b };\n"
      "struct Filter { static Mode next(Mode mode) { return static_cast<Mode>(static_cast<short>(mode) + 1); } }; "
      "}\n"
      "extern \"C\" int plain(int x) { return x + 1; }\n";
  const auto call = [&](const std::string& name, int64_t value) {
    const LoadedFunction function(write_source(folder_, "user.cpp", text, name));
    return std::get<int64_t>(*function.call({Number(value)}).result);
  };
  EXPECT_EQ(call("dsp::twice", 21), 42);
  EXPECT_EQ(call("::dsp::twice", 21), 42);
  EXPECT_EQ(call("twice", 21), -21);
  EXPECT_EQ(call("dsp::thrice", 14), 42);
  EXPECT_EQ(call("dsp::v2::square", 6), 36);
  EXPECT_EQ(call("dsp::Filter::next", -5), -4);
  EXPECT_EQ(call("plain", 41), 42);
}

TEST_F(CppFunctions, MayHaveVirtualFunctionsAndVariablesInside) {
  const LoadedFunction function(write_source(
      folder_, "user.cpp",
      "struct Shape { virtual ~Shape() {} virtual int area() const = 0; };\n"
      "struct Square : Shape { int side; explicit Square(int s) : side(s) {} int area() const override { return "
      "side * side; } };\n"
      "int area(int side) { static Square first(side); const Shape& shape = first; return shape.area(); }\n",
      "area"));
  function.start();
  EXPECT_EQ(std::get<int64_t>(*function.call({Number(int64_t{6})}).result), 36);
  EXPECT_EQ(std::get<int64_t>(*function.call({Number(int64_t{7})}).result), 36);
}

}  // namespace
}  // namespace mote
