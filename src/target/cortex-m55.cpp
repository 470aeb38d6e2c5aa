// SPDX-License-Identifier: Apache-2.0
// ARMv8.1-M with DSP, integer vector instructions (MVE) and scalar floating point: the class of the Ensemble,
// STM32N6 and RA8.
#include "target/registry.hpp"

namespace mote::target {

extern const Target cortex_m55{
    .name = "cortex-m55",
    .description = "ARM Cortex-M55, integer vectors, single-precision float; QEMU mps3-an547",
    .core = {.dsp = true, .mve = true, .floats = true},
    .note = "",
    .architecture = "cortex-m",
    .tools = "arm-none-eabi-",
    .compiler = "arm-none-eabi-g++",
    .linker = "arm-none-eabi-gcc",
    .compiler_packages = "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    .compile_flags = "-mcpu=cortex-m55+nomve.fp -mthumb -mfloat-abi=hard",
    .clang_flags =
        "--target=arm-none-eabi -mcpu=cortex-m55+nomve.fp -mthumb -mfloat-abi=hard -fshort-enums "
        "-munaligned-access",
    .firmware_flags = "-DMOTE_UART=0x59303000 -DMOTE_SYSTEM_TIMER=0x58000000 -DMOTE_SYSTEM_COUNTER=0x58100000",
    .link_flags =
        "-mcpu=cortex-m55+nomve.fp -mthumb -mfloat-abi=hard "
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
