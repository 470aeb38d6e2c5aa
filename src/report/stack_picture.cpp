// SPDX-License-Identifier: Apache-2.0
#include "report/stack_picture.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "report/html.hpp"

namespace mote {

namespace {

// In units of the picture.
constexpr double width = 360, height = 330, top = 58, column_height = 236, column_left = 62, column_width = 84;
constexpr double label_left = 172, label_height = 36;

constexpr std::string_view style = R"(
  .stack { font: 12px "DejaVu Sans", system-ui, sans-serif; }
  .stack .paper { fill: #ffffff; }
  .stack text { fill: #1d2433; }
  .stack .quiet { fill: #5b6475; }
  .stack .title { font-weight: bold; font-size: 14px; }
  .stack .frame, .stack .leader { fill: none; stroke: #8b94a5; }
  .stack .used { fill: #2f6fc4; }
  .stack .bound { fill: #a9c8f0; }
  .stack .free { fill: #eef1f5; }
  .stack .guard { fill: url(#stack-guard); }
  .stack .guard-line, .stack .end { stroke: #c2410c; stroke-width: 2; }
  .stack .bad { fill: #c2410c; }
  @media (prefers-color-scheme: dark) {
    .stack .paper { fill: #161a22; }
    .stack text { fill: #e6e9ef; }
    .stack .quiet { fill: #a3acbb; }
    .stack .used { fill: #5b9bf0; }
    .stack .bound { fill: #2b4a75; }
    .stack .free { fill: #232936; }
    .stack .guard-line, .stack .end { stroke: #f08a4b; }
    .stack .bad { fill: #f08a4b; }
  }
)";

// A part of the column, from depth `first` to depth `end` in bytes, and what is said beside it.
struct Part {
  std::string_view shape;
  int64_t first = 0, end = 0;
  std::string text, more;
};

std::vector<Part> parts_of(const nlohmann::ordered_json& stack) {
  const auto peak = stack.at("peak_bytes").get<int64_t>(), bound = stack.at("bound_bytes").get<int64_t>();
  const auto guard = stack.at("guard_bytes").get<int64_t>(), size = stack.at("size_bytes").get<int64_t>();
  std::vector<Part> parts;
  parts.push_back({"used", 0, peak, fmt::format("used: {} B", peak), "the most that painting found"});
  parts.push_back({"bound", peak, bound, fmt::format("bound: {} B", bound), "no run can use more (analysis)"});
  if (size >= bound + guard) {
    parts.push_back(
        {"free", bound, size - guard, fmt::format("free: {} B", size - guard - bound), "never needed"});
    parts.push_back({"guard", size - guard, size, fmt::format("guard: {} B", guard), "watched for overflow"});
  }
  return parts;
}

// Labels stand beside the middle of their part, moved down or up as far as they would cover each other.
std::vector<double> label_positions(const std::vector<Part>& parts, double units_per_byte) {
  std::vector<double> positions;
  for (const Part& part : parts) {
    const double middle = top + static_cast<double>(part.first + part.end) / 2 * units_per_byte;
    positions.push_back(positions.empty() ? middle : std::max(middle, positions.back() + label_height));
  }
  double limit = top + column_height - 4;
  for (size_t i = positions.size(); i-- > 0; limit = positions[i] - label_height)
    positions[i] = std::min(positions[i], limit);
  return positions;
}

std::string part_svg(const Part& part, double label, double units_per_byte) {
  const double first = top + static_cast<double>(part.first) * units_per_byte;
  const double tall = static_cast<double>(part.end - part.first) * units_per_byte;
  return fmt::format(
      "<rect class=\"{}\" x=\"{}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\"><title>{}</title></rect>\n"
      "<path class=\"leader\" d=\"M{} {:.1f}H{}L{} {:.1f}H{}\"/>\n"
      "<text x=\"{}\" y=\"{:.1f}\">{}</text><text class=\"quiet\" x=\"{}\" y=\"{:.1f}\">{}</text>\n",
      part.shape, column_left, first, column_width, tall, part.text, column_left + column_width, first + tall / 2,
      column_left + column_width + 6, label_left - 10, label, label_left - 4, label_left, label - 1, part.text,
      label_left, label + 14, part.more);
}

std::string depth_svg(int64_t depth, double units_per_byte) {
  const double y = top + static_cast<double>(depth) * units_per_byte;
  return fmt::format(
      "<path class=\"leader\" d=\"M{} {:.1f}h6\"/>"
      "<text class=\"quiet\" text-anchor=\"end\" x=\"{}\" y=\"{:.1f}\">{}</text>\n",
      column_left - 6, y, column_left - 10, y + 4, depth);
}

// Where the stack that was asked for ends, when the bound reaches beyond.
std::string shortage_svg(int64_t size, int64_t needed, double units_per_byte) {
  const double y = top + static_cast<double>(size) * units_per_byte;
  return fmt::format(
      "<path class=\"end\" d=\"M{} {:.1f}h{}\"/>\n"
      "<text class=\"bad\" x=\"{}\" y=\"{:.1f}\">{} B too small with the guard</text>\n",
      column_left - 6, y, column_width + 12, column_left, height - 12, needed - size);
}

}  // namespace

std::string stack_svg(const nlohmann::ordered_json& report) {
  const nlohmann::ordered_json& stack = report.at("stack");
  const auto size = stack.at("size_bytes").get<int64_t>();
  const int64_t needed = stack.at("bound_bytes").get<int64_t>() + stack.at("guard_bytes").get<int64_t>();
  const double units_per_byte = column_height / static_cast<double>(std::max({size, needed, int64_t{1}}));
  const std::vector<Part> parts = parts_of(stack);
  const std::vector<double> labels = label_positions(parts, units_per_byte);
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"stack\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" role=\"img\" aria-label=\"Stack: {2} B used, at most {3} B, of {4} "
      "B\">\n<style>{5}</style>\n"
      "<defs><pattern id=\"stack-guard\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
      "patternTransform=\"rotate(45)\"><path class=\"guard-line\" d=\"M0 0V6\"/></pattern></defs>\n"
      "<rect class=\"paper\" width=\"{0}\" height=\"{1}\"/>\n",
      width, height, stack.at("peak_bytes").get<int64_t>(), stack.at("bound_bytes").get<int64_t>(), size, style);
  text += fmt::format(
      "<text class=\"title\" x=\"12\" y=\"22\">Stack of {} B</text>\n<text class=\"quiet\" x=\"12\" y=\"40\">{}, "
      "{}, {}</text>\n",
      size, escape_markup(report.at("model").get<std::string>()),
      escape_markup(report.at("target").get<std::string>()), report.at("mode").get<std::string>());
  for (size_t i = 0; i < parts.size(); ++i) text += part_svg(parts[i], labels[i], units_per_byte);
  for (const int64_t depth : {int64_t{0}, std::max(size, needed) / 2, std::max(size, needed)})
    text += depth_svg(depth, units_per_byte);
  text += fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", column_left, top,
                      column_width, column_height);
  if (needed > size) text += shortage_svg(size, needed, units_per_byte);
  return text + "</svg>\n";
}

Bytes png_of(const std::string& svg) {
  require_program("rsvg-convert", "librsvg2-bin fonts-dejavu-core");
  const TemporaryDirectory directory;
  const std::string source = (directory.path() / "picture.svg").string();
  const std::string picture = (directory.path() / "picture.png").string();
  write_file(source, svg);
  const ProcessResult result =
      run_process({"rsvg-convert", "--zoom", "2", "--output", picture, source}, std::chrono::seconds(60));
  require(result.exit_status == 0, "rsvg-convert could not draw the picture: {}", tail(result.errors, 3));
  return read_file(picture);
}

}  // namespace mote
