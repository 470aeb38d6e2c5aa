// SPDX-License-Identifier: Apache-2.0
// libclang's view of a source, as the target's compiler would read it. Included by device/ only.
#pragma once

#include <clang-c/Index.h>

#include <functional>
#include <string>

#include "base/temporary_directory.hpp"
#include "device/signature.hpp"

namespace mote {

[[nodiscard]] std::string to_text(CXString text);  // and disposes of it

// A parsed source without the bodies of its functions: those are the compiler's business, which may know more than
// clang does. Cursors live as long as the value.
class ParsedSource {
 public:
  // Throws Error with clang's words when the source has errors.
  ParsedSource(const FunctionRequest& request, const Target& target);
  ParsedSource(const ParsedSource&) = delete;
  ParsedSource& operator=(const ParsedSource&) = delete;
  ~ParsedSource();

  [[nodiscard]] CXCursor root() const { return clang_getTranslationUnitCursor(unit_); }

 private:
  TemporaryDirectory headers_;  // of Mote: mote/services.h
  CXIndex index_ = nullptr;
  CXTranslationUnit unit_ = nullptr;
};

// Calls `visit` for each child.
void for_each_child(CXCursor cursor, const std::function<void(CXCursor)>& visit);

}  // namespace mote
