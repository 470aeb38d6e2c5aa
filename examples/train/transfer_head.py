#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Transfer learning with a frozen backbone: a network that was trained on the digits 0 to 4 learns 5 to 9 on the device.

The backbone is trained here, quantised to int8 and never changes again. A new head of zeros learns the other five digits from
a few samples of each, sample by sample, in an emulated microcontroller, which then classifies the test images of 5 to 9. The
same is done in Python, and every loss, probability and byte of the saved head must be the same.

    python examples/train/transfer_head.py --data ~/mnist
"""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn

import mote.torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402
import images  # noqa: E402
from images_qat import shifted  # noqa: E402

OLD, NEW = [0, 1, 2, 3, 4], [5, 6, 7, 8, 9]


def network(layers):
    """1 -> 8 -> 16 -> 32 channels, 288 features, 5 classes; where two layers are to learn, 32 hidden values between these."""
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*block(1, 8), *block(8, 16), *block(16, 32), nn.Flatten(),
                         *([nn.Linear(288, len(OLD))] if layers == 1 else
                           [nn.Linear(288, 32), nn.ReLU(), nn.Linear(32, len(OLD))]))


def of_digits(x, labels, digits):
    """The images of these digits, and which of them each is."""
    chosen = torch.isin(labels, torch.tensor(digits))
    return x[chosen], labels[chosen] - digits[0]


def some_of_each(x, labels, count, seed):
    """`count` samples of each class, shuffled: a head learns sample by sample."""
    random = np.random.default_rng(seed)
    chosen = np.concatenate([random.permutation(np.flatnonzero(labels.numpy() == one))[:count] for one in np.unique(labels)])
    chosen = torch.from_numpy(random.permutation(chosen))
    return x[chosen], labels[chosen]


def train_backbone(flags, x, labels, test):
    """Float, then int8 with ranges from samples. Returns the quantised network."""
    trained = network(flags.layers)
    common.train(trained, x, labels, flags.epochs, 4e-3, "backbone", shifted)
    quantised = mote.torch.prepare(trained, x[:1])
    mote.torch.calibrate(quantised, x[:1024].split(common.BATCH))
    print(f"digits 0 to 4: {common.accuracy(quantised, *test):.2f} % of {len(test[1])} test images right in int8")
    return quantised


def suitable_rate(head, x):
    """The gradient changes by at most |x|^2 / 2 a step of length 1, and momentum 0.9 makes a step ten times as long."""
    output = head.backbone.outputs[0]
    features = output.scale * (head.backbone.run(x, threads=0).reshape(len(x), -1).astype(np.float64) - output.zero_point)
    return float(0.15 / (features ** 2).sum(1).mean())


def print_memory(head, artifact):
    memory, sizes = head.memory, artifact.sizes
    print(f"{head.layer}: a head of {head.classes} new classes, {memory.parameters // 4} parameters\n"
          f"RAM for {artifact.target}: arena {sizes.arena} B + stack {sizes.stack} B + head {memory.ram} B (parameters "
          f"{memory.parameters}, momentum {memory.momentum}, features and errors {memory.scratch}) = {sizes.ram + memory.ram} B\n"
          f"flash: weights {sizes.weights} B + backbone's code {sizes.code} B; a saved head takes {memory.record} B")


def same_bits(one, other):
    return np.array_equal(np.asarray(one).view(np.uint8), np.asarray(other).view(np.uint8))


def learn(flags, model, samples, labels, test, test_labels):
    """In Python and on the emulated target; returns the figures."""
    head = model.trainable_head(classes=len(NEW), layers=flags.layers)
    artifact = head.compile(flags.target)
    print_memory(head, artifact)
    rate = flags.rate or suitable_rate(head, samples)
    start = time.time()
    run = artifact.fit(samples, labels, epochs=flags.head_epochs, rate=rate, test=test)
    emulated = 100.0 * float((run.classes == test_labels).mean())
    print(f"{artifact.target}: {flags.head_epochs} epochs of {len(labels)} images at a rate of {rate:.3g}, loss "
          f"{run.losses[0].mean():.3f} in the first epoch, {run.losses[-1].mean():.3f} in the last; digits 5 to 9: {emulated:.2f} % of "
          f"{len(test_labels)} test images right\n    instructions: {np.mean(run.step_instructions):,.0f} an image and training "
          f"step, {np.mean(run.prediction_instructions):,.0f} an image and prediction; stack {run.stack_peak_bytes} B; "
          f"{time.time() - start:.0f} s in the emulator")
    losses = head.fit(samples, labels, epochs=flags.head_epochs, rate=rate)
    classes, probabilities = head.predict(test)
    same = {"losses": same_bits(losses, run.losses), "probabilities": same_bits(probabilities, run.probabilities),
            "classes": same_bits(classes, run.classes), "record": head.save() == run.record}
    print(f"Python: {100.0 * float((classes == test_labels).mean()):.2f} %; "
          + ", ".join(f"{what} {'the same bits' if equal else 'DIFFER'}" for what, equal in same.items()))
    return {"emulated": emulated, "same_bits": all(same.values()), "head_ram_bytes": head.memory.ram,
            "instructions": float(np.mean(run.step_instructions))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data", help="folder of MNIST, downloaded where it is missing")
    parser.add_argument("--target", default="rv32imac", help="an emulated core")
    parser.add_argument("--epochs", type=int, default=3, help="of the backbone")
    parser.add_argument("--layers", type=int, choices=[1, 2], default=1, help="that learn on the device")
    parser.add_argument("--per-class", type=int, default=100, help="images of each new digit")
    parser.add_argument("--head-epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, help="of the head; absent: from the length of the features")
    parser.add_argument("--test-images", type=int, default=10000, help="at most")
    parser.add_argument("--out", help="write the quantised model of the digits 0 to 4 as .onnx")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    torch.manual_seed(flags.seed)
    x, labels, test_x, test_labels = images.load("mnist", flags.data)
    network_of_old = train_backbone(flags, *of_digits(x, labels, OLD), of_digits(test_x, test_labels, OLD))
    if flags.out:
        mote.torch.export_onnx(network_of_old, flags.out)
    samples, classes = some_of_each(*of_digits(x, labels, NEW), flags.per_class, flags.seed)
    test, test_classes = (one[:flags.test_images] for one in of_digits(test_x, test_labels, NEW))
    figures = learn(flags, mote.torch.convert(network_of_old, name="digits"), network_of_old.quantise(samples), classes.numpy(),
                    network_of_old.quantise(test), test_classes.numpy())
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if figures["same_bits"] else 1


if __name__ == "__main__":
    sys.exit(main())
