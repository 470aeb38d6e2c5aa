#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target of a build: fuzz/run.sh BUILD SECONDS. What crashes, leaks, takes more than 2 GB or 10 s is
# left in BUILD/findings, and the exit status is not zero.
set -euo pipefail
build=${1:?usage: fuzz/run.sh BUILD SECONDS}
seconds=${2:?usage: fuzz/run.sh BUILD SECONDS}
root=$(cd "$(dirname "$0")/.." && pwd)

export UBSAN_OPTIONS=print_stacktrace=1 ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v llvm-symbolizer || true)}
folders=("$root/examples" "$root/tests/data")
# Real models and the node tests (tools/onnx/node_suite.py --save), if they are there.
for models in "${MOTE_SHARED:-$root/../shared}/models" "$build/models"; do
  if [ -d "$models" ]; then folders+=("$models"); fi
done

for target in "$build"/fuzz/*_fuzz; do
  name=$(basename "$target")
  seeds=$build/seeds/$name corpus=$build/corpus/$name findings=$build/findings/$name
  mkdir -p "$corpus" "$findings"
  if [ -x "$build/fuzz/${name%_fuzz}_seeds" ]; then
    "$build/fuzz/${name%_fuzz}_seeds" "$seeds"
  else
    python3 "$root/fuzz/seeds.py" "$seeds" ".${name%_fuzz}" "${folders[@]}"  # tflite_fuzz reads .tflite
  fi
  echo "$name: $seconds s, $(find "$seeds" -type f | wc -l) seeds"
  "$target" "$corpus" "$seeds" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="$findings/" -print_final_stats=1
done
