// SPDX-License-Identifier: Apache-2.0
#include "zoo/comma_separated.hpp"

#include "base/error.hpp"

namespace mote {

namespace {

// Takes one field and the comma or line end after it off `text`; true when the row goes on.
bool take_field(std::string_view& text, std::string& field, const std::string& name) {
  bool quoted = false;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '"') {
      const bool doubled = quoted && !text.empty() && text.front() == '"';
      if (doubled) {
        field += '"';
        text.remove_prefix(1);
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && (letter == ',' || letter == '\n')) {
      return letter == ',';
    } else if (quoted || letter != '\r') {
      field += letter;
    }
  }
  require(!quoted, "{}: a quotation does not end", name);
  return false;
}

std::vector<std::string> take_row(std::string_view& text, const std::string& name) {
  std::vector<std::string> fields;
  for (bool more = true; more;) {
    fields.emplace_back();
    more = take_field(text, fields.back(), name);
  }
  return fields;
}

}  // namespace

std::vector<std::map<std::string, std::string>> read_comma_separated(std::string_view text,
                                                                     const std::string& name) {
  const std::vector<std::string> headings = take_row(text, name);
  std::vector<std::map<std::string, std::string>> rows;
  while (!text.empty()) {
    const std::vector<std::string> fields = take_row(text, name);
    if (fields.size() == 1 && fields[0].empty()) continue;
    require(fields.size() == headings.size(), "{}: row {} has {} fields, the heading has {}", name,
            rows.size() + 1, fields.size(), headings.size());
    std::map<std::string, std::string>& row = rows.emplace_back();
    for (size_t i = 0; i < fields.size(); ++i) row[headings[i]] = fields[i];
  }
  return rows;
}

}  // namespace mote
