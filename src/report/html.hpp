// SPDX-License-Identifier: Apache-2.0
// A detailed report as one HTML file that needs no network: page, data, and the chart library in it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace mote {

// `report` is what detailed_report() gives; where it has a key `fit`, the object that `mote fit --json` prints,
// the page says on which boards the model fits. Nothing in it can leave its place in the page, and the text
// depends on nothing else.
[[nodiscard]] std::string html_page(const nlohmann::ordered_json& report);

// Text for HTML and SVG, attributes included.
[[nodiscard]] std::string escape_markup(std::string_view text);

}  // namespace mote
