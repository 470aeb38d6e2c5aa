// Runs @model@ every second and prints its first output.
#include <@name@.h>
#include <string.h>

@run_once@
void setup() { Serial.begin(115200); }

void loop() {
  run_once();
  for (int i = 0; i < @NAME@_OUTPUT0_ELEMENTS; ++i) Serial.println((double)@name@_output0(@arenas@)[i]);
  delay(1000);
}
