// SPDX-License-Identifier: Apache-2.0
// Loaded code as a task of ESP-IDF's FreeRTOS, less urgent than the agent's and suspended between two slices. It
// can be stopped at any time, but nothing is protected from it: its faults are the system's panics, which restart
// the device.
#include "core.hpp"

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifndef MOTE_AGENT_STACK_BYTES
#define MOTE_AGENT_STACK_BYTES 8192
#endif

namespace agent {
namespace {

constexpr UBaseType_t loaded_priority = tskIDLE_PRIORITY + 1;  // the agent's task has a higher one

TaskHandle_t agent_task = nullptr, loaded_task = nullptr;
volatile bool over = false;

void run(void* argument) {
  const Registers& registers = *static_cast<const Registers*>(argument);
  reinterpret_cast<void (*)(uintptr_t)>(registers.entry)(registers.argument);
  over = true;
  xTaskNotifyGive(agent_task);
  vTaskSuspend(nullptr);
}

}  // namespace

void core_start() { agent_task = xTaskGetCurrentTaskHandle(); }

bool core_protects() { return false; }

uint32_t core_block_alignment(uint32_t) { return 64; }

// The task has a stack of its own: what FreeRTOS keeps on it is not in the stack bound of an image.
void core_prepare(Activity& activity, uintptr_t entry, uintptr_t argument, uintptr_t) {
  if (loaded_task != nullptr) vTaskDelete(loaded_task);
  loaded_task = nullptr;
  over = false;
  activity.registers = Registers{entry, argument};
}

Stop core_resume(Activity& activity) {
  if (loaded_task != nullptr) {
    vTaskResume(loaded_task);
  } else if (xTaskCreate(run, "mote", MOTE_AGENT_STACK_BYTES, &activity.registers, loaded_priority,
                         &loaded_task) != pdPASS) {
    activity.fault = Fault{};  // no memory for its stack
    loaded_task = nullptr;
    return Stop::fault;
  }
  ulTaskNotifyTake(pdTRUE, 1);  // a tick
  if (over) return Stop::returned;
  vTaskSuspend(loaded_task);
  return Stop::slice;
}

void core_set_result(Activity&, uint32_t) {}

uintptr_t core_stack_pointer(const Activity&) { return 0; }
uintptr_t core_program_counter(const Activity&) { return 0; }

}  // namespace agent
