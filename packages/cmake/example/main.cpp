// Runs @model@ once and prints its first output.
#include <stdio.h>
#include <string.h>

#include "@name@.h"

@run_once@
int main() {
  run_once();
  for (int i = 0; i < @NAME@_OUTPUT0_ELEMENTS; ++i) printf("%g\n", (double)@name@_output0(@arenas@)[i]);
  return 0;
}
