#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gestures from an accelerometer (TensorFlow's magic wand recordings, magic_wand.csv): ring, slope, wing or none of them, by
a small convolutional network with quantised training. Persons of the test set are not in the training set.

    python examples/train/gestures_qat.py --data ~/magic_wand --weights 4bit
"""
import collections
import csv
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402

CLASSES = ["negative", "ring", "slope", "wing"]
LENGTH = 128          # samples, 5 s at 25 Hz
TEST = ("dengyl",)    # who is kept out of the training set
NEGATIVE_EVERY = 5    # of the recordings without gesture, which name nobody, each fifth is for testing


def recordings(folder):
    """{(label, subject, sequence): float32 [samples, 3] in g}"""
    path = pathlib.Path(folder) / "magic_wand.csv"
    if not path.exists():
        raise SystemExit(f"{path} is not there: columns label, subject, sequence, i, acc_x_g, acc_y_g, acc_z_g")
    rows = collections.defaultdict(list)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            rows[row["label"], row["subject"], row["sequence"]].append([float(row[f"acc_{axis}_g"]) for axis in "xyz"])
    return {key: torch.tensor(samples) for key, samples in rows.items()}


def windows(samples):
    """[windows, 3, LENGTH, 1]: short recordings with their last sample repeated, long ones cut in the middle."""
    if len(samples) < LENGTH:
        samples = torch.cat([samples, samples[-1:].expand(LENGTH - len(samples), 3)])
    starts = range(0, len(samples) - LENGTH + 1, LENGTH // 2)
    return torch.stack([samples[start:start + LENGTH].T[:, :, None] for start in starts])


def load(folder):
    data = {False: ([], []), True: ([], [])}
    negatives = 0
    for (label, subject, _), samples in recordings(folder).items():
        negatives += label == "negative"
        testing = negatives % NEGATIVE_EVERY == 0 if label == "negative" else subject in TEST
        found = windows(samples)
        data[testing][0].append(found)
        data[testing][1].extend([CLASSES.index(label)] * len(found))
    return [part for testing in (False, True) for part in (torch.cat(data[testing][0]), torch.tensor(data[testing][1]))]


def moved(x):
    """Gestures begin earlier or later, and stronger or weaker."""
    shift = int(torch.randint(-16, 17, ()))
    return torch.roll(x, shift, 2) * (0.8 + 0.4 * torch.rand(len(x), 1, 1, 1))


def network():
    layers = []
    for source, channels in ((3, 16), (16, 16), (16, 32)):
        layers += [nn.Conv2d(source, channels, (5, 1), padding=(2, 0)), nn.BatchNorm2d(channels), nn.ReLU(),
                   nn.MaxPool2d((3, 1))]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(32, len(CLASSES)))


TASK = common.Task("gestures", CLASSES, load, network, 60, 20, moved)

if __name__ == "__main__":
    sys.exit(common.main(__doc__, TASK))
