// Runs @model@ and prints its first output.
#include <string.h>

#include "@name@.h"

@run_once@
#ifdef ARDUINO
#include <Arduino.h>

void setup() { Serial.begin(115200); }

void loop() {
  run_once();
  for (int i = 0; i < @NAME@_OUTPUT0_ELEMENTS; ++i) Serial.println((double)@name@_output0(@arenas@)[i]);
  delay(1000);
}
#else
#include <stdio.h>

int main() {
  run_once();
  for (int i = 0; i < @NAME@_OUTPUT0_ELEMENTS; ++i) printf("%g\n", (double)@name@_output0(@arenas@)[i]);
  return 0;
}
#endif
