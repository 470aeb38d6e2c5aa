#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a network for MNIST or Fashion-MNIST, first in float, then with quantisation, and shows that what was trained
is what runs: on the whole test set, the compiled model gives the integers of the trained network in every layer.

    python examples/train/images_qat.py --data ~/mnist --weights 4bit --plots digits.png
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402
import images  # noqa: E402


def cnn():
    """1 -> 16 -> 32 channels, 1568 - 128 - 10."""
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))


def dense():
    """784 - 100 - 10."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.1), nn.Linear(100, 10))


def shifted(pixels, most=2):
    """Each image moved by up to `most` pixels, zeros where it left."""
    padded = F.pad(pixels, (most,) * 4)
    y, x = torch.randint(0, 2 * most + 1, (2, len(pixels)))
    rows = y[:, None] + torch.arange(pixels.shape[2])
    columns = x[:, None] + torch.arange(pixels.shape[3])
    return padded[torch.arange(len(pixels))[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]


def task(dataset="mnist", network="cnn", samples=60000):
    """`samples`: how many of the training set."""
    def load(folder):
        x, labels, *test = images.load(dataset, folder)
        return x[:samples], labels[:samples], *test

    kinds = {"cnn": (cnn, shifted), "dense": (dense, None)}
    make, augment = kinds[network]
    return common.Task(dataset, images.CLASSES[dataset], load, make, 8, 6, augment)


def main():
    parser = common.arguments(__doc__, task())
    parser.add_argument("--dataset", choices=["mnist", "fashion"], default="mnist")
    parser.add_argument("--network", choices=["cnn", "dense"], default="cnn")
    parser.add_argument("--samples", type=int, default=60000, help="of the training set")
    flags = parser.parse_args()
    return common.run(flags, task(flags.dataset, flags.network, flags.samples))


if __name__ == "__main__":
    sys.exit(main())
