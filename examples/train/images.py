# SPDX-License-Identifier: Apache-2.0
"""MNIST and Fashion-MNIST as tensors, from a folder or downloaded into one."""
import gzip
import pathlib
import struct
import urllib.request

import numpy as np
import torch

SOURCES = {"mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
           "fashion": "https://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"}
CLASSES = {"mnist": [str(digit) for digit in range(10)],
           "fashion": ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]}


def read_idx(path):
    """An IDX file, gzipped: uint8 of any shape."""
    with gzip.open(path) as file:
        zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
        if zero != 0 or kind != 8:
            raise ValueError(f"{path} is no IDX file of bytes")
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        data = np.frombuffer(file.read(), np.uint8)
    if data.size != np.prod(shape):
        raise ValueError(f"{path} has {data.size} bytes of data, its header says {np.prod(shape)}")
    return data.reshape(shape)


def load(name, folder):
    """(training images, labels, test images, labels): float32 [N, 1, 28, 28] from 0 to 1, int64 [N]."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = []
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        path = folder / f"{part}-ubyte.gz"
        if not path.exists():
            print(f"downloading {SOURCES[name]}{path.name} to {path}")
            urllib.request.urlretrieve(f"{SOURCES[name]}{path.name}", path)
        arrays.append(read_idx(path))
    images = [torch.from_numpy(array.astype(np.float32) / 255.0)[:, None] for array in arrays[0::2]]
    labels = [torch.from_numpy(array.astype(np.int64)) for array in arrays[1::2]]
    return images[0], labels[0], images[1], labels[1]
