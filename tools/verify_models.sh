#!/usr/bin/env bash
# Verifies every model of a folder against its golden vectors on emulated targets; prints what differs, then a count.
# Usage: tools/verify_models.sh SHARED [CASES [TARGET ...]]   SHARED holds models/ and golden/.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=$1
cases=${2:-1}
targets=("${@:3}")
[ ${#targets[@]} -gt 0 ] || targets=(rv32imac cortex-m4f)
[ -d "$shared/models" ] || { echo "verify_models: skipped: $shared/models does not exist"; exit 0; }

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
verify() {  # MODEL TARGET
  local name
  name=$(basename "$1" .tflite)
  if ! build/mote verify "$1" --golden "$shared/golden/$name" --target "$2" -n "$cases" >"$results/$name.$2" 2>&1; then
    tail -3 "$results/$name.$2"
    touch "$results/$name.$2.failed"
  fi
  if [ -t 2 ]; then printf '\r%s verified ' "$(find "$results" -type f ! -name '*.failed' | wc -l)" >&2; fi
}
export -f verify
export results shared cases
for model in "$shared"/models/*.tflite; do
  for target in "${targets[@]}"; do printf '%s\0%s\0' "$model" "$target"; done
done | xargs -0 -n 2 -P "$(nproc)" bash -c 'verify "$@"' -
if [ -t 2 ]; then printf '\r\033[K' >&2; fi
failed=$(find "$results" -name '*.failed' | wc -l)
total=$(find "$results" -type f ! -name '*.failed' | wc -l)
echo "$((total - failed)) of $total runs equal their golden vectors (${targets[*]}, $cases cases each)"
[ "$failed" -eq 0 ]
