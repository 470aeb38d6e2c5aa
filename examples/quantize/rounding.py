#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks of examples/train, trained in float only, with 4-bit and ternary weights by either rounding: how many of the test
samples each gets right. Scales and roundings come from training samples.

    python examples/quantize/rounding.py keywords ~/fsdd text ~/sms gestures ~/magic_wand
"""
import importlib
import pathlib
import sys

import torch

import mote

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "train"))
import common  # noqa: E402

SAMPLES = 300
ROUNDINGS = {"nearest": {"rounding": "nearest"}, "nearest, corrected": {"rounding": "nearest", "correct_bias": True},
             "calibrated": {"rounding": "calibrated"}}


def channels_last(x):
    """What `mote.quantize` takes: images NHWC."""
    return (x.permute(0, 2, 3, 1) if x.dim() == 4 else x).contiguous().numpy()


def percent(task, folder):
    """float, and {(weights, rounding): percent}."""
    torch.manual_seed(1)
    x, labels, test_x, test_labels = data = task.load(folder)
    network, _ = common.train_in_float(task, data, task.epochs)
    model = mote.from_torch(network.eval(), x[:1])
    chosen = torch.randperm(len(x))[:SAMPLES]
    right = {}
    for weights in ("4bit", "ternary"):
        for name, options in ROUNDINGS.items():
            made = mote.quantize(model, channels_last(x[chosen]), weights=[f"{weights}:*"], evaluate=channels_last(test_x),
                                 labels=test_labels.numpy(), **options)
            right[weights, name] = made.accuracy.integer.percent
    return made.accuracy.float.percent, right


def main():
    if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
        raise SystemExit(__doc__)
    rows = []
    for name, folder in zip(sys.argv[1::2], sys.argv[2::2]):
        rows.append((name, *percent(importlib.import_module(f"{name}_qat").TASK, folder)))
    for name, real, right in rows:
        print(f"{name}: float {real:.2f} %")
        for (weights, rounding), share in right.items():
            print(f"  {weights:8} {rounding:20} {share:.2f} %")


if __name__ == "__main__":
    main()
