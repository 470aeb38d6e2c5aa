#!/usr/bin/env bash
# Installs the Debian packages that Mote's build, tests and emulated targets need, and those given as arguments; does
# nothing when all are there.
set -euo pipefail

packages=(
  # the compiler itself
  g++ cmake ninja-build flatbuffers-compiler libflatbuffers-dev libeigen3-dev libfmt-dev nlohmann-json3-dev libcli11-dev libgtest-dev
  libsqlite3-dev libssl-dev libzip-dev protobuf-compiler libprotobuf-dev libclang-14-dev libserialport-dev
  clang-format
  # cross compilers and C libraries of the targets; clang (libclang-rt: libFuzzer) checks that generated code is not tied to g++
  gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
  gcc-arm-none-eabi libnewlib-arm-none-eabi
  gcc-xtensa-lx106 picolibc-xtensa-lx106-elf
  clang libclang-rt-14-dev
  # emulators: RISC-V and Xtensa, Cortex-M
  qemu-system-misc qemu-system-arm
  # D3, which the page of `mote report` carries; rsvg-convert and a font for its stack picture
  node-d3-selection node-d3-scale node-d3-axis librsvg2-bin fonts-dejavu-core
  # the Python module; seeds for fuzzing; Python's packages go to virtual environments in build/
  python3 python3-venv python3-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" = "ii " ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: need root or sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "setup: apt-get failed, its whole output is in $log" >&2
  exit 1
fi
rm -f "$log"
