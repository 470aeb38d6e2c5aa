// SPDX-License-Identifier: Apache-2.0
#include "report/html.hpp"

#include <map>

#include "base/embedded.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "report/stack_picture.hpp"

namespace mote {

namespace {

// In an order in which each module finds those it uses.
constexpr std::string_view library_modules[] = {"d3-array",       "d3-collection", "d3-color",       "d3-format",
                                                "d3-interpolate", "d3-time",       "d3-time-format", "d3-scale",
                                                "d3-axis",        "d3-selection"};
constexpr std::string_view script_files[] = {"format.js", "tooltip.js", "timeline.js", "arena.js",
                                             "tracks.js", "tables.js",  "page.js"};

std::string web_file(std::string_view name) {
  return std::string(embedded_file(fmt::format("src/report/web/{}", name)));
}

std::string library() {
  std::string text;
  for (const std::string_view module : library_modules)
    text += std::string(embedded_file(fmt::format("packaged/{}.min.js", module))) + "\n";
  return text;
}

std::string scripts() {
  std::string text;
  for (const std::string_view file : script_files) text += web_file(file) + "\n";
  return text;
}

// A script element ends at the first "</script", and "<!--" changes how its rest is read: no '<' at all.
std::string json_for_script(const nlohmann::ordered_json& json) {
  std::string text;
  for (const char letter : json.dump()) {
    if (letter == '<') {
      text += "\\u003c";
    } else {
      text += letter;
    }
  }
  return text;
}

// Replaces every {{name}} of the template; what is put in is not looked at again.
std::string fill(std::string_view text, const std::map<std::string_view, std::string>& values) {
  std::string filled;
  for (;;) {
    const size_t begin = text.find("{{");
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const size_t end = text.find("}}", begin);
    filled += values.at(text.substr(begin + 2, end - begin - 2));
    text.remove_prefix(end + 2);
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    switch (letter) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += letter;
    }
  }
  return escaped;
}

std::string html_page(const nlohmann::ordered_json& report) {
  const bool has_stack = !report.at("stack").is_null();
  return fill(web_file("page.html"), {{"model", escape_markup(report.at("model").get<std::string>())},
                                      {"style", web_file("page.css")},
                                      {"licence", web_file("d3-licence.txt")},
                                      {"library", library()},
                                      {"stack", has_stack ? stack_svg(report) : std::string()},
                                      {"data", json_for_script(report)},
                                      {"script", scripts()}});
}

void check_replaceable(const std::filesystem::path& file, std::string_view mark) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored) || std::filesystem::file_size(file, ignored) == 0) return;
  require(read_text(file).substr(0, 1000).find(mark) != std::string::npos,
          "{}: is there already, and is nothing that `mote report` wrote; choose another name or remove it",
          file.string());
}

}  // namespace mote
