# SPDX-License-Identifier: Apache-2.0
"""The training scripts from end to end, on images made here."""
import gzip
import json
import pathlib
import struct
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write_idx(path, array):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


def images(count, seed):
    """A bright bar at the class's place over noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    pixels = random.integers(0, 120, (count, 28, 28))
    for image, label in zip(pixels, labels):
        image[2 * label + 4:2 * label + 6, 4:24] += 130
    return pixels.astype(np.uint8), labels.astype(np.uint8)


@pytest.mark.parametrize("network, weights", [("cnn", "int8"), ("dense", "ternary")])
def test_images_are_trained_compiled_and_equal(tmp_path, network, weights):
    for part, (pixels, labels) in {"train": images(1280, 1), "t10k": images(500, 2)}.items():
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", pixels)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels)
    out = tmp_path / "figures.json"
    run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / "images_qat.py"), "--data", str(tmp_path),
                          "--network", network, "--weights", weights, "--epochs", "2", "--qat-epochs", "2", "--json", str(out)],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr  # 1: a layer's integers differ
    figures = json.loads(out.read_text())
    assert figures["compiled"] == figures["trained"] > 80
    if weights == "ternary":
        assert figures["flash_bytes"] < 24 * 1024
