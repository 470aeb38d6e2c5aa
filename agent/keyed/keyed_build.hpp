// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace agent {

constexpr bool keyed_build = true;  // with cryptography

}  // namespace agent
