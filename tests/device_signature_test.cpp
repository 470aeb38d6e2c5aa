// SPDX-License-Identifier: Apache-2.0
// Signatures of C and C++ functions, and what is said of functions that cannot be called from afar.
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/loaded_function.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;
using test::signature_error;
using test::write_source;

class SignatureTest : public testing::Test {
 protected:
  FunctionSignature read(const std::string& file, const std::string& text, const std::string& function,
                         const char* target = "rv32imac") const {
    return read_signature(write_source(folder_, file, text, function), find_target(target));
  }

  std::string error(const std::string& file, const std::string& text, const std::string& function) const {
    return signature_error(folder_, write_source(folder_, file, text, function));
  }

  // Of a parameter of that type, alone in its function.
  std::string parameter_error(const std::string& file, const std::string& declarations,
                              const std::string& parameter) const {
    return error(file, declarations + "\nvoid f(" + parameter + ") {}\n", "f");
  }

  TemporaryDirectory folder_;
};

TEST_F(SignatureTest, NamesTypesAndDirections) {
  const FunctionSignature fir =
      read("fir.c",
           "#include <stdint.h>\n#include <stddef.h>\n"
           "int32_t fir(const int16_t *x, size_t n, int32_t state[8], const float (*rows)[4], double, "
           "const float table[2][3]) { return 0; }\n",
           "fir");
  EXPECT_EQ(to_text(fir),
            "int32_t fir(const int16_t *x, size_t n, int32_t state[8], const float (*rows)[4], double argument5, "
            "const float table[2][3])");
  EXPECT_EQ(fir.result, Scalar::int32);
  EXPECT_EQ(fir.language, Language::c);
  ASSERT_EQ(fir.parameters.size(), 6U);
  const auto expect = [&](size_t index, Scalar element, Passing passing, int64_t row, int64_t declared) {
    const Parameter& one = fir.parameters[index];
    EXPECT_EQ(one.element, element) << one.name;
    EXPECT_EQ(one.passing, passing) << one.name;
    EXPECT_EQ(one.row, row) << one.name;
    EXPECT_EQ(one.declared, declared) << one.name;
  };
  expect(0, Scalar::int16, Passing::in, 1, 0);
  expect(1, Scalar::uint32, Passing::value, 1, 0);
  expect(2, Scalar::int32, Passing::inout, 1, 8);
  expect(3, Scalar::float32, Passing::in, 4, 0);
  expect(4, Scalar::float64, Passing::value, 1, 0);
  expect(5, Scalar::float32, Passing::in, 3, 6);
}

// The same source, sizes of the target: a size_t, a long, the sign of a char, a short enum of the ARM's.
TEST_F(SignatureTest, TypesAreTheTargets) {
  const std::string text =
      "enum small { a, b };\nlong f(char c, enum small* e, __SIZE_TYPE__ n, __WCHAR_TYPE__ w) { return 0; }\n";
  const auto types = [&](const Target& target) {
    const FunctionSignature f = read_signature(write_source(folder_, "f.c", text, "f"), target);
    std::string list(name(*f.result));
    for (const Parameter& parameter : f.parameters) list += fmt::format(" {}", name(parameter.element));
    return list;
  };
  EXPECT_EQ(types(find_target("rv32imac")), "int32 uint8 uint32 uint32 int32");
  EXPECT_EQ(types(find_target("cortex-m4f")), "int32 uint8 uint8 uint32 uint32");
  EXPECT_EQ(types(find_target("lx106")), "int32 uint8 uint32 uint32 int32");
  EXPECT_EQ(types(test::native_target()), "int64 int8 uint32 uint64 int32");
}

TEST_F(SignatureTest, EveryTargetsHeadersAreFound) {
  for (const Target* const target : target::all()) {
    if (target->compiler.empty()) continue;
    for (const char* const file : {"all.c", "all.cpp"}) {
      const FunctionSignature f = read(
          file,
          "#include <stdint.h>\n#include <stddef.h>\n#include <stdbool.h>\n#include <string.h>\n"
          "#include <stdlib.h>\n#include <stdio.h>\n#include <math.h>\n#include <limits.h>\n#include <float.h>\n"
          "#include \"mote/services.h\"\n"
          "uint8_t f(const int32_t* x) { return (uint8_t)sqrtf((float)*x); }\n",
          "f", std::string(target->name).c_str());
      EXPECT_EQ(f.result, Scalar::uint8) << target->name;
    }
  }
}

TEST_F(SignatureTest, ArraysAreOutputsWhereToldSo) {
  FunctionRequest request =
      write_source(folder_, "f.c", "void f(const int* x, int* y, float* total, int n) {}\n", "f");
  request.outputs = {"y"};
  EXPECT_EQ(read_signature(request, find_target("rv32imac")).parameters[1].passing, Passing::out);
  request.outputs = {"toal"};
  EXPECT_EQ(signature_error(folder_, request), "f has no parameter 'toal' to be an output; there is total, y");
  request.outputs = {"n"};
  EXPECT_EQ(signature_error(folder_, request), "f: parameter 'n' (int) is a value and cannot be an output");
  request.outputs = {"x"};
  EXPECT_EQ(signature_error(folder_, request), "f: parameter 'x' (const int *) is const and cannot be an output");
}

TEST_F(SignatureTest, WhatTheCompilerAloneKnowsStaysInBodies) {
  const std::string text = "int f(int x) { int twice(int y) { return 2 * y; } return twice(x); }\n";  // gcc's own
  EXPECT_EQ(to_text(read("f.c", text, "f")), "int f(int x)");
}

TEST_F(SignatureTest, MissingFunctions) {
  const std::string text =
      "int fir(int x) { return x; }\nint iir(int x) { return x; }\nnamespace dsp { int first() { return 1; } }\n";
  EXPECT_EQ(error("a.cpp", text, "fit"), "a.cpp: there is no function 'fit'; there is fir, iir, dsp::first");
  EXPECT_EQ(error("a.cpp", text, "first"), "a.cpp: there is no function 'first'; there is dsp::first, fir, iir");
  EXPECT_EQ(error("a.c", "int x;\n", "f"), "a.c: there is no function 'f'; the source has no functions");
  EXPECT_EQ(error("a.txt", "int x;\n", "f"), "a.txt: is neither C (.c) nor C++ (.cpp, .cc, .cxx) by its name");
  FunctionRequest request = write_source(folder_, "b.c", "", "f");
  request.source = folder_.path() / "other.c";
  EXPECT_EQ(signature_error(folder_, request), "other.c: there is no such file");
}

TEST_F(SignatureTest, FunctionsWithoutOneAddress) {
  EXPECT_EQ(error("a.cpp", "int f(int x) { return x; }\n\nint f(float x, int) { return 1; }\n", "f"),
            "a.cpp: 'f' is overloaded; call the wanted one in a function with a name of its own:\n  line 1: "
            "f(int)\n  line 3: f(float, int)");
  EXPECT_EQ(error("a.cpp", "template <class T> T f(T x) { return x; }\n", "f"),
            "a.cpp:1: f is a template; call the wanted instance in a function with a name of its own");
  EXPECT_EQ(error("a.cpp", "struct S {\n int f(int x) { return x; } };\n", "S::f"),
            "a.cpp:2: S::f is a member function and needs an object; call it in a function that has one");
  EXPECT_EQ(error("a.cpp", "class S { static int f(int x) { return x; } };\n", "S::f"),
            "a.cpp:1: S::f is not public; call it in a function that may");
  EXPECT_EQ(error("a.c", "int f(int x, ...) { return x; }\n", "f"),
            "a.c:1: f takes a variable number of arguments; call it in a function with a fixed number");
}

TEST_F(SignatureTest, ADeclarationAndItsDefinitionAreOneFunction) {
  EXPECT_EQ(to_text(read("a.c", "int f(int);\nint f(int named) { return named; }\nint f(int last);\n", "f")),
            "int f(int named)");
}

TEST_F(SignatureTest, TypesThatCannotBeHandedOver) {
  const std::string wrap = "; call it in a function that takes numbers and arrays of numbers";
  EXPECT_EQ(parameter_error("a.c", "struct S { int x; };", "struct S s"),
            "a.c:2: f: parameter 's' (struct S) is a struct, class or union" + wrap);
  EXPECT_EQ(parameter_error("a.c", "typedef struct { int x; } S;", "const S* s"),
            "a.c:2: f: parameter 's' (const S *) is a pointer to a struct, class or union" + wrap);
  EXPECT_EQ(parameter_error("a.cpp", "", "int& r"),
            "a.cpp:2: f: parameter 'r' (int &) is a reference; take a pointer, or" + wrap.substr(1));
  EXPECT_EQ(
      parameter_error("a.c", "", "int (*call)(int)"),
      "a.c:2: f: parameter 'call' (int (*)(int)) is a pointer to a function, which the host does not have" + wrap);
  EXPECT_EQ(parameter_error("a.c", "", "int** p"),
            "a.c:2: f: parameter 'p' (int **) is a pointer to pointers" + wrap);
  EXPECT_EQ(parameter_error("a.c", "", "char* argv[]"),
            "a.c:2: f: parameter 'argv' (char *[]) is a pointer to pointers" + wrap);
  EXPECT_EQ(parameter_error("a.c", "", "void* p"),
            "a.c:2: f: parameter 'p' (void *) is a pointer to nothing known; take a pointer to uint8_t for bytes");
  EXPECT_EQ(
      parameter_error("a.c", "", "long double x"),
      "a.c:2: f: parameter 'x' (long double) is a floating-point type that the host does not have; take double");
  EXPECT_EQ(parameter_error("a.c", "", "_Complex float x"),
            "a.c:2: f: parameter 'x' (_Complex float) is complex" + wrap);
  EXPECT_EQ(parameter_error("a.c", "typedef int V __attribute__((vector_size(16)));", "V x"),
            "a.c:2: f: parameter 'x' (V) is a vector; take a pointer to its elements, or" + wrap.substr(1));
  EXPECT_EQ(parameter_error("a.c", "", "_BitInt(7) x"),
            "a.c:2: f: parameter 'x' (_BitInt(7)) is no number of 8, 16, 32 or 64 bits" + wrap);
  EXPECT_EQ(parameter_error("a.c", "", "int before, _Atomic int x"),
            "a.c:2: f: parameter 'x' (_Atomic(int)) is atomic" + wrap);
  EXPECT_EQ(error("a.c", "int* f(void) { return 0; }\n", "f"),
            "a.c:1: f: its result (int *) is a pointer, which means nothing to the host; write to an array that "
            "the caller gives");
  EXPECT_EQ(error("a.cpp", "struct S { int x; };\nS f() { return {}; }\n", "f"),
            "a.cpp:2: f: its result (S) is a struct, class or union" + wrap);
}

TEST_F(SignatureTest, SourcesWithErrors) {
  EXPECT_EQ(error("a.c", "int g(in x);\nint f(int x) { return x; }\n", "f"),
            "a.c: cannot be read for rv32imac:\n  a.c:1:7: error: unknown type name 'in'");
  EXPECT_EQ(error("a.c", "#include \"nowhere.h\"\nint f(int x) { return x; }\n", "f"),
            "a.c: cannot be read for rv32imac:\n  a.c:1:10: fatal error: 'nowhere.h' file not found");
  std::string many;
  for (int i = 0; i < 7; ++i) many += fmt::format("int f{}(in x);\n", i);
  const std::string text = error("a.c", many, "f1");
  EXPECT_TRUE(text.ends_with("a.c:5:8: error: unknown type name 'in'\n  and 2 more")) << text;
}

TEST_F(SignatureTest, FlagsThatChangeDeclarationsCount) {
  FunctionRequest request = write_source(
      folder_, "f.cpp", "WORD f(char c) { return c; }\n#if __cplusplus > 201703L\nint g(auto);\n#endif\n", "f");
  request.flags = "-O3 -funroll-loops -fno-tree-vectorize -fsigned-char";
  request.defines = {"WORD=short"};
  request.standard = "c++20";
  const FunctionSignature f = read_signature(request, find_target("rv32imac"));
  EXPECT_EQ(f.result, Scalar::int16);
  EXPECT_EQ(f.parameters[0].element, Scalar::int8);
  request.standard = "c++29";
  EXPECT_EQ(signature_error(folder_, request),
            "f.cpp: clang takes one of these flags for wrong: -DWORD=short -std=c++29");
}

}  // namespace
}  // namespace mote
