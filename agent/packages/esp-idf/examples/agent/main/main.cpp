// Serves UART 0 with 64 KB for models.
#include "esp_agent.h"

extern "C" void app_main(void) { mote_agent_start(0, "@target@", 64 * 1024); }
