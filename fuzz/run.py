#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes the reader of .tflite files: builds it with clang, makes seeds from real models, runs libFuzzer.

    fuzz/run.py [--seconds 300] [--models DIR]

Seeds are the project's own models and those of DIR, each whole (up to 64 KB), cut, and with flipped bits. Whatever
crashes, leaks, needs more than 2 GB or 10 s is left in build-fuzz/findings, and the exit status is not zero.
"""
import argparse
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST_SEED = 1 << 16


def seeds(folders, target):
    """The same seeds each time: the generator is fixed and the files are sorted."""
    generator = random.Random(1)
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(path for folder in folders for path in folder.rglob("*.tflite")):
        data = path.read_bytes()
        if len(data) > LARGEST_SEED:
            continue
        (target / path.name).write_bytes(data)
        (target / f"{path.stem}_cut").write_bytes(data[:generator.randrange(len(data))])
        flipped = bytearray(data)
        for _ in range(8):
            flipped[generator.randrange(min(len(data), 4096))] ^= 1 << generator.randrange(8)
        (target / f"{path.stem}_flipped").write_bytes(flipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--models", type=pathlib.Path, action="append", default=[])
    arguments = parser.parse_args()
    build = ROOT / "build-fuzz"
    subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DMOTE_FUZZ=ON", "-DMOTE_TESTS=OFF",
                    "-DCMAKE_CXX_COMPILER=clang++", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"], check=True)
    subprocess.run(["cmake", "--build", build, "-j2", "--target", "tflite_fuzz"], check=True)
    for name in ("seeds", "corpus", "findings"):
        (build / name).mkdir(exist_ok=True)
    seeds([ROOT / "examples", *arguments.models], build / "seeds")
    command = [build / "fuzz" / "tflite_fuzz", build / "corpus", build / "seeds", f"-max_total_time={arguments.seconds}",
               f"-artifact_prefix={build / 'findings'}/", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1",
               f"-max_len={LARGEST_SEED}", "-verbosity=1"]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
