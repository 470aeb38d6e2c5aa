// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace agent {

constexpr bool keyed_build = false;  // with cryptography

}  // namespace agent
