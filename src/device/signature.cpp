// SPDX-License-Identifier: Apache-2.0
#include "device/signature.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "device/clang_parser.hpp"
#include "device/declared_type.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr size_t shown_names = 5;

// A function of the source, or of a header of the user's.
struct Found {
  std::string name;  // with its namespaces
  CXCursor cursor;
};

std::string text_of(CXCursor cursor) { return to_text(clang_getCursorSpelling(cursor)); }

bool is_function(CXCursor cursor) {
  const CXCursorKind kind = clang_getCursorKind(cursor);
  return kind == CXCursor_FunctionDecl || kind == CXCursor_CXXMethod || kind == CXCursor_FunctionTemplate;
}

// Whether functions may stand in it: in namespaces, classes and `extern "C"`.
bool is_scope(CXCursor cursor) {
  switch (clang_getCursorKind(cursor)) {
    case CXCursor_Namespace:
    case CXCursor_ClassDecl:
    case CXCursor_StructDecl:
    case CXCursor_LinkageSpec:
    case CXCursor_UnexposedDecl: return true;  // so does libclang 14 call `extern "C"`
    default: return false;
  }
}

void collect(CXCursor scope, const std::string& prefix, std::vector<Found>& found) {
  for_each_child(scope, [&](CXCursor child) {
    if (clang_Location_isInSystemHeader(clang_getCursorLocation(child)) != 0) return;
    const std::string own = text_of(child);
    if (is_function(child)) {
      found.push_back({prefix + own, child});
    } else if (is_scope(child)) {
      const bool named = clang_getCursorKind(child) == CXCursor_Namespace ? clang_Cursor_isAnonymous(child) == 0
                                                                          : clang_isDeclaration(child.kind) != 0;
      collect(child, named && !own.empty() ? prefix + own + "::" : prefix, found);
    }
  });
}

unsigned line_of(CXCursor cursor) {
  unsigned line = 0;
  clang_getExpansionLocation(clang_getCursorLocation(cursor), nullptr, &line, nullptr, nullptr);
  return line;
}

bool names_parameters(CXCursor function) {
  for (int i = 0; i < clang_Cursor_getNumArguments(function); ++i) {
    if (text_of(clang_Cursor_getArgument(function, static_cast<unsigned>(i))).empty()) return false;
  }
  return true;
}

// Declarations of one function are one function; the first that names its parameters tells most.
std::vector<Found> functions_named(const std::vector<Found>& all, const std::string& name) {
  std::vector<Found> distinct;
  for (const Found& one : all) {
    if (one.name != name) continue;
    const auto same = std::find_if(distinct.begin(), distinct.end(), [&](const Found& other) {
      return clang_equalCursors(clang_getCanonicalCursor(one.cursor), clang_getCanonicalCursor(other.cursor)) != 0;
    });
    if (same == distinct.end()) {
      distinct.push_back(one);
    } else if (!names_parameters(same->cursor)) {
      *same = one;
    }
  }
  return distinct;
}

[[noreturn]] void fail_missing(const FunctionRequest& request, const std::vector<Found>& all) {
  std::set<std::string> unique;
  for (const Found& one : all) unique.insert(one.name);
  std::vector<std::string> names = nearest_first(request.function, {unique.begin(), unique.end()});
  // The same name in another namespace comes first: nothing is nearer than that.
  std::stable_partition(names.begin(), names.end(),
                        [&](const std::string& name) { return name.ends_with("::" + request.function); });
  require(!names.empty(), "{}: there is no function '{}'; the source has no functions", request.source.string(),
          request.function);
  const size_t more = names.size() > shown_names ? names.size() - shown_names : 0;
  names.resize(names.size() - more);
  fail("{}: there is no function '{}'; there is {}{}", request.source.string(), request.function,
       fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

[[noreturn]] void fail_overloaded(const FunctionRequest& request, const std::vector<Found>& functions) {
  std::string list;
  for (const Found& one : functions) {
    list += fmt::format("\n  line {}: {}", line_of(one.cursor), to_text(clang_getCursorDisplayName(one.cursor)));
  }
  fail("{}: '{}' is overloaded; call the wanted one in a function with a name of its own:{}",
       request.source.string(), request.function, list);
}

Found find_function(const FunctionRequest& request, const ParsedSource& source) {
  std::vector<Found> all;
  collect(source.root(), "", all);
  std::string_view wanted = request.function;
  if (wanted.starts_with("::")) wanted.remove_prefix(2);
  const std::vector<Found> functions = functions_named(all, std::string(wanted));
  if (functions.empty()) fail_missing(request, all);
  if (functions.size() > 1) fail_overloaded(request, functions);
  return functions[0];
}

// "fir.c:12: fir"
std::string place(const FunctionRequest& request, const Found& function) {
  return fmt::format("{}:{}: {}", request.source.string(), line_of(function.cursor), function.name);
}

void require_callable(const FunctionRequest& request, const Found& function) {
  const CXCursorKind kind = clang_getCursorKind(function.cursor);
  const std::string where = place(request, function);
  require(kind != CXCursor_FunctionTemplate,
          "{} is a template; call the wanted instance in a function with a name of its own", where);
  require(kind != CXCursor_CXXMethod || clang_CXXMethod_isStatic(function.cursor) != 0,
          "{} is a member function and needs an object; call it in a function that has one", where);
  require(kind != CXCursor_CXXMethod || clang_getCXXAccessSpecifier(function.cursor) == CX_CXXPublic,
          "{} is not public; call it in a function that may", where);
  require(clang_Cursor_isVariadic(function.cursor) == 0,
          "{} takes a variable number of arguments; call it in a function with a fixed number", where);
}

Parameter read_parameter(const FunctionRequest& request, const Found& function, unsigned index) {
  const CXCursor cursor = clang_Cursor_getArgument(function.cursor, index);
  Parameter parameter;
  parameter.name = text_of(cursor);
  if (parameter.name.empty()) parameter.name = fmt::format("argument{}", index + 1);
  const CXType type = clang_getCursorType(cursor);
  parameter.type = to_text(clang_getTypeSpelling(type));
  const DeclaredType declared = classify(type);
  require(declared.refused.empty(), "{}: parameter '{}' ({}) is {}", place(request, function), parameter.name,
          parameter.type, declared.refused);
  parameter.element = declared.element;
  parameter.row = declared.row;
  parameter.declared = declared.declared;
  if (declared.is_array) parameter.passing = declared.read_only ? Passing::in : Passing::inout;
  return parameter;
}

std::optional<Scalar> read_result(const FunctionRequest& request, const Found& function) {
  const CXType type = clang_getCursorResultType(function.cursor);
  if (clang_getCanonicalType(type).kind == CXType_Void) return std::nullopt;
  const DeclaredType declared = classify(type);
  const std::string spelling = to_text(clang_getTypeSpelling(type));
  require(declared.refused.empty(), "{}: its result ({}) is {}", place(request, function), spelling,
          declared.refused);
  require(!declared.is_array,
          "{}: its result ({}) is a pointer, which means nothing to the host; write to an array that the caller "
          "gives",
          place(request, function), spelling);
  return declared.element;
}

void mark_outputs(const FunctionRequest& request, FunctionSignature& signature) {
  for (const std::string& output : request.outputs) {
    const auto found = std::find_if(signature.parameters.begin(), signature.parameters.end(),
                                    [&](const Parameter& one) { return one.name == output; });
    if (found == signature.parameters.end()) {
      std::vector<std::string> names;
      for (const Parameter& one : signature.parameters) {
        if (one.passing == Passing::inout) names.push_back(one.name);
      }
      require(!names.empty(), "{} has no parameter '{}' to be an output, and none that could be one",
              signature.name, output);
      fail("{} has no parameter '{}' to be an output; there is {}", signature.name, output,
           fmt::join(nearest_first(output, names), ", "));
    }
    require(found->is_array(), "{}: parameter '{}' ({}) is a value and cannot be an output", signature.name,
            output, found->type);
    require(found->passing != Passing::in, "{}: parameter '{}' ({}) is const and cannot be an output",
            signature.name, output, found->type);
    found->passing = Passing::out;
  }
}

}  // namespace

Language language_of(const fs::path& source) {
  const std::string extension = source.extension().string();
  if (extension == ".c") return Language::c;
  for (const char* const cpp : {".cpp", ".cc", ".cxx", ".c++", ".C"}) {
    if (extension == cpp) return Language::cpp;
  }
  fail("{}: is neither C (.c) nor C++ (.cpp, .cc, .cxx) by its name", source.string());
}

FunctionSignature read_signature(const FunctionRequest& request, const Target& target) {
  const ParsedSource source(request, target);
  const Found function = find_function(request, source);
  require_callable(request, function);
  FunctionSignature signature;
  signature.name = function.name;
  signature.language = language_of(request.source);
  signature.result = read_result(request, function);
  signature.result_type = to_text(clang_getTypeSpelling(clang_getCursorResultType(function.cursor)));
  const int count = clang_Cursor_getNumArguments(function.cursor);
  for (int i = 0; i < count; ++i) {
    signature.parameters.push_back(read_parameter(request, function, static_cast<unsigned>(i)));
  }
  mark_outputs(request, signature);
  return signature;
}

std::string to_text(const FunctionSignature& signature) {
  std::vector<std::string> parameters;
  for (const Parameter& parameter : signature.parameters) {
    const std::string& type = parameter.type;
    const size_t pointer = type.find("(*");  // to an array: the name stands inside
    const size_t at = pointer != std::string::npos ? pointer + 2 : std::min(type.find('['), type.size());
    const bool tight = at > 0 && (type[at - 1] == '*' || type[at - 1] == ' ');
    parameters.push_back(type.substr(0, at) + (tight ? "" : " ") + parameter.name + type.substr(at));
  }
  return fmt::format("{} {}({})", signature.result_type, signature.name, fmt::join(parameters, ", "));
}

}  // namespace mote
