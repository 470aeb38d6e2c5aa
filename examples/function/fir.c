// SPDX-License-Identifier: Apache-2.0
// A filter that knows nothing of Mote: y[i] is the sum of x[i + k] * taps[k]. Gives the largest.
#include <stddef.h>
#include <stdint.h>

int32_t fir(const int16_t* x, size_t n, const int16_t* taps, size_t count, int32_t* y) {
  int32_t most = 0;
  for (size_t i = 0; i + count <= n; ++i) {
    int32_t sum = 0;
    for (size_t k = 0; k < count; ++k) sum += x[i + k] * taps[k];
    y[i] = sum;
    if (sum > most) most = sum;
  }
  return most;
}
