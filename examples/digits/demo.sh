#!/usr/bin/env bash
# From a model file to answers: generated C++ on this machine, then the same model in an emulated RV32 core.
#   demo.sh BUILD_FOLDER
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
mote=$build/mote
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "== The model: what it is made of"
"$mote" inspect "$here/digits.tflite"
echo
echo "== mote compile: C++ for RV32IMAC"
"$mote" compile "$here/digits.tflite" --target rv32imac -o "$work/digits"
ls "$work/digits"
echo
echo "== The same C++ on this machine, over all held-out digits"
g++ -std=c++17 -O2 -Wall -Wextra -Werror -I"$work/digits" "$here/main.cpp" "$work/digits/digits.cpp" -o "$work/demo"
"$work/demo" "$here/test_images.bin" "$here/test_labels.bin"
echo
echo "== mote run: one digit in an emulated RV32IMAC core"
"$mote" run "$here/digits.tflite" --target rv32imac --input "$here/golden/case0_in0.bin" --profile
echo
echo "== mote verify: every output byte, on three instruction sets"
for target in host rv32imac cortex-m4f lx106; do
  "$mote" verify "$here/digits.tflite" --target "$target" --golden "$here/golden"
done
