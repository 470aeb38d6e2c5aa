// SPDX-License-Identifier: Apache-2.0
// The kernel calls of a task in strips: one call, of which a few parameters differ from strip to strip.
#pragma once

#include <optional>

#include "plan/plan.hpp"
#include "plan/row_maps.hpp"

namespace mote {

struct StripCalls {
  Call call;  // of the first strip
  std::vector<StripField> fields;
  std::vector<StripStep::Kind> kinds;
  std::vector<size_t> kind_of_strip;
};

// nullopt: strips want different kernels or constants, or parameters without a closed form.
[[nodiscard]] std::optional<StripCalls> strip_calls(const Graph& graph, const Core& core, const Task& task,
                                                    const RowTask& rows, const nn::RowCount& done, int64_t strips);

// The value of the field in a strip with these rows; the first input row of each input is not needed for it.
[[nodiscard]] int64_t field_value(const StripField& field, int64_t begin, int64_t end,
                                  const std::vector<Region::Range>& in);

}  // namespace mote
