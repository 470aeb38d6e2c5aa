# SPDX-License-Identifier: Apache-2.0
"""What the training scripts share: loops, accuracy, and the proof that what was trained is what runs."""
import argparse
import json
import pathlib
import time

import numpy as np
import torch
from torch.nn import functional as F

import mote
import mote.torch

BATCH = 128


def arguments(description, epochs, qat_epochs):
    """A parser with the options of all scripts."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data", help="folder of the data; what can be downloaded and is missing is")
    parser.add_argument("--weights", choices=["int8", "4bit", "ternary"], default="int8")
    parser.add_argument("--power-of-two", action="store_true", help="all scales are powers of two")
    parser.add_argument("--epochs", type=int, default=epochs, help="in float")
    parser.add_argument("--qat-epochs", type=int, default=qat_epochs, help="with quantisation")
    parser.add_argument("--out", help="write the quantised model as .onnx")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--plots", help="write the confusion matrix and the history of losses to this .png (needs matplotlib)")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def train(network, x, labels, epochs, rate, what, augment=None):
    """Adam with one cycle of rates; `augment` changes a batch. Returns the mean loss of each epoch."""
    optimiser = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], rate, weight_decay=1e-4)
    batch = min(BATCH, len(x))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=max(epochs * (len(x) // batch), 1))
    network.train()
    history = []
    for epoch in range(epochs):
        start, total = time.time(), 0.0
        order = torch.randperm(len(x)).split(batch)[:len(x) // batch]
        for chosen in order:
            samples = augment(x[chosen]) if augment else x[chosen]
            loss = F.cross_entropy(network(samples), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        history.append(total / len(order))
        print(f"{what}, epoch {epoch + 1} of {epochs}: loss {history[-1]:.4f}, {time.time() - start:.0f} s", flush=True)
    network.eval()
    return history


def accuracy(network, x, labels):
    """Percent."""
    with torch.no_grad():
        right = sum(int((network(some).argmax(1) == y).sum()) for some, y in zip(x.split(500), labels.split(500)))
    return 100.0 * right / len(labels)


def compare(network, model, x):
    """How many integers of each layer differ between the compiled model and the trained network, and the classes."""
    layers = network.layers[1:]
    different = dict.fromkeys(layers, 0)
    classes = []
    for some in x.split(500):
        expected = network.integers(some)
        outputs = model.run(network.quantise(some), threads=0)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        for name, output in zip(layers, outputs):
            different[name] += int((output != expected[name].reshape(output.shape)).sum())
        classes.append(outputs[-1].reshape(len(some), -1).argmax(1))
    return different, np.concatenate(classes)


def run(flags, name, network, data, classes, augment=None):
    """Trains in float, quantises, trains again, compiles, compares. `data`: training x and labels, test x and labels.

    Returns the exit status: 1 when an integer of the compiled model is not the trained network's.
    """
    x, labels, test_x, test_labels = data
    history = {"float": train(network, x, labels, flags.epochs, 4e-3, "float", augment)}
    figures = {"float": accuracy(network, test_x, test_labels)}
    print(f"float: {figures['float']:.2f} %")

    scheme = mote.torch.Scheme(weights=flags.weights, power_of_two=flags.power_of_two,
                               learned_scales=flags.weights != "int8" and not flags.power_of_two)
    trained = mote.torch.prepare(network, x[:1], scheme)
    mote.torch.calibrate(trained, x[:1024].split(BATCH))
    figures["calibrated"] = accuracy(trained, test_x, test_labels)
    print(f"{flags.weights} weights, calibrated: {figures['calibrated']:.2f} %")
    history[flags.weights] = train(trained, x, labels, flags.qat_epochs, 1e-3, f"{flags.weights} weights", augment)
    figures["trained"] = accuracy(trained, test_x, test_labels)
    print(f"{flags.weights} weights, trained: {figures['trained']:.2f} %")

    different, found = compare(trained, mote.torch.convert(trained, every_layer=True), test_x)
    figures["compiled"] = 100.0 * float((found == test_labels.numpy()).mean())
    print(f"compiled: {figures['compiled']:.2f} %; integers that differ from the trained network's, by layer: {different}")
    artifact = mote.torch.convert(trained, name=name).compile("rv32imac", "size")
    board = artifact.run(trained.quantise(test_x[:1])[0])
    sizes = artifact.sizes
    same = np.array_equal(np.ravel(board.outputs), np.ravel(trained.integers(test_x[:1])[trained.output]))
    figures.update(flash_bytes=sizes.flash, arena_bytes=sizes.arena)
    print(f"rv32imac: {sizes.code} B code + {sizes.weights} B weights in flash, arena {sizes.arena} B, stack {sizes.stack} B; "
          f"in the emulator {'the same integers' if same else 'OTHER INTEGERS'}, {board.instructions} instructions")
    if flags.out:
        mote.torch.export_onnx(trained, flags.out)
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(figures, indent=1) + "\n")
    if flags.plots:
        plot(flags.plots, history, found, test_labels.numpy(), classes)
    return 1 if any(different.values()) or not same else 0


def plot(path, history, found, labels, classes):
    """Losses by epoch, and how often class i was taken for class j."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5))
    start = 0
    for what, losses in history.items():
        left.plot(range(start + 1, start + len(losses) + 1), losses, marker=".", label=what)
        start += len(losses)
    left.set(xlabel="epoch", ylabel="loss", title="training")
    left.legend()
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (labels, found), 1)
    right.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    right.set(xlabel="found", ylabel="true", title="confusion", xticks=range(len(classes)), yticks=range(len(classes)))
    right.set_xticklabels(classes, rotation=60, ha="right")
    right.set_yticklabels(classes)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            right.text(j, i, str(count), ha="center", va="center", fontsize=7, color="white" if i == j else "black")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
