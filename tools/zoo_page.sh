#!/usr/bin/env bash
# Brings a footprint book of a folder of models up to date and prints its tables into docs/zoo.md.
# Usage: tools/zoo_page.sh [SHARED [BOOK]]   SHARED holds models/ with SOURCES.md, and reference/ with peers' figures.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${1:-../shared}
book=${2:-build/zoo.sqlite}
start=$(date +%s)
build/mote zoo build "$shared/models" -o "$book"
echo "zoo_page: $(($(date +%s) - start)) s"

# Only models whose licence permits naming them.
show() {
  build/mote zoo show "$book" --format markdown --sources "$shared/models/SOURCES.md" \
    --licence 'repo Apache-2.0' 'repo MIT*' "$@"
}
heading() { printf '\n### %s\n\n' "$1"; }
{
  heading 'Beside other systems'
  show --peers "$shared"/reference/tflm.json "$shared"/reference/espnn_cmsis.json --peers-only \
    --columns model,target,instructions_per_mac,arena_bytes,code_bytes,stack_peak_bytes
  for target in rv32imac cortex-m4f; do
    heading "All models on $target"
    show --target "$target" \
      --columns model,macs,instructions,arena_bytes,lower_bound_bytes,stack_bound_bytes,ram_bytes,weight_bytes,code_bytes,flash_bytes,error
  done
} | tools/write_tables.sh docs/zoo.md
