// SPDX-License-Identifier: Apache-2.0
// The report's page as text: nothing in a model's names gets out of its place, nothing is fetched, same bytes
// twice.
#include <gtest/gtest.h>

#include <regex>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "report/details.hpp"
#include "report/html.hpp"
#include "report/stack_picture.hpp"
#include "support/models.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json report_of(const Compiled& compiled, const std::string& model) {
  return detailed_report(compiled, model, find_target("host"), Mode::balanced, nullptr, std::nullopt);
}

Json data_in(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t first = page.find(begin) + begin.size();
  return Json::parse(page.substr(first, page.find("</script>", first) - first));
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

const std::string hostile = "</script><script>alert(1)</script><!--<script>\"'&{{data}}";

TEST(ReportHtml, NamesStayInTheirPlace) {
  Compiled compiled = compile_file(test::digits_model());
  const std::string harmless = html_page(report_of(compiled, "digits.tflite"));
  for (Tensor& tensor : compiled.graph.tensors) tensor.name = hostile;
  for (Node& node : compiled.graph.nodes) node.origin = hostile;
  for (std::string& name : compiled.plan.names) name = hostile;
  const Json report = report_of(compiled, hostile);
  const std::string page = html_page(report);
  for (const char* const tag : {"<script", "</script", "<!--", "-->"})
    EXPECT_EQ(count(page, tag), count(harmless, tag)) << tag;
  EXPECT_EQ(data_in(page), report);
  EXPECT_NE(page.find("<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!--&lt;script&gt;&quot;&#39;"
                      "&amp;{{data}} · Mote report</title>"),
            std::string::npos);
}

TEST(ReportHtml, NamesThatAreNoUtf8AreRepaired) {
  Compiled compiled = compile_file(test::digits_model());
  compiled.plan.names[0] = "a\xFFz";
  const Json report = report_of(compiled, "b\xC3.tflite");
  EXPECT_EQ(report["arena"]["buffers"][0]["name"], "a\uFFFDz");
  EXPECT_EQ(report["model"], "b\uFFFD.tflite");
  EXPECT_EQ(data_in(html_page(report)), report);
}

TEST(ReportHtml, FetchesNothing) {
  const std::string page = html_page(report_of(compile_file(test::digits_model()), "digits.tflite"));
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  // The markup itself, without the library and the scripts: no address but the empty icon.
  const std::string markup = page.substr(0, page.find("<!--"));
  const std::regex address("(src|href|action)\\s*=\\s*\"([^\"]*)\"");
  for (std::sregex_iterator found(markup.begin(), markup.end(), address), end; found != end; ++found)
    EXPECT_EQ((*found)[2], "data:,");
  EXPECT_EQ(page.find("@import"), std::string::npos);
  EXPECT_EQ(page.find("url(http"), std::string::npos);
}

TEST(ReportHtml, CarriesTheLicenceOfTheLibrary) {
  const std::string page = html_page(report_of(compile_file(test::digits_model()), "digits.tflite"));
  EXPECT_NE(page.find("// https://d3js.org/d3-scale/"), std::string::npos);
  EXPECT_NE(page.find("Copyright 2010-2022 Mike Bostock"), std::string::npos);
  EXPECT_NE(page.find("Redistributions in binary form must reproduce the above copyright notice"),
            std::string::npos);
}

class StackPicture : public testing::Test {
 protected:
  static Json report(int64_t peak, int64_t bound, int64_t size) {
    return {{"model", hostile},
            {"target", "rv32imac"},
            {"mode", "size"},
            {"stack",
             {{"peak_bytes", peak},
              {"bound_bytes", bound},
              {"guard_bytes", 60},
              {"size_bytes", size},
              {"free_bytes", size - bound - 60}}}};
  }
  // Height of the part of the column in this class.
  static double part(const std::string& svg, const std::string& name) {
    std::smatch match;
    const std::regex shape("<rect class=\"" + name +
                           "\" x=\"[0-9.]+\" y=\"[0-9.]+\" width=\"[0-9.]+\" "
                           "height=\"([0-9.]+)\"");
    return std::regex_search(svg, match, shape) ? std::stod(match[1]) : -1;
  }
};

TEST_F(StackPicture, IsToScale) {
  const std::string svg = stack_svg(report(500, 600, 1000));
  const double unit = part(svg, "frame") / 1000;
  EXPECT_NEAR(part(svg, "used"), 500 * unit, 0.1);
  EXPECT_NEAR(part(svg, "bound"), 100 * unit, 0.1);
  EXPECT_NEAR(part(svg, "free"), 340 * unit, 0.1);
  EXPECT_NEAR(part(svg, "guard"), 60 * unit, 0.1);
  EXPECT_EQ(svg.find("too small"), std::string::npos);
  EXPECT_EQ(count(svg, "<script"), 0U);
}

TEST_F(StackPicture, SaysByHowMuchAStackIsTooSmall) {
  const std::string svg = stack_svg(report(500, 600, 512));
  EXPECT_NE(svg.find("148 B too small with the guard"), std::string::npos);
  EXPECT_EQ(part(svg, "free"), -1);
  EXPECT_NEAR(part(svg, "used") + part(svg, "bound"), part(svg, "frame") * 600 / 660, 0.2);
}

TEST_F(StackPicture, BecomesAPngOfTwiceItsSize) {
  const Bytes png = png_of(stack_svg(report(500, 600, 1000)));
  const std::string text(reinterpret_cast<const char*>(png.data()), png.size());
  EXPECT_EQ(text.substr(0, 8), "\x89PNG\r\n\x1A\n");
  // Width and height stand big-endian in the first chunk.
  EXPECT_EQ(text.substr(16, 8), std::string("\0\0\x02\xD0\0\0\x02\x94", 8)) << "720 x 660";
}

class Program : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {MOTE_PROGRAM, "report"});
    return run_process(arguments, std::chrono::seconds(120));
  }
  void expect_error(const std::vector<std::string>& arguments, const std::string& message) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.errors, "mote: error: " + message + "\n");
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  const std::string digits_ = test::digits_model().string();
  TemporaryDirectory folder_;
};

TEST_F(Program, ReportNeedsNoToolsAndGivesTheSameBytesTwice) {
  for (const char* const name : {"a.html", "b.html"}) {
    const ProcessResult result =
        run_process({"/usr/bin/env", "PATH=/nowhere", MOTE_PROGRAM, "report", digits_, "-o", path(name)},
                    std::chrono::seconds(60));
    ASSERT_EQ(result.exit_status, 0) << result.errors;
  }
  EXPECT_EQ(read_text(path("a.html")), read_text(path("b.html")));
  const ProcessResult json = run({digits_, "--json"});
  EXPECT_EQ(Json::parse(json.output), data_in(read_text(path("a.html"))));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 2) << "nothing but the pages";
}

TEST_F(Program, ReportMeasuresAndDrawsTheStack) {
  const ProcessResult result = run({digits_, "--target", "rv32imac", "-o", path("page.html"), "--stack-picture",
                                    path("stack_usage.png"), "--json"});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  const Json json = Json::parse(result.output);
  EXPECT_EQ(json, data_in(read_text(path("page.html"))));
  EXPECT_LE(json["stack"]["peak_bytes"].get<int64_t>(), json["stack"]["bound_bytes"].get<int64_t>());
  EXPECT_GE(json["stack"]["free_bytes"].get<int64_t>(), 0);
  int64_t instructions = 0, flash = json["common_code_bytes"];
  for (const Json& layer : json["layers"]) {
    instructions += layer["instructions"].get<int64_t>();
    flash += (layer["code_bytes"].is_null() ? 0 : layer["code_bytes"].get<int64_t>()) +
             layer["table_bytes"].get<int64_t>();
  }
  EXPECT_LE(instructions, json["instructions"].get<int64_t>());
  EXPECT_EQ(flash, json["code_bytes"].get<int64_t>());
  EXPECT_FALSE(json["fit"]["boards"].empty());
  for (const Json& board : json["fit"]["boards"])
    EXPECT_EQ(board["exact"].get<bool>(), board["target"] == "rv32imac") << board["board"];
  EXPECT_EQ(read_text(path("stack_usage.png")).substr(1, 3), "PNG");
  EXPECT_EQ(read_text(path("stack_usage.svg")), stack_svg(json));
  EXPECT_NE(read_text(path("page.html")).find(stack_svg(json)), std::string::npos);
}

TEST_F(Program, ReportNamesWhatIsWrongWithAnOption) {
  expect_error({digits_}, "nothing to write; give -o report.html, --stack-picture stack_usage.png or --json");
  expect_error(
      {digits_, "-o", path("a.html"), "--measure"},
      "--measure: host has no instruction counter and no stack to paint; choose an emulated --target, such "
      "as rv32imac");
  expect_error({digits_, "--stack-picture", path("a.png")},
               "--stack-picture: host has no stack to paint; choose an emulated --target, such as rv32imac");
  expect_error({digits_, "--stack-picture", path("a.jpg"), "--target", "rv32imac"},
               path("a.jpg") + ": the stack picture is a .png file (with an .svg beside it) or an .svg file");
  expect_error({digits_, "-o", digits_}, digits_ + ": is the model itself; choose another name");
  expect_error({path("none.tflite"), "-o", path("a.html")}, path("none.tflite") + ": no such file");
  expect_error({digits_, "-o", path("no/folder.html")},
               path("no/folder.html") + ": cannot be written: No such file or directory");
}

TEST_F(Program, ReportsReplaceReportsAndNothingElse) {
  write_file(path("notes.html"), std::string_view("<html>my notes</html>"));
  write_file(path("empty.html"), std::string_view(""));
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& file) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.errors, "mote: error: " + file +
                                 ": is there already, and is nothing that `mote report` wrote; choose "
                                 "another name or remove it\n");
  };
  refused({digits_, "-o", path("notes.html")}, path("notes.html"));
  EXPECT_EQ(read_text(path("notes.html")), "<html>my notes</html>");
  for (int times = 0; times < 2; ++times) EXPECT_EQ(run({digits_, "-o", path("empty.html")}).exit_status, 0);
  write_file(path("stack.svg"), std::string_view("a drawing"));
  refused({digits_, "--target", "rv32imac", "--stack-picture", path("stack.png")}, path("stack.svg"));
  const ProcessResult same =
      run({digits_, "--target", "rv32imac", "-o", path("a.svg"), "--stack-picture", path("a.png")});
  EXPECT_EQ(same.errors, "mote: error: " + path("a.svg") +
                             ": page and picture of the stack want the same file; choose another name\n");
  const ProcessResult size = run({digits_, "-o", path("b.html"), "--stack-size", "0"});
  EXPECT_EQ(size.errors, "--stack-size: '0' is no number above 0\nRun with --help for more information.\n");
}

TEST_F(Program, AFullDiskLeavesTheOldReport) {
  const std::string old = "<meta name=\"generator\" content=\"Mote\">old";
  write_file(path("page.html"), old);
  // Files may not grow beyond 1 KiB: writing fails as on a full disk.
  const ProcessResult result = run_process({"/bin/sh", "-c",
                                            "trap '' XFSZ; ulimit -f 1; exec " + std::string(MOTE_PROGRAM) +
                                                " report " + digits_ + " -o " + path("page.html")},
                                           std::chrono::seconds(60));
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.errors.find("page.html: cannot be written: File too large"), std::string::npos)
      << result.errors;
  EXPECT_EQ(read_text(path("page.html")), old);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

}  // namespace
}  // namespace mote
