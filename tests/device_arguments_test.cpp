// SPDX-License-Identifier: Apache-2.0
// Arguments and results of functions as text.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/argument_text.hpp"
#include "support/error_text.hpp"

namespace mote {
namespace {

using test::error_of;

FunctionSignature signature_of(Scalar element, Passing passing, int64_t declared = 0) {
  return {"f", Language::c, Scalar::int32, "int", {{"x", "T", element, passing, 1, declared}}};
}

Number number(const std::string& text) {
  return std::get<Number>(parse_argument(signature_of(Scalar::float64, Passing::value), 0, text));
}

template <class T>
std::vector<T> array(Scalar element, const std::string& text) {
  const CallArgument argument = parse_argument(signature_of(element, Passing::in), 0, text);
  EXPECT_EQ(std::get<ArrayValue>(argument).element, element);
  return to_values<T>(std::get<ArrayValue>(argument).data);
}

std::string error(Scalar element, Passing passing, const std::string& text) {
  return error_of([&] { return parse_argument(signature_of(element, passing), 0, text); });
}

TEST(ArgumentText, Numbers) {
  EXPECT_EQ(number("7"), Number(uint64_t{7}));
  EXPECT_EQ(number("-7"), Number(int64_t{-7}));
  EXPECT_EQ(number("+7"), Number(uint64_t{7}));
  EXPECT_EQ(number("0xfF"), Number(uint64_t{255}));
  EXPECT_EQ(number("-0x10"), Number(int64_t{-16}));
  EXPECT_EQ(number("18446744073709551615"), Number(std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(number("-9223372036854775808"), Number(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(number("-9223372036854775809"), Number(-0x1p63));
  EXPECT_EQ(number("2.5e-3"), Number(2.5e-3));
  EXPECT_EQ(number("-.5"), Number(-0.5));
  EXPECT_EQ(number("true"), Number(int64_t{1}));
  EXPECT_TRUE(std::isnan(std::get<double>(number("nan"))));
  EXPECT_EQ(number("-inf"), Number(-HUGE_VAL));
  for (const char* const wrong : {"", "-", "--7", "7x", "0x", "0xg", "1,2", "- 7", "-+7", "1e"}) {
    EXPECT_EQ(error(Scalar::int32, Passing::value, wrong),
              std::string("f: parameter 'x' (T): '") + wrong + "' is no number");
  }
}

TEST(ArgumentText, Lists) {
  EXPECT_EQ(array<int16_t>(Scalar::int16, "1,-2,0x7fff"), (std::vector<int16_t>{1, -2, 32767}));
  EXPECT_EQ(array<float>(Scalar::float32, "[ 0.5, 1 , -2e3 ]"), (std::vector<float>{0.5F, 1, -2000}));
  EXPECT_EQ(array<uint8_t>(Scalar::boolean, "true,0,1"), (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_TRUE(array<int8_t>(Scalar::int8, "[]").empty());
  EXPECT_EQ(error(Scalar::int8, Passing::in, "1,300"),
            "f: parameter 'x' (T): 300 does not fit; it takes -128 to 127");
  EXPECT_EQ(error(Scalar::int8, Passing::in, "1,,2"), "f: parameter 'x' (T): '' is no number");
  EXPECT_EQ(error(Scalar::int8, Passing::in, "1,"),
            "f: parameter 'x' (T): behind the last comma stands no number");
}

TEST(ArgumentText, TextsFilesAndNull) {
  EXPECT_EQ(array<char>(Scalar::int8, "text:hi"), (std::vector<char>{'h', 'i', 0}));
  EXPECT_EQ(error(Scalar::int16, Passing::in, "text:hi"),
            "f: parameter 'x' (T): takes int16 elements and no text");
  const TemporaryDirectory folder;
  const std::string raw = (folder.path() / "x.bin").string(), npy = (folder.path() / "x.npy").string();
  write_file(raw, to_bytes(std::vector<int32_t>{5, 6}));
  EXPECT_EQ(array<int32_t>(Scalar::int32, "@" + raw), (std::vector<int32_t>{5, 6}));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  header.resize(117, ' ');
  std::string file = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(118) + '\0' + header + "\n";
  const float values[2] = {1.5F, -2};
  file.append(reinterpret_cast<const char*>(values), sizeof values);
  write_file(npy, std::string_view(file));
  EXPECT_EQ(array<float>(Scalar::float32, "@" + npy), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(error(Scalar::int16, Passing::in, "@" + npy),
            "f: parameter 'x' (T): takes int16 elements, " + npy + " has float32");
  EXPECT_TRUE(
      std::holds_alternative<NullPointer>(parse_argument(signature_of(Scalar::int8, Passing::out), 0, "null")));
}

TEST(ArgumentText, OutputsAreLengths) {
  const auto length = [](const std::string& text) {
    return std::get<OutputLength>(parse_argument(signature_of(Scalar::int8, Passing::out, 4), 0, text)).elements;
  };
  EXPECT_EQ(length("12"), 12);
  EXPECT_EQ(length("-"), std::nullopt);
  for (const char* const wrong : {"-1", "", "1,2", "x"}) {
    EXPECT_EQ(error(Scalar::int8, Passing::out, wrong),
              std::string("f: parameter 'x' (T): is an output; give its length, or - for the one that the source "
                          "declares, not '") +
                  wrong + "'");
  }
}

TEST(ArgumentText, OneForEachParameter) {
  EXPECT_EQ(error_of([] {
              return parse_arguments(signature_of(Scalar::int8, Passing::in), {"1", "2"});
            }),
            "f takes 1 argument, not 2: int f(T x)");
  EXPECT_EQ(parse_arguments(signature_of(Scalar::int8, Passing::in), {"1"}).size(), 1U);
}

TEST(ArgumentText, Results) {
  const Returned returned{Number(-0.25),
                          {{"y", {Scalar::int16, to_bytes(std::vector<int16_t>{-1, 2})}},
                           {"z", {Scalar::float32, to_bytes(std::vector<float>{INFINITY, 1})}}}};
  EXPECT_EQ(to_json(returned).dump(), R"({"result":-0.25,"arrays":{"y":[-1,2],"z":["inf",1.0]}})");
  EXPECT_EQ(to_text(signature_of(Scalar::int8, Passing::in), returned), "f = -0.25\ny = -1 2\nz = inf 1\n");
  const Returned nothing{std::nullopt, {{"y", {Scalar::uint8, Bytes(2000, std::byte{7})}}}};
  EXPECT_EQ(to_text(signature_of(Scalar::int8, Passing::in), nothing),
            "y = 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 ... (2,000 uint8 elements)\n");
  EXPECT_EQ(to_json(Returned{}).dump(), R"({"result":null,"arrays":{}})");
}

}  // namespace
}  // namespace mote
