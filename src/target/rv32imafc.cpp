// SPDX-License-Identifier: Apache-2.0
// RISC-V, 32 bit, with a single-precision floating-point unit: the class of the ESP32-P4.
#include "target/registry.hpp"

namespace mote::target {

// The multilib table of gcc 12 does not know _zicsr, so only compiling names it; code generated for a model is the
// same.
extern const Target rv32imafc{
    .name = "rv32imafc",
    .description = "RISC-V RV32IMAFC, single-precision float (class of ESP32-P4); QEMU virt",
    .core = {.floats = true},
    .note = "",
    .architecture = "rv32",
    .tools = "riscv64-unknown-elf-",
    .compiler = "riscv64-unknown-elf-g++",
    .linker = "riscv64-unknown-elf-gcc",
    .compiler_packages = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    .compile_flags = "--specs=picolibc.specs -march=rv32imafc_zicsr -mabi=ilp32f -mcmodel=medany",
    .clang_flags = "--target=riscv32-unknown-elf -march=rv32imafc -mabi=ilp32f",
    .link_flags = "--specs=picolibc.specs -march=rv32imafc -mabi=ilp32f",
    .size_flags = "-Os -msave-restore",
    .speed_flags = "-O3",
    .emulator = "qemu-system-riscv32",
    .emulator_package = "qemu-system-misc",
    .emulator_arguments = "-machine virt -bios none -m 128M",
    .two_cores_arguments = "-smp 2 -accel tcg,thread=multi",
    .flash_bytes = 64 << 20,
    .ram_bytes = 32 << 20,
    .inputs_address = 0x86000000,
    .inputs_bytes = 32 << 20,
    .icount_shift = 0,
    .counter_ns = 1};

}  // namespace mote::target
