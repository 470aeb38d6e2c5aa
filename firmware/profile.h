// SPDX-License-Identifier: Apache-2.0
// Included before generated code in a profile build: adds up the counter's ticks of every step.
#pragma once

#ifdef __cplusplus
extern "C"
#endif
void mote_after_step(unsigned step);

#define MOTE_AFTER_STEP(step) mote_after_step(step)
