#!/usr/bin/env bash
# Measures well-known models compiled by clang++ on emulated cores, prints the figures beside g++'s, and fails where one
# grew by more than 2 % beyond docs/compilers.json. With --update it writes that file and the tables of docs/compilers.md.
# Usage: tools/bench_compilers.sh [--update] [SHARED]   SHARED holds models/
set -euo pipefail
cd "$(dirname "$0")/.."
update=
if [ "${1:-}" = --update ]; then update=yes; shift; fi
shared=${1:-../shared}
command -v clang++ >/dev/null || { echo "bench: clang++ is not installed, so its figures are not measured"; exit 0; }
committed=docs/compilers.json
targets=(rv32imac cortex-m4f)
models=(person_detect kws_int8 vww_96_int8 resnet_int8 st_mnist st_miniresnet_1stacks_tl nanou_botanicgarden)
what=(--models "${models[@]}" --target "${targets[@]}" --optimize speed)

build/mote zoo build "$shared/models" -o build/bench.sqlite "${what[@]}"
build/mote zoo build "$shared/models" -o build/clang.sqlite "${what[@]}" --compiler clang++
mkdir -p build/compilers
build/mote zoo show build/bench.sqlite "${what[@]}" --format json -o build/compilers/g++.json \
  --columns model,target,sha256,instructions_per_mac,code_bytes,stack_bound_bytes
tables() {
  for target in "${targets[@]}"; do
    printf '\n### %s\n\n' "$target"
    build/mote zoo show build/clang.sqlite --format "$1" --target "$target" --peers build/compilers/g++.json \
      --columns model,macs,instructions_per_mac,code_bytes,stack_bound_bytes
  done
}
if [ -n "$update" ]; then
  tables markdown | tools/write_tables.sh docs/compilers.md
  build/mote zoo show build/clang.sqlite --format json -o "$committed" \
    --columns model,target,mode,sha256,macs,instructions,code_bytes,stack_bound_bytes
  echo "bench: wrote $committed and docs/compilers.md"
else
  tables text
  echo
  build/mote zoo compare "$committed" build/clang.sqlite --fail-above 2
fi
