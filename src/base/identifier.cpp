// SPDX-License-Identifier: Apache-2.0
#include "base/identifier.hpp"

#include <algorithm>
#include <iterator>

namespace mote {

namespace {

// Keywords of C17 and C++20, then names of headers that NAME.h must not hide, main and namespaces.
// clang-format off
constexpr std::string_view taken[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl",
    "concept", "const", "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype",
    "default", "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern",
    "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new",
    "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public",
    "register", "reinterpret_cast", "requires", "restrict", "return", "short", "signed", "sizeof", "static",
    "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw", "true",
    "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile",
    "wchar_t", "while", "xor", "xor_eq",
    "assert", "ctype", "errno", "limits", "main", "math", "nn", "setjmp", "signal", "std", "stdarg",
    "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "time"};
// clang-format on

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string to_identifier(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c)) {
      result += c;
    } else if (!result.empty() && result.back() != '_') {  // a leading or double underscore is reserved
      result += '_';
    }
  }
  while (!result.empty() && result.back() == '_') result.pop_back();
  if (result.empty()) return "model";
  if (is_digit(result.front())) return "model_" + result;
  if (std::find(std::begin(taken), std::end(taken), result) != std::end(taken)) return result + "_model";
  return result;
}

}  // namespace mote
