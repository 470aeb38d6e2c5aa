#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches Monocypher, the cryptography of keyed devices (BSD-2-Clause or CC0-1.0), into the given folder: the C sources in
# the PyPI package pymonocypher, of this version with this hash and no other. Does nothing when they are there.
set -euo pipefail
folder=${1:?usage: tools/monocypher.sh FOLDER}
package="pymonocypher==4.0.3.4 --hash=sha256:5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a"

[ -f "$folder/monocypher.c" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$package" > "$work/requirements.txt"
python3 -m venv "$work/venv"
if ! "$work/venv/bin/python" -m pip download --quiet --no-deps --no-binary :all: --require-hashes \
    -r "$work/requirements.txt" -d "$work" >"$work/log" 2>&1; then
  tail -5 "$work/log" >&2
  echo "setup: Monocypher could not be fetched: without it there are no keyed firmwares, and their tests are skipped" >&2
  exit 0
fi
mkdir -p "$folder"
tar -xzf "$work"/pymonocypher-*.tar.gz -C "$work" --strip-components=1
cp "$work/monocypher.h" "$work/LICENSE.txt" "$folder"
cp "$work/monocypher.c" "$folder"  # last: it tells that all are there
