// SPDX-License-Identifier: Apache-2.0
#include "esp_agent.h"

#include <string.h>

#include <new>

#include "agent.hpp"
#include "driver/uart.h"
#include "esp_heap_caps.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

extern const uint8_t* const agent_owner_key;  // nullptr: anybody may load

namespace {

constexpr uint32_t buffer_bytes = 4096, timer_hz = 1000000;

class EspBoard final : public agent::Board {
 public:
  EspBoard(uart_port_t uart, const char* target, uint8_t* pool, uint32_t pool_bytes)
      : uart_(uart), pool_{"sram", pool, pool_bytes, 1} {
    strncpy(identity_.target, target, sizeof identity_.target - 1);
  }
  const agent::Identity& identity() const override { return identity_; }
  size_t read(uint8_t* to, size_t limit) override {
    const int bytes = uart_read_bytes(uart_, to, limit, 0);
    return bytes > 0 ? static_cast<size_t>(bytes) : 0;
  }
  void write(const uint8_t* from, size_t bytes) override { uart_write_bytes(uart_, from, bytes); }
  uint32_t receive_buffer_bytes() const override { return buffer_bytes; }
  const agent::Region* regions(uint32_t& count) const override {
    count = 1;
    return &pool_;
  }
  void sync_code(const void*, size_t) override {
#ifdef __riscv
    asm volatile(".word 0x0000100f" ::: "memory");  // fence.i, whatever -march says
#else
    asm volatile("isync" ::: "memory");
#endif
  }
  uint32_t milliseconds() const override { return static_cast<uint32_t>(esp_timer_get_time() / 1000); }
  agent::Counters counters() const override { return {static_cast<uint64_t>(esp_timer_get_time()), 0}; }
  void interrupt_after(uint32_t) override {}  // the core's slices are ticks of FreeRTOS
  void random(uint8_t* to, size_t bytes) override { esp_fill_random(to, bytes); }
  void reset() override { esp_restart(); }

 private:
  uart_port_t uart_;
  agent::Identity identity_{{}, "esp-idf", {}, timer_hz, agent_owner_key};
  agent::Region pool_;
};

void serve(void* board) {
  agent::core_start();
  agent::Agent* const agent = new (std::nothrow) agent::Agent(*static_cast<EspBoard*>(board));
  while (agent != nullptr) {
    agent->step();
    if (agent->idle()) vTaskDelay(1);
  }
  vTaskDelete(nullptr);
}

}  // namespace

extern "C" bool mote_agent_start(int uart, const char* target, size_t pool_bytes) {
  constexpr uint32_t alignment = 64;
  auto* const pool = static_cast<uint8_t*>(heap_caps_aligned_alloc(alignment, pool_bytes, MALLOC_CAP_EXEC));
  const auto port = static_cast<uart_port_t>(uart);
  const uart_config_t config = {.baud_rate = 115200,
                                .data_bits = UART_DATA_8_BITS,
                                .parity = UART_PARITY_DISABLE,
                                .stop_bits = UART_STOP_BITS_1,
                                .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
                                .rx_flow_ctrl_thresh = 0,
                                .source_clk = UART_SCLK_DEFAULT};
  if (pool == nullptr || uart_driver_install(port, buffer_bytes, 0, 0, nullptr, 0) != ESP_OK ||
      uart_param_config(port, &config) != ESP_OK)
    return false;
  auto* const board = new (std::nothrow) EspBoard(port, target, pool, static_cast<uint32_t>(pool_bytes));
  return board != nullptr &&
         xTaskCreate(serve, "mote_agent", 6144, board, tskIDLE_PRIORITY + 3, nullptr) == pdPASS;
}
