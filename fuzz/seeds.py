#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds for a fuzz target: fuzz/seeds.py TARGET SUFFIX FOLDER...

Every file with the suffix (.tflite) below the folders, up to 64 KB, gives three seeds: whole, cut short, and with
eight flipped bits.
"""
import pathlib
import random
import sys

LARGEST_SEED = 1 << 16


def write_seeds(target, suffix, folders):
    """The same seeds each time: the generator is fixed and the files are sorted."""
    generator = random.Random(1)
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(path for folder in folders for path in folder.rglob("*" + suffix)):
        data = path.read_bytes()
        if len(data) > LARGEST_SEED:
            continue
        flipped = bytearray(data)
        for _ in range(8):
            flipped[generator.randrange(min(len(data), 4096))] ^= 1 << generator.randrange(8)
        (target / path.name).write_bytes(data)
        (target / f"{path.stem}_cut").write_bytes(data[:generator.randrange(len(data))])
        (target / f"{path.stem}_flipped").write_bytes(flipped)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    write_seeds(pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(name) for name in sys.argv[3:]])
