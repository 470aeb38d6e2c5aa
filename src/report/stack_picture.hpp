// SPDX-License-Identifier: Apache-2.0
// The stack of the task that runs a model, as a picture: used, bound, free and guard.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.hpp"

namespace mote {

// From a detailed_report() whose `stack` is not null. Follows a dark page where the viewer says that it is dark.
[[nodiscard]] std::string stack_svg(const nlohmann::ordered_json& report);

// The picture in two pixels a unit, by rsvg-convert. Throws Error when that is not installed.
[[nodiscard]] Bytes png_of(const std::string& svg);

}  // namespace mote
