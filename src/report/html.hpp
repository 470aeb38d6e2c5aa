// SPDX-License-Identifier: Apache-2.0
// A detailed report as one HTML file that needs no network: page, data, and the chart library in it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mote {

// `report` is what detailed_report() gives; where it has a key `fit`, the object that `mote fit --json` prints,
// the page says on which boards the model fits. Nothing in it can leave its place in the page, and the text
// depends on nothing else.
[[nodiscard]] std::string html_page(const nlohmann::ordered_json& report);

// What such a page has near its beginning.
constexpr std::string_view page_mark = "<meta name=\"generator\" content=\"Mote\">";

// Nobody's own file is overwritten: throws Error unless the file is absent, empty, or has the mark of what an
// earlier report left near its beginning.
void check_replaceable(const std::filesystem::path& file, std::string_view mark);

// Text for HTML and SVG, attributes included.
[[nodiscard]] std::string escape_markup(std::string_view text);

}  // namespace mote
