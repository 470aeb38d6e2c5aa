// SPDX-License-Identifier: Apache-2.0
// The copy of an input's rows into the arena: no operator of any file, but one that the pass stream_input adds.
#pragma once

#include "ir/operator.hpp"

namespace mote {

[[nodiscard]] OperatorPtr make_input_rows();

}  // namespace mote
