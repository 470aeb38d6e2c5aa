// SPDX-License-Identifier: Apache-2.0
// The view of a tensor under another shape.
#pragma once

#include "ir/operator.hpp"

namespace mote::op {

[[nodiscard]] OperatorPtr make_reshape(Shape shape);

}  // namespace mote::op
