// SPDX-License-Identifier: Apache-2.0
// Mote's agent in ESP-IDF: a task that serves a UART.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Installs the UART's driver at 115200 baud on its default pins, takes `pool_bytes` of executable memory and
// starts the agent's task. `target` is Mote's name of the core: "rv32imac". False: there is not so much memory.
bool mote_agent_start(int uart, const char* target, size_t pool_bytes);

#ifdef __cplusplus
}
#endif
