// SPDX-License-Identifier: Apache-2.0
#include "device/clang_parser.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "device/compiler.hpp"
#include "emulate/process.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr size_t shown_problems = 5;

// Flags that change what a declaration means; clang does not know all of the others.
bool concerns_declarations(std::string_view flag) {
  constexpr std::string_view whole[] = {"-fsigned-char", "-funsigned-char", "-fshort-enums", "-fno-short-enums"};
  constexpr std::string_view begins[] = {"-D", "-U", "-I", "-std="};
  return std::any_of(std::begin(whole), std::end(whole), [&](std::string_view one) { return flag == one; }) ||
         std::any_of(std::begin(begins), std::end(begins),
                     [&](std::string_view one) { return flag.starts_with(one); });
}

std::vector<std::string> arguments(const FunctionRequest& request, const Target& target, const fs::path& headers) {
  const Language language = language_of(request.source);
  std::vector<std::string> all = split_words(target.clang_flags);
  all.insert(all.end(), {"-x", language == Language::c ? "c" : "c++", "-nostdlibinc", "-ferror-limit=0"});
  for (const std::string& flag : preprocessor_flags(request, language)) all.push_back(flag);
  for (const std::string& flag : split_words(request.flags)) {
    if (concerns_declarations(flag)) all.push_back(flag);
  }
  all.push_back("-I" + headers.string());
  for (const SystemInclude& include : system_includes(target, language)) {
    // What the other compiler brings for itself comes behind what clang has of the kind.
    all.insert(all.end(), {include.of_compiler ? "-idirafter" : "-isystem", include.path.string()});
  }
  return all;
}

std::string problems_of(CXTranslationUnit unit) {
  std::string text;
  size_t found = 0;
  for (unsigned i = 0; i < clang_getNumDiagnostics(unit); ++i) {
    const CXDiagnostic diagnostic = clang_getDiagnostic(unit, i);
    const bool counts = clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error;
    const std::string line = to_text(
        clang_formatDiagnostic(diagnostic, CXDiagnostic_DisplaySourceLocation | CXDiagnostic_DisplayColumn));
    clang_disposeDiagnostic(diagnostic);
    if (counts && ++found <= shown_problems) text += "\n  " + line;
  }
  if (found > shown_problems) text += fmt::format("\n  and {} more", found - shown_problems);
  return text;
}

}  // namespace

std::string to_text(CXString text) {
  const char* const characters = clang_getCString(text);
  std::string copy = characters == nullptr ? "" : characters;
  clang_disposeString(text);
  return copy;
}

ParsedSource::ParsedSource(const FunctionRequest& request, const Target& target) {
  const std::string source = request.source.string();
  require(fs::is_regular_file(request.source), "{}: there is no such file", source);
  write_device_headers(headers_.path());
  const std::vector<std::string> words = arguments(request, target, headers_.path());
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  index_ = clang_createIndex(0, 0);
  const CXErrorCode code =
      clang_parseTranslationUnit2(index_, source.c_str(), pointers.data(), static_cast<int>(pointers.size()),
                                  nullptr, 0, CXTranslationUnit_SkipFunctionBodies, &unit_);
  const std::string problems = unit_ == nullptr ? "" : problems_of(unit_);
  if (code == CXError_Success && problems.empty()) return;
  if (unit_ != nullptr) clang_disposeTranslationUnit(unit_);
  clang_disposeIndex(index_);
  require(code == CXError_Success, "{}: clang takes one of these flags for wrong: {}", source,
          fmt::join(preprocessor_flags(request, language_of(request.source)), " "));
  fail("{}: cannot be read for {}:{}", source, target.name, problems);
}

ParsedSource::~ParsedSource() {
  clang_disposeTranslationUnit(unit_);
  clang_disposeIndex(index_);
}

void for_each_child(CXCursor cursor, const std::function<void(CXCursor)>& visit) {
  clang_visitChildren(
      cursor,
      [](CXCursor child, CXCursor, CXClientData data) {
        (*static_cast<const std::function<void(CXCursor)>*>(data))(child);
        return CXChildVisit_Continue;
      },
      const_cast<std::function<void(CXCursor)>*>(&visit));
}

}  // namespace mote
