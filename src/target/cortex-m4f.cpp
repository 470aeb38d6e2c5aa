// SPDX-License-Identifier: Apache-2.0
// ARMv7E-M with DSP and single-precision floating-point instructions: the class of the STM32F4 and nRF52.
#include "target/registry.hpp"

namespace mote::target {

extern const Target cortex_m4f{
    .name = "cortex-m4f",
    .description = "ARM Cortex-M4F, single-precision float; QEMU mps2-an386",
    .core = {.dsp = true, .floats = true},
    .note = "",
    .architecture = "cortex-m",
    .tools = "arm-none-eabi-",
    .compiler = "arm-none-eabi-g++",
    .linker = "arm-none-eabi-gcc",
    .compiler_packages = "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    .compile_flags = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
    .clang_flags =
        "--target=arm-none-eabi -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -fshort-enums "
        "-munaligned-access",
    .firmware_flags = "-DMOTE_UART=0x40004000 -DMOTE_DUAL_TIMER=0x40002000",
    .link_flags =
        "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 "
        "-Wl,--defsym=mote_code=0,--defsym=mote_weights=0x21000000,--defsym=mote_ram=0x20000000",
    .size_flags = "-Os",
    .speed_flags = "-O3",
    .emulator = "qemu-system-arm",
    .emulator_package = "qemu-system-arm",
    .emulator_arguments = "-machine mps2-an386 -semihosting-config enable=on,target=native",
    .flash_bytes = 12 << 20,
    .ram_bytes = 4 << 20,
    .inputs_address = 0x21c00000,
    .inputs_bytes = 4 << 20,
    .icount_shift = 7,
    .counter_ns = 40};

}  // namespace mote::target
