#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a network for MNIST or Fashion-MNIST, first in float, then with quantisation, and shows that what was trained
is what runs: on the whole test set, the compiled model gives the integers of the trained network in every layer.

    python examples/train/images_qat.py --data ~/mnist --weights 4bit
"""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import mote
import mote.torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import images as image_files  # noqa: E402


def cnn():
    """1 -> 16 -> 32 channels, 1568 - 128 - 10."""
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))


def dense():
    """784 - 100 - 10."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.1), nn.Linear(100, 10))


def shifted(images, most=2):
    """Each image moved by up to `most` pixels, zeros where it left."""
    padded = F.pad(images, (most,) * 4)
    y, x = torch.randint(0, 2 * most + 1, (2, len(images)))
    rows = y[:, None] + torch.arange(images.shape[2])
    columns = x[:, None] + torch.arange(images.shape[3])
    return padded[torch.arange(len(images))[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]


def train(network, images, labels, epochs, rate, augment, what):
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
    steps = max(epochs * (len(images) // 128), 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    network.train()
    history = []
    for epoch in range(epochs):
        start, total = time.time(), 0.0
        order = torch.randperm(len(images))
        for i in range(len(images) // 128):
            batch = order[128 * i:128 * i + 128]
            x = shifted(images[batch]) if augment else images[batch]
            loss = F.cross_entropy(network(x), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        history.append(total / max(len(images) // 128, 1))
        print(f"{what}, epoch {epoch + 1} of {epochs}: loss {history[-1]:.4f}, {time.time() - start:.0f} s", flush=True)
    network.eval()
    return history


def accuracy(network, images, labels):
    with torch.no_grad():
        right = sum(int((network(x).argmax(1) == y).sum()) for x, y in zip(images.split(500), labels.split(500)))
    return 100.0 * right / len(labels)


def compare(network, model, images):
    """Layers of the compiled model that differ from the trained network's on any image, and the outputs' classes."""
    layers = network.layers[1:]
    different = dict.fromkeys(layers, 0)
    classes = []
    for x in images.split(500):
        expected = network.integers(x)
        outputs = model.run(network.quantise(x), threads=0)
        for name, output in zip(layers, outputs):
            different[name] += int((output != expected[name].reshape(output.shape)).sum())
        classes.append(outputs[-1].reshape(len(x), -1).argmax(1))
    return different, np.concatenate(classes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=["mnist", "fashion"], default="mnist")
    parser.add_argument("--data", default="data", help="folder of the IDX files; what is missing is downloaded")
    parser.add_argument("--network", choices=["cnn", "dense"], default="cnn")
    parser.add_argument("--weights", choices=["int8", "4bit", "ternary"], default="int8")
    parser.add_argument("--power-of-two", action="store_true")
    parser.add_argument("--epochs", type=int, default=8, help="in float")
    parser.add_argument("--qat-epochs", type=int, default=6)
    parser.add_argument("--samples", type=int, default=60000, help="of the training set")
    parser.add_argument("--out", help="write the model as .onnx")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    torch.manual_seed(flags.seed)
    images, labels, test_images, test_labels = image_files.load(flags.dataset, flags.data)
    images, labels = images[:flags.samples], labels[:flags.samples]

    network = cnn() if flags.network == "cnn" else dense()
    augment = flags.network == "cnn"
    train(network, images, labels, flags.epochs, 4e-3, augment, "float")
    figures = {"float": accuracy(network, test_images, test_labels)}
    print(f"float: {figures['float']:.2f} %")

    scheme = mote.torch.Scheme(weights=flags.weights, power_of_two=flags.power_of_two,
                               learned_scales=flags.weights != "int8" and not flags.power_of_two)
    trained = mote.torch.prepare(network, images[:1], scheme)
    mote.torch.calibrate(trained, images[:1024].split(128))
    figures["calibrated"] = accuracy(trained, test_images, test_labels)
    print(f"{flags.weights} weights, calibrated: {figures['calibrated']:.2f} %")
    train(trained, images, labels, flags.qat_epochs, 1e-3, augment, f"{flags.weights} weights")
    figures["trained"] = accuracy(trained, test_images, test_labels)
    print(f"{flags.weights} weights, trained: {figures['trained']:.2f} %")

    different, classes = compare(trained, mote.torch.convert(trained, every_layer=True), test_images)
    figures["compiled"] = 100.0 * float((classes == test_labels.numpy()).mean())
    print(f"compiled: {figures['compiled']:.2f} %; integers that differ from the trained network's, by layer: {different}")
    artifact = mote.torch.convert(trained, name=flags.dataset).compile("rv32imac", "size")
    sizes = artifact.sizes
    figures["flash_bytes"] = sizes.flash
    figures["arena_bytes"] = sizes.arena
    print(f"rv32imac: {sizes.code} B code + {sizes.weights} B weights in flash, arena {sizes.arena} B")
    if flags.out:
        mote.torch.export_onnx(trained, flags.out)
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(different.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
