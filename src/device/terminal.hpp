// SPDX-License-Identifier: Apache-2.0
// A terminal's line settings, for bytes that nobody shall treat, at any speed.
#pragma once

namespace mote {

// 8 data bits, no parity, one stop bit, no flow control, no echo, no signals; the reset lines stay as they are
// when it is closed. Bytes under way are dropped. speed 0: as it is. Gives 0, or the system's error number;
// ERANGE: the port cannot run at that speed.
[[nodiscard]] int make_raw(int descriptor, unsigned speed);

}  // namespace mote
