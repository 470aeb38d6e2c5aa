// SPDX-License-Identifier: Apache-2.0
// ARMv6-M: 16-bit Thumb, no division, no floating point: the class of the RP2040, STM32G0 and SAMD21.
#include "target/registry.hpp"

namespace mote::target {

extern const Target cortex_m0plus{
    .name = "cortex-m0plus",
    .description = "ARM Cortex-M0+, soft float; QEMU mps2-an385",
    .note = "runs on an emulated Cortex-M3, which executes every ARMv6-M instruction alike",
    .architecture = "cortex-m",
    .tools = "arm-none-eabi-",
    .compiler = "arm-none-eabi-g++",
    .linker = "arm-none-eabi-gcc",
    .compiler_packages = "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    .compile_flags = "-mcpu=cortex-m0plus -mthumb -mfloat-abi=soft",
    .clang_flags = "--target=arm-none-eabi -mcpu=cortex-m0plus -mthumb -mfloat-abi=soft -fshort-enums",
    .firmware_flags = "-DMOTE_UART=0x40004000 -DMOTE_DUAL_TIMER=0x40002000",
    .link_flags =
        "-mcpu=cortex-m0plus -mthumb -mfloat-abi=soft "
        "-Wl,--defsym=mote_code=0,--defsym=mote_weights=0x21000000,--defsym=mote_ram=0x20000000",
    .size_flags = "-Os",
    .speed_flags = "-O3",
    .emulator = "qemu-system-arm",
    .emulator_package = "qemu-system-arm",
    .emulator_arguments = "-machine mps2-an385 -semihosting-config enable=on,target=native",
    .flash_bytes = 12 << 20,
    .ram_bytes = 4 << 20,
    .inputs_address = 0x21c00000,
    .inputs_bytes = 4 << 20,
    .icount_shift = 7,
    .counter_ns = 40};

}  // namespace mote::target
