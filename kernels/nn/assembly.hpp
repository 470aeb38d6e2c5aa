// SPDX-License-Identifier: Apache-2.0
// Kernels in assembly.
#pragma once

// One instance for the whole program. They need every register, also where nothing is optimised. GCC only: Clang
// cannot be told to keep its frame pointer out of the way, and takes the portable kernels.
#define MOTE_ASSEMBLY static __attribute__((noinline, unused, optimize("omit-frame-pointer")))
