// SPDX-License-Identifier: Apache-2.0
// Apart because the kernel's own header, which alone knows speeds without a name, and <termios.h> exclude each
// other.
#include "device/terminal.hpp"

#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace mote {

int make_raw(int descriptor, unsigned speed) {
  termios2 settings{};
  if (ioctl(descriptor, TCGETS2, &settings) != 0) return errno;
  settings.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL |
                                             IXON | IXOFF | IXANY);
  settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  // Without HUPCL the port's lines, to which boards connect their reset, do not fall when it is closed.
  settings.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | CSTOPB | CRTSCTS | HUPCL);
  settings.c_cflag |= CS8 | CREAD | CLOCAL;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  if (speed != 0) {
    settings.c_cflag &= ~static_cast<tcflag_t>(CBAUD | (CBAUD << IBSHIFT));
    settings.c_cflag |= BOTHER | (BOTHER << IBSHIFT);
    settings.c_ispeed = settings.c_ospeed = speed;
  }
  if (ioctl(descriptor, TCSETS2, &settings) != 0) return errno == EINVAL && speed != 0 ? ERANGE : errno;
  ioctl(descriptor, TCFLSH, TCIOFLUSH);  // what came before is of nobody's session
  if (speed == 0 || ioctl(descriptor, TCGETS2, &settings) != 0) return 0;
  // The driver takes the nearest speed that the hardware has; receivers stand 2 %.
  const int64_t difference = std::llabs(static_cast<int64_t>(settings.c_ospeed) - static_cast<int64_t>(speed));
  return difference * 50 > static_cast<int64_t>(speed) ? ERANGE : 0;
}

}  // namespace mote
