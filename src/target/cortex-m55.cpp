// SPDX-License-Identifier: Apache-2.0
// ARMv8.1-M with DSP, low-overhead loops and scalar floating point: the class of the Ensemble, STM32N6 and RA8. No
// kernel uses its vector instructions yet, and the compiler is told not to either.
#include "target/registry.hpp"

namespace mote::target {

extern const Target cortex_m55{
    .name = "cortex-m55",
    .description = "ARM Cortex-M55, scalar code, single-precision float; QEMU mps3-an547",
    .note = "scalar code: the core's vector instructions (MVE) are not used",
    .architecture = "cortex-m",
    .tools = "arm-none-eabi-",
    .compiler = "arm-none-eabi-g++",
    .linker = "arm-none-eabi-gcc",
    .compiler_packages = "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    .compile_flags = "-mcpu=cortex-m55+nomve -mthumb -mfloat-abi=hard",
    .firmware_flags = "-DMOTE_UART=0x59303000 -DMOTE_SYSTEM_TIMER=0x58000000 -DMOTE_SYSTEM_COUNTER=0x58100000",
    .link_flags =
        "-mcpu=cortex-m55+nomve -mthumb -mfloat-abi=hard "
        "-Wl,--defsym=mote_code=0,--defsym=mote_weights=0x70000000,--defsym=mote_ram=0x71000000",
    .size_flags = "-Os",
    .speed_flags = "-O3",
    .emulator = "qemu-system-arm",
    .emulator_package = "qemu-system-arm",
    .emulator_arguments = "-machine mps3-an547 -semihosting-config enable=on,target=native",
    .flash_bytes = 12 << 20,
    .ram_bytes = 4 << 20,
    .inputs_address = 0x70c00000,
    .inputs_bytes = 4 << 20,
    .icount_shift = 7,
    .counter_ns = 125,
    .counter_ticks = 4};

}  // namespace mote::target
