// SPDX-License-Identifier: Apache-2.0
// Reads comma-separated values as RFC 4180 has them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

// One map a row, keyed by the first line's names. Throws Error, which starts with `name`, when a row has another
// number of fields than the first or a quotation does not end.
[[nodiscard]] std::vector<std::map<std::string, std::string>> read_comma_separated(std::string_view text,
                                                                                   const std::string& name);

}  // namespace mote
