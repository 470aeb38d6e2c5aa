// Serves the serial port with 32 KB for models: mote device hello --device /dev/ttyACM0
#include <mote_agent.h>

alignas(1024) static uint8_t pool[32 * 1024];
static mote::SerialAgent device(Serial, "@target@", "my board", pool, sizeof pool);

void setup() {
  Serial.begin(115200);
  device.begin();
}

void loop() { device.step(); }
