#!/usr/bin/env bash
# Measures well-known models on emulated cores, prints the figures beside other systems', and fails where one grew by
# more than 2 % beyond docs/benchmarks.json or a mode breaks what it promises of another and did not there. With --update it writes that
# file and the tables of docs/benchmarks.md.
# Usage: tools/bench.sh [--update] [SHARED]   SHARED holds models/ with SOURCES.md, and reference/ with peers' figures.
set -euo pipefail
cd "$(dirname "$0")/.."
update=
if [ "${1:-}" = --update ]; then update=yes; shift; fi
shared=${1:-../shared}
[ -d "$shared/models" ] || { echo "bench: $shared has no models/: nothing to measure" >&2; exit 1; }
book=build/bench.sqlite
committed=docs/benchmarks.json
targets=(rv32imac cortex-m4f cortex-m55 lx106)
models=(
  mf_sine hello_world_int8 micro_speech st_mnist emlearn_mnist_int8 kws_int8 ad01_int8 resnet_int8 person_detect
  vww_96_int8 nanou_botanicgarden str_ww_int8 st_miniresnet_1stacks_tl stb_har_ign_wl24_wisdm stb_har_gmp_wl24_wisdm
  st_mbv1_025_96_gray st_mbv2_035_128_tfs st_efficientnet_lc_128 st_yolo_lc_192 mcu_lenet_300_100 emlearn_mnist_fp32
  ad01_fp32 vww_96_fp32 resnet_fp32)

build/mote zoo build "$shared/models" -o "$book" --models "${models[@]}" --target "${targets[@]}" \
  --optimize size balanced speed
tables() {
  for target in "${targets[@]}"; do
    printf '\n### %s\n\n' "$target"
    build/mote zoo show "$book" --format "$1" --target "$target" --sources "$shared/models/SOURCES.md" \
      --peers "$shared/reference/tflm.json" "$shared/reference/espnn_cmsis.json" \
      --columns model,mode,macs,instructions_per_mac,code_bytes,weight_bytes,arena_bytes,lower_bound_bytes,stack_bound_bytes
  done
}
if [ -n "$update" ]; then
  tables markdown | tools/write_tables.sh docs/benchmarks.md
  build/mote zoo show "$book" --format json -o "$committed" \
    --columns model,target,mode,sha256,macs,instructions,arena_bytes,weight_bytes,code_bytes,stack_bound_bytes
  echo "bench: wrote $committed and docs/benchmarks.md"
else
  tables text
  echo
  build/mote zoo compare "$committed" "$book" --fail-above 2
  build/mote zoo modes "$book" --known "$committed"
fi
tools/bench_compilers.sh ${update:+--update} "$shared"
