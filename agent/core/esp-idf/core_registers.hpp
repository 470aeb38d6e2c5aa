// SPDX-License-Identifier: Apache-2.0
// ESP-IDF's FreeRTOS keeps the registers of loaded code, which is a task.
#pragma once

#include <stdint.h>

namespace agent {

struct Registers {
  uintptr_t entry, argument;
};

}  // namespace agent
