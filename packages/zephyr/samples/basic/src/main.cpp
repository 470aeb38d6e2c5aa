// Runs @model@ once and prints its first output.
#include <string.h>
#include <zephyr/sys/printk.h>

#include "@name@.h"

@run_once@
int main(void) {
  run_once();
  for (int i = 0; i < @NAME@_OUTPUT0_ELEMENTS; ++i) printk("%g\n", (double)@name@_output0(@arenas@)[i]);
  return 0;
}
