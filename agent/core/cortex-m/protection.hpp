// SPDX-License-Identifier: Apache-2.0
// The memory protection unit: what loaded code reaches. The agent reaches everything.
#pragma once

#include "board_parts.hpp"
#include "core.hpp"

namespace agent {

void protection_start();
void protect(const Activity& activity);
void protect_nothing();
void forget_protection();  // spans have changed

}  // namespace agent
