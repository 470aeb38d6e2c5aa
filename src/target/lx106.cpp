// SPDX-License-Identifier: Apache-2.0
// Xtensa lx106: the core of the ESP8266, and the nearest to that of the ESP32-S3 that a Debian machine can run.
#include "target/registry.hpp"

namespace mote::target {

extern const Target lx106{
    .name = "lx106",
    .description = "Xtensa lx106 (ESP8266), soft float; QEMU sim",
    .core = {.unsigned_bytes = true},
    .note =
        "nearest runnable core to that of the ESP32-S3: it has none of the S3's vector instructions, no "
        "floating-point unit, no zero-overhead loops and no register windows",
    .architecture = "lx106",
    .tools = "xtensa-lx106-elf-",
    .compiler = "xtensa-lx106-elf-g++",
    .linker = "xtensa-lx106-elf-gcc",
    .compiler_packages = "gcc-xtensa-lx106 picolibc-xtensa-lx106-elf",
    .compile_flags = "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",
    .clang_flags = "--target=riscv32-unknown-elf -U__riscv -D__XTENSA__ -D__XTENSA_EL__ -funsigned-char",
    .clang_compiles = false,
    .link_flags = "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",
    .size_flags = "-Os",
    .speed_flags = "-O2",
    .emulator = "qemu-system-xtensa",
    .emulator_package = "qemu-system-misc",
    .emulator_arguments = "-machine sim -cpu lx106 -semihosting",
    .flash_bytes = 64 << 20,
    .ram_bytes = 32 << 20,
    .inputs_address = 0x66000000,
    .inputs_bytes = 32 << 20,
    .icount_shift = 6,
    .counter_ns = 25};

}  // namespace mote::target
