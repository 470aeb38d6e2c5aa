// SPDX-License-Identifier: Apache-2.0
// What the ESP-IDF component needs of the framework's headers, declared as its documentation does: enough to
// compile.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct tskTaskControlBlock* TaskHandle_t;
typedef unsigned int UBaseType_t;
typedef int BaseType_t;
typedef uint32_t TickType_t;
#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS pdTRUE
#define MALLOC_CAP_EXEC (1 << 0)
#define ESP_OK 0
typedef int esp_err_t;
typedef enum { UART_NUM_0 } uart_port_t;
typedef enum { UART_DATA_8_BITS = 3 } uart_word_length_t;
typedef enum { UART_PARITY_DISABLE = 0 } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1 } uart_stop_bits_t;
typedef enum { UART_HW_FLOWCTRL_DISABLE = 0 } uart_hw_flowcontrol_t;
typedef enum { UART_SCLK_DEFAULT = 4 } uart_sclk_t;
typedef struct {
  int baud_rate;
  uart_word_length_t data_bits;
  uart_parity_t parity;
  uart_stop_bits_t stop_bits;
  uart_hw_flowcontrol_t flow_ctrl;
  uint8_t rx_flow_ctrl_thresh;
  uart_sclk_t source_clk;
} uart_config_t;

extern "C" {
TaskHandle_t xTaskGetCurrentTaskHandle();
BaseType_t xTaskCreate(void (*)(void*), const char*, uint32_t, void*, UBaseType_t, TaskHandle_t*);
BaseType_t xTaskNotifyGive(TaskHandle_t);
uint32_t ulTaskNotifyTake(BaseType_t, TickType_t);
void vTaskDelete(TaskHandle_t);
void vTaskSuspend(TaskHandle_t);
void vTaskResume(TaskHandle_t);
void vTaskDelay(TickType_t);
void* heap_caps_aligned_alloc(size_t, size_t, uint32_t);
int64_t esp_timer_get_time();
void esp_fill_random(void*, size_t);
void esp_restart() __attribute__((noreturn));
esp_err_t uart_driver_install(uart_port_t, int, int, int, void*, int);
esp_err_t uart_param_config(uart_port_t, const uart_config_t*);
int uart_read_bytes(uart_port_t, void*, uint32_t, TickType_t);
int uart_write_bytes(uart_port_t, const void*, size_t);
}
