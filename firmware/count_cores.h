// SPDX-License-Identifier: Apache-2.0
// Included before generated code that runs on two cores, to count: the parts change over where they would wait.
#pragma once

#ifdef __cplusplus
extern "C"
#endif
    void
    mote_wait(int core);

#define MOTE_WAIT(barrier, core) ((void)(barrier), mote_wait(core))
