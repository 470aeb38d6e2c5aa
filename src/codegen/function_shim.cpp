// SPDX-License-Identifier: Apache-2.0
#include "codegen/function_shim.hpp"

#include <fmt/ranges.h>

#include <cctype>

#include "base/error.hpp"

namespace mote {

namespace {

constexpr int slot_bytes = 8;

// "int16" -> "__INT16_TYPE__", which needs no header.
std::string c_type(std::string_view element) {
  if (element == "bool") return "_Bool";
  if (element == "float32") return "float";
  if (element == "float64") return "double";
  std::string type = "__";
  for (const char letter : element) type += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return type + "_TYPE__";
}

// In C a number and a pointer to nothing known become what the function takes by themselves.
constexpr const char* c_array = R"(static inline void* mote_array(char* frame, int slot) {
  const __UINT32_TYPE__ offset = *(const __UINT32_TYPE__*)(frame + slot);
  return offset == 0 ? (void*)0 : frame + offset;
}

)";

std::string c_entry(const FunctionShim& shim) {
  std::vector<std::string> arguments;
  for (size_t i = 0; i < shim.parameters.size(); ++i) {
    const ShimValue& parameter = shim.parameters[i];
    const size_t at = slot_bytes * i;
    arguments.push_back(parameter.row != 0
                            ? fmt::format("mote_array(mote_io, {})", at)
                            : fmt::format("*(const {}*)(mote_io + {})", c_type(parameter.element), at));
  }
  const size_t result_at = slot_bytes * shim.parameters.size();
  const std::string result = shim.result.element.empty()
                                 ? "(void)mote_io;\n  "
                                 : fmt::format("*({}*)(mote_io + *(const __UINT32_TYPE__*)(mote_io + {})) = ",
                                               c_type(shim.result.element), result_at);
  return fmt::format(
      "void mote_entry(void* mote_frame);\nvoid mote_entry(void* mote_frame) {{\n"
      "  char* const mote_io = mote_frame;\n  {}{}({});\n}}\n",
      result, shim.function, fmt::join(arguments, ", "));
}

// In C++ conversions to any type are what the compiler chooses from; sizes must be those that the host was told.
constexpr const char* cpp_conversions = R"(namespace mote_shim {
template <int bytes> struct Value {
  const char* at;
  template <class T> operator T() const {
    static_assert(sizeof(T) == bytes, "clang and the compiler disagree about the size of a parameter");
    T value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
  }
};
template <int bytes, int row> struct Array {
  char* frame;
  int slot;
  template <class T> operator T*() const {
    static_assert(sizeof(T) == bytes * row, "clang and the compiler disagree about the size of an element");
    const __UINT32_TYPE__ offset = *reinterpret_cast<const __UINT32_TYPE__*>(frame + slot);
    return offset == 0 ? nullptr : reinterpret_cast<T*>(frame + offset);
  }
};
template <int bytes, class T> void put(char* frame, int slot, T value) {
  static_assert(sizeof(T) == bytes, "clang and the compiler disagree about the size of the result");
  __builtin_memcpy(frame + *reinterpret_cast<const __UINT32_TYPE__*>(frame + slot), &value, sizeof value);
}
}  // namespace mote_shim

)";

std::string cpp_entry(const FunctionShim& shim) {
  std::vector<std::string> arguments;
  for (size_t i = 0; i < shim.parameters.size(); ++i) {
    const ShimValue& parameter = shim.parameters[i];
    const size_t at = slot_bytes * i;
    arguments.push_back(
        parameter.row != 0
            ? fmt::format("mote_shim::Array<{}, {}>{{mote_io, {}}}", parameter.bytes, parameter.row, at)
            : fmt::format("mote_shim::Value<{}>{{mote_io + {}}}", parameter.bytes, at));
  }
  const std::string call = fmt::format("::{}({})", shim.function, fmt::join(arguments, ", "));
  return "extern \"C\" void mote_entry(void* mote_frame) {\n  char* const mote_io = "
         "static_cast<char*>(mote_frame);\n" +
         (shim.result.element.empty() ? fmt::format("  (void)mote_io;\n  {};\n}}\n", call)
                                      : fmt::format("  mote_shim::put<{}>(mote_io, {}, {});\n}}\n",
                                                    shim.result.bytes, slot_bytes * shim.parameters.size(), call));
}

}  // namespace

std::string function_shim(const FunctionShim& shim) {
  const std::string path = shim.source.string();
  require(shim.source.is_absolute(), "{}: the shim of a function needs an absolute path", path);
  require(path.find_first_of("\"\n") == std::string::npos, "{}: #include cannot name such a file; rename it",
          path);
  // The source's macros are unknown: what can, stands in front of it.
  return fmt::format("// The entry of {}.\n{}#include \"{}\"\n\n{}", shim.function,
                     shim.cpp ? cpp_conversions : c_array, path, shim.cpp ? cpp_entry(shim) : c_entry(shim));
}

}  // namespace mote
