# SPDX-License-Identifier: Apache-2.0
"""What the training scripts and notebooks share: a task's parts, loops, accuracy, and the proof that what was trained is what runs."""
import argparse
import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Optional

import numpy as np
import torch
from torch.nn import functional as F

import mote
import mote.torch

BATCH = 128


@dataclasses.dataclass(frozen=True)
class Task:
    """What a script says about its task; all else is here."""

    name: str  #: of the generated code
    classes: Sequence[str]
    load: Callable[[str], Sequence[torch.Tensor]]  #: folder -> training x and labels, test x and labels
    network: Callable[[], torch.nn.Module]
    epochs: int  #: in float
    qat_epochs: int
    augment: Optional[Callable[[torch.Tensor], torch.Tensor]] = None  #: changes a batch
    qat_rate: float = 1e-3
    distils: bool = False  #: the network with quantisation learns from the float one's answers, too


def arguments(description, task):
    """A parser with the options of all scripts; `task` gives the epochs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data", help="folder of the data; what can be downloaded and is missing is")
    parser.add_argument("--weights", choices=["int8", "4bit", "ternary"], default="int8")
    parser.add_argument("--power-of-two", action="store_true", help="all scales are powers of two")
    parser.add_argument("--epochs", type=int, default=task.epochs, help="in float")
    parser.add_argument("--qat-epochs", type=int, default=task.qat_epochs, help="with quantisation")
    parser.add_argument("--out", help="write the quantised model as .onnx")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--plots", help="write the confusion matrix and the history of losses to this .png (needs matplotlib)")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def train(network, x, labels, epochs, rate, what, augment=None, teacher=None):
    """Adam with one cycle of rates, which ends near 0; `augment` changes a batch, half of the loss is the distance from the
    teacher's answers. Returns the mean loss of each epoch.
    """
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
            loss = loss_of(network(samples), labels[chosen], samples, teacher)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        history.append(total / len(order))
        print(f"{what}, epoch {epoch + 1} of {epochs}: loss {history[-1]:.4f}, {time.time() - start:.0f} s", flush=True)
    network.eval()
    return history


def loss_of(answers, labels, samples, teacher):
    if teacher is None:
        return F.cross_entropy(answers, labels)
    with torch.no_grad():
        wanted = teacher(samples)
    return mote.torch.distillation_loss(answers, wanted, labels, temperature=2.0, alpha=0.5)


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


def train_in_float(task, data, epochs):
    """A new network, and its losses."""
    network = task.network()
    return network, train(network, *data[:2], epochs, 4e-3, "float", task.augment)


def quantised(network, x, weights, power_of_two=False):
    """A calibrated copy of a trained network; weights are "int8", "4bit" or "ternary"."""
    scheme = mote.torch.Scheme(weights=weights, power_of_two=power_of_two,
                               learned_scales=weights != "int8" and not power_of_two)
    result = mote.torch.prepare(network, x[:1], scheme)
    mote.torch.calibrate(result, x[:1024].split(BATCH))
    return result


def train_quantised(trained, network, task, data, weights, epochs):
    """Its losses. `network` is the float one."""
    return train(trained, *data[:2], epochs, task.qat_rate, f"{weights} weights", task.augment,
                 network.eval() if task.distils else None)


def on_the_board(trained, name, x):
    """Compiles for rv32imac and runs the first sample in the emulator: sizes, the run, and whether the integers are the same."""
    artifact = mote.torch.convert(trained, name=name).compile("rv32imac", "size")
    board = artifact.run(trained.quantise(x[:1])[0])
    same = np.array_equal(np.ravel(board.outputs), np.ravel(trained.integers(x[:1])[trained.output]))
    sizes = artifact.sizes
    print(f"rv32imac: {sizes.code} B code + {sizes.weights} B weights in flash, arena {sizes.arena} B, stack {sizes.stack} B; "
          f"in the emulator {'the same integers' if same else 'OTHER INTEGERS'}, {board.instructions} instructions")
    return sizes, board, same


def run(flags, task):
    """Trains in float, quantises, trains again, compiles, compares.

    Returns the exit status: 1 when an integer of the compiled model is not the trained network's.
    """
    torch.manual_seed(flags.seed)
    data = task.load(flags.data)
    x, _, test_x, test_labels = data
    network, losses = train_in_float(task, data, flags.epochs)
    history = {"float": losses}
    figures = {"float": accuracy(network, test_x, test_labels)}
    print(f"float: {figures['float']:.2f} %")

    trained = quantised(network, x, flags.weights, flags.power_of_two)
    figures["calibrated"] = accuracy(trained, test_x, test_labels)
    print(f"{flags.weights} weights, calibrated: {figures['calibrated']:.2f} %")
    history[flags.weights] = train_quantised(trained, network, task, data, flags.weights, flags.qat_epochs)
    figures["trained"] = accuracy(trained, test_x, test_labels)
    print(f"{flags.weights} weights, trained: {figures['trained']:.2f} %")

    different, found = compare(trained, mote.torch.convert(trained, every_layer=True), test_x)
    figures["compiled"] = 100.0 * float((found == test_labels.numpy()).mean())
    print(f"compiled: {figures['compiled']:.2f} %; integers that differ from the trained network's, by layer: {different}")
    sizes, _, same = on_the_board(trained, task.name, test_x)
    figures.update(flash_bytes=sizes.flash, arena_bytes=sizes.arena)
    if flags.out:
        mote.torch.export_onnx(trained, flags.out)
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(figures, indent=1) + "\n")
    if flags.plots:
        plot(flags.plots, history, found, test_labels.numpy(), task.classes)
    return 1 if any(different.values()) or not same else 0


def main(description, task):
    """A script without options of its own."""
    return run(arguments(description, task).parse_args(), task)


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
