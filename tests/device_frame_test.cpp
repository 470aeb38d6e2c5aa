// SPDX-License-Identifier: Apache-2.0
// Call frames: where what lies, and what does not fit.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "device/frame.hpp"
#include "support/error_text.hpp"

namespace mote {
namespace {

using test::error_of;

Parameter value(const char* parameter, const char* type, Scalar scalar) {
  return {parameter, type, scalar, Passing::value};
}

Parameter array(const char* parameter, const char* type, Scalar scalar, Passing passing, int64_t row = 1,
                int64_t declared = 0) {
  return {parameter, type, scalar, passing, row, declared};
}

FunctionSignature function(std::optional<Scalar> result, std::vector<Parameter> parameters) {
  return {"f", Language::c, result, result ? "int" : "void", std::move(parameters)};
}

ArrayValue shorts(std::vector<int16_t> values) { return {Scalar::int16, to_bytes(values)}; }

TEST(Frame, GoesAsItsBeginAndComesBackAsItsEnd) {
  const FunctionSignature f = function(Scalar::int64, {array("state", "short *", Scalar::int16, Passing::inout),
                                                       value("gain", "int8_t", Scalar::int8),
                                                       array("out", "float *", Scalar::float32, Passing::out),
                                                       array("x", "const short *", Scalar::int16, Passing::in)});
  const Marshalled call =
      marshal(f, {shorts({-1}), Number(int64_t{-2}), OutputLength{3}, shorts({0x1234, 1, 2, 3, 4})});
  // 5 slots, then x (10 bytes), state (2), out (12), the result.
  const std::vector<uint32_t> expected_words = {56, 0, 0xFE,       0,          64, 0, 40,     0,
                                                80, 0, 0x00011234, 0x00030002, 4,  0, 0xFFFF, 0};
  EXPECT_EQ(call.input, to_bytes(expected_words));
  EXPECT_EQ(call.output_offset, 56);
  EXPECT_EQ(call.output_bytes, 32);
  EXPECT_EQ(call.frame_bytes, 88);
  const std::vector<uint32_t> output = {0xAAAA0007, 0xAAAAAAAA, 0x3F800000, 0x40000000,
                                        0x40400000, 0xAAAAAAAA, 0xFFFFFFFF, 0x7FFFFFFF};
  const Returned returned = unmarshal(f, call, to_bytes(output));
  EXPECT_EQ(std::get<int64_t>(*returned.result), std::numeric_limits<int64_t>::max() - 0xFFFFFFFF + 0xFFFFFFFF);
  ASSERT_EQ(returned.arrays.size(), 2U);
  EXPECT_EQ(returned.arrays[0].name, "state");
  EXPECT_EQ(returned.arrays[0].values.data, to_bytes(std::vector<int16_t>{7}));
  EXPECT_EQ(returned.arrays[1].values.data, to_bytes(std::vector<float>{1, 2, 3}));
  EXPECT_EQ(error_of([&] { return unmarshal(f, call, Bytes(31)); }), "f: 31 bytes came back instead of 32");
}

TEST(Frame, DeclaredLengthsAreTheOutputsOwn) {
  const FunctionSignature f = function(std::nullopt, {array("y", "int [4]", Scalar::int32, Passing::out, 1, 4)});
  EXPECT_EQ(marshal(f, {OutputLength{}}).output_bytes, 16);
  EXPECT_EQ(marshal(f, {OutputLength{6}}).output_bytes, 24);
  EXPECT_EQ(error_of([&] { return marshal(f, {OutputLength{3}}); }),
            "f: parameter 'y' (int [4]): needs at least 4 elements, not 3");
}

class Numbers : public testing::Test {
 protected:
  static std::string pass(Scalar scalar, const Number& number) {
    const FunctionSignature f = function(std::nullopt, {value("x", "T", scalar)});
    return error_of([&] { return marshal(f, {number}); });
  }
  static Number back(Scalar scalar, const Number& number) {
    Bytes bytes;
    append_number(bytes, scalar, number, "x");
    return read_number(scalar, bytes.data());
  }
};

TEST_F(Numbers, OutOfRangeNameTheParameter) {
  const std::string head = "f: parameter 'x' (T): ";
  EXPECT_EQ(pass(Scalar::int8, int64_t{300}), head + "300 does not fit; it takes -128 to 127");
  EXPECT_EQ(pass(Scalar::int8, int64_t{-129}), head + "-129 does not fit; it takes -128 to 127");
  EXPECT_EQ(pass(Scalar::uint8, int64_t{-1}), head + "-1 does not fit; it takes 0 to 255");
  EXPECT_EQ(pass(Scalar::uint8, uint64_t{256}), head + "256 does not fit; it takes 0 to 255");
  EXPECT_EQ(pass(Scalar::int16, 32768.0), head + "32768 does not fit; it takes -32768 to 32767");
  EXPECT_EQ(pass(Scalar::uint16, int64_t{65536}), head + "65536 does not fit; it takes 0 to 65535");
  EXPECT_EQ(pass(Scalar::int32, int64_t{1} << 31),
            head + "2147483648 does not fit; it takes -2147483648 to 2147483647");
  EXPECT_EQ(pass(Scalar::uint32, int64_t{1} << 32), head + "4294967296 does not fit; it takes 0 to 4294967295");
  EXPECT_EQ(pass(Scalar::int64, uint64_t{1} << 63),
            head + "9223372036854775808 does not fit; it takes -9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(pass(Scalar::int64, 0x1p63),
            head + "9.223372036854776e+18 does not fit; it takes -9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(pass(Scalar::uint64, int64_t{-1}), head + "-1 does not fit; it takes 0 to 18446744073709551615");
  EXPECT_EQ(pass(Scalar::uint64, 0x1p64),
            head + "1.8446744073709552e+19 does not fit; it takes 0 to 18446744073709551615");
  EXPECT_EQ(pass(Scalar::boolean, int64_t{2}), head + "2 does not fit; it takes 0 or 1");
  EXPECT_EQ(pass(Scalar::int32, 2.5), head + "2.5 is no whole number");
  EXPECT_EQ(pass(Scalar::int32, std::nan("")), head + "nan is no whole number");
  EXPECT_EQ(pass(Scalar::float32, 1e39), head + "1e+39 does not fit; float32 takes up to 3.4028235e+38");
}

TEST_F(Numbers, ThatFitAreKept) {
  EXPECT_EQ(back(Scalar::uint64, std::numeric_limits<uint64_t>::max()),
            Number(std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(back(Scalar::int64, -0x1p63), Number(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(back(Scalar::int8, 3.0), Number(int64_t{3}));
  EXPECT_EQ(back(Scalar::boolean, int64_t{1}), Number(int64_t{1}));
  EXPECT_EQ(back(Scalar::float64, 0.1), Number(0.1));
  EXPECT_EQ(back(Scalar::float32, 0.1), Number(static_cast<double>(0.1F)));
  EXPECT_TRUE(std::isinf(std::get<double>(back(Scalar::float32, -HUGE_VAL))));
  EXPECT_TRUE(std::isnan(std::get<double>(back(Scalar::float32, std::nan("")))));
}

TEST(Frame, ArgumentsOfTheWrongForm) {
  const FunctionSignature f = function(
      Scalar::int32, {value("n", "int", Scalar::int32), array("x", "short *", Scalar::int16, Passing::inout, 2),
                      array("y", "bool *", Scalar::boolean, Passing::out)});
  const auto error = [&](const std::vector<CallArgument>& arguments) {
    return error_of([&] { return marshal(f, arguments); });
  };
  const Number n(int64_t{1});
  EXPECT_EQ(error({n}), "f takes 3 arguments, not 1: int f(int n, short *x, bool *y)");
  EXPECT_EQ(error({shorts({1}), shorts({1, 2}), OutputLength{1}}), "f: parameter 'n' (int): takes a number");
  EXPECT_EQ(error({n, n, OutputLength{1}}), "f: parameter 'x' (short *): takes an array, not a number");
  EXPECT_EQ(error({n, OutputLength{2}, OutputLength{1}}),
            "f: parameter 'x' (short *): needs its values; only an output is given by its length");
  EXPECT_EQ(error({n, ArrayValue{Scalar::int32, Bytes(8)}, OutputLength{1}}),
            "f: parameter 'x' (short *): takes int16 elements, not int32");
  EXPECT_EQ(error({n, shorts({1, 2, 3}), OutputLength{1}}),
            "f: parameter 'x' (short *): 3 elements are no whole rows of 2");
  EXPECT_EQ(error({n, ArrayValue{Scalar::int16, Bytes(3)}, OutputLength{1}}),
            "f: parameter 'x' (short *): 3 bytes are no whole elements of int16");
  EXPECT_EQ(error({n, shorts({1, 2}), OutputLength{}}), "f: parameter 'y' (bool *): say how many elements it has");
  EXPECT_EQ(error({n, shorts({1, 2}), OutputLength{-1}}), "f: parameter 'y' (bool *): -1 cannot be its length");
  EXPECT_EQ(error({n, shorts({1, 2}), shorts({1})}), "f: parameter 'y' (bool *): is an output; give its length");
  EXPECT_EQ(error({n, shorts({1, 2}), OutputLength{int64_t{1} << 40}}),
            "f: parameter 'y' (bool *): 1099511627776 cannot be its length");
  EXPECT_EQ(error({n, shorts({1, 2}), OutputLength{(int64_t{1} << 31) - 1}}),
            "f: parameter 'y' (bool *): the arguments are larger than any device");
  EXPECT_EQ(error({n, shorts({1, 2}), NullPointer{}}), "no error");
}

TEST(Frame, BoolsAreZeroOrOne) {
  const FunctionSignature f = function(std::nullopt, {array("x", "const bool *", Scalar::boolean, Passing::in)});
  EXPECT_EQ(error_of([&] {
              return marshal(f, {ArrayValue{Scalar::boolean, {std::byte{1}, std::byte{2}}}});
            }),
            "f: parameter 'x' (const bool *): element 1 is 2; it takes 0 or 1");
}

}  // namespace
}  // namespace mote
