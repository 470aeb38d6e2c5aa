#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads an MNIST classifier into a running device, sends it the whole test set, and shows that it computes what the
host computes, byte for byte. The emulated board needs no hardware:

    python examples/device/mnist.py --model mnist.onnx --data ~/mnist --plots figures

`--data` is a folder with t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz; examples/train/images_qat.py
downloads them and trains a model (--out mnist.onnx).
"""
import argparse
import gzip
import json
import pathlib
import sys
import time

import numpy as np

import mote


def read_idx(path):
    """A gzipped IDX file of bytes: uint8 of any shape."""
    with gzip.open(path) as file:
        dimensions = file.read(4)[3]
        shape = [int.from_bytes(file.read(4), "big") for _ in range(dimensions)]
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


def model_input(images, tensor):
    """uint8 pixels, 0 to 1 for the network, as the integers that the model takes."""
    real = images.astype(np.float32).reshape(-1, *tensor.shape[1:]) / 255
    if tensor.scale is None:
        return real.astype(tensor.dtype)
    limits = np.iinfo(tensor.dtype)
    return np.clip(np.rint(real / tensor.scale) + tensor.zero_point, limits.min, limits.max).astype(tensor.dtype)


class Progress:
    """One line that is written over."""

    def __init__(self, total):
        self._total, self._begun, self._shown = total, time.monotonic(), 0.0

    def show(self, done, right):
        now = time.monotonic()
        if not sys.stderr.isatty() and done % 1000 or now - self._shown < 0.2 and done < self._total:
            return
        self._shown = now
        rate = done / (now - self._begun)
        end = "\r" if sys.stderr.isatty() and done < self._total else "\n"
        print(f"{done:,} of {self._total:,} images, {100 * right / done:.2f} % right, {rate:.1f} a second, "
              f"{(self._total - done) / rate:.0f} s to go  ", end=end, file=sys.stderr, flush=True)


def classify(device, model, inputs, labels):
    """Calls the device for each input. Returns outputs, instructions, bytes on the wire of each call."""
    outputs, instructions, wire = [], [], []
    progress, right = Progress(len(inputs)), 0
    for i, one in enumerate(inputs):
        before = device.link
        outputs.append(model(one))
        after = device.link
        wire.append(after.bytes_out - before.bytes_out + after.bytes_in - before.bytes_in)
        instructions.append(model.profile().instructions)
        right += int(outputs[-1].argmax() == labels[i])
        progress.show(i + 1, right)
    return np.stack(outputs), np.array(instructions), np.array(wire)


def draw(folder, figures, memory, region, instructions, labels, classes):
    """memory.png, instructions.png, confusion.png."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    folder.mkdir(parents=True, exist_ok=True)

    figure, axes = plt.subplots(figsize=(7, 2.2), layout="constrained")
    left = 0
    for what, size in memory.items():
        axes.barh(0, size / 1024, left=left / 1024, label=f"{what} {size:,} B")
        left += size
    axes.set(yticks=[], xlabel=f"KiB of {region.bytes / 1024:,.0f}", title=f"{figures['model']} on {figures['device']}")
    axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.45), frameon=False)
    figure.savefig(folder / "memory.png", dpi=120, bbox_inches="tight")

    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    axes.boxplot([instructions[labels == digit] / 1e6 for digit in range(10)], tick_labels=range(10), whis=(0, 100))
    axes.set(xlabel="digit", ylabel="million instructions", title="A call, by class (whiskers: least and most)")
    figure.savefig(folder / "instructions.png", dpi=120, bbox_inches="tight")

    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, classes), 1)
    figure, axes = plt.subplots(figsize=(5.5, 5), layout="constrained")
    axes.imshow(np.log1p(confusion), cmap="Blues")
    for (true, given), count in np.ndenumerate(confusion):
        if count:
            axes.text(given, true, count, ha="center", va="center", fontsize=8, color="white" if true == given else "black")
    axes.set(xticks=range(10), yticks=range(10), xlabel="the device says", ylabel="it is",
             title=f"{figures['accuracy_percent']:.2f} % of {len(labels):,} images")
    figure.savefig(folder / "confusion.png", dpi=120, bbox_inches="tight")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="qemu:rv32imafc", help="as mote.Device takes it (default: %(default)s)")
    parser.add_argument("--model", required=True, help=".onnx or .tflite: a 28 x 28 image -> 10 scores")
    parser.add_argument("--data", required=True, help="folder of the test set")
    parser.add_argument("--count", type=int, default=10000, help="images of the test set")
    parser.add_argument("--optimize", default="speed", help="size, balanced or speed (default: %(default)s)")
    parser.add_argument("--plots", help="folder for memory.png, instructions.png and confusion.png (needs matplotlib)")
    parser.add_argument("--json", help="write the figures to this file")
    flags = parser.parse_args()

    data = pathlib.Path(flags.data).expanduser()
    model = mote.load(flags.model)
    images = read_idx(data / "t10k-images-idx3-ubyte.gz")[:flags.count]
    labels = read_idx(data / "t10k-labels-idx1-ubyte.gz")[:flags.count]
    inputs = model_input(images, model.inputs[0])
    expected = model.run(inputs, threads=0)
    with mote.Device(flags.device) as device:
        begun = time.monotonic()
        loaded = device.load(model, optimize=flags.optimize, check=(inputs[:2], expected[:2]))
        load_seconds = time.monotonic() - begun
        outputs, instructions, wire = classify(device, loaded, inputs, labels)
        seconds = time.monotonic() - begun - load_seconds
        link, region, info = device.link, device.heap()[0], device.info
    outputs = outputs.reshape(expected.shape)
    equal = int((outputs == expected).reshape(len(labels), -1).all(1).sum())
    classes = outputs.reshape(len(labels), -1).argmax(1)
    payload = model.inputs[0].nbytes + model.outputs[0].nbytes
    figures = {"device": f"{info.board} ({info.target})", "model": model.name, "images": len(labels),
               "equal_to_the_host": equal, "accuracy_percent": 100 * float((classes == labels).mean()),
               "instructions_least": int(instructions.min()), "instructions_mean": round(float(instructions.mean())),
               "instructions_most": int(instructions.max()), "wire_bytes_per_call": float(np.median(wire)),
               "payload_bytes_per_call": payload, "repeated_requests": link.repeated, "image_bytes": loaded.bytes,
               "sent_bytes": loaded.sent_bytes, "memory": loaded.memory, "load_seconds": round(load_seconds, 1),
               "seconds": round(seconds, 1), "images_per_second": round(len(labels) / seconds, 1)}
    print(f"{figures['device']}, {model.name}: {loaded.bytes:,} B on the device, of them " +
          ", ".join(f"{what} {size:,} B" for what, size in loaded.memory.items()))
    print(f"{equal:,} of {len(labels):,} outputs are the host's, byte for byte; {figures['accuracy_percent']:.2f} % right")
    print(f"{figures['instructions_mean']:,} instructions an image ({instructions.min():,} to {instructions.max():,})")
    print(f"{np.median(wire):.0f} B on the wire for a call, of them {payload} B input and output; {link.repeated} requests "
          "were repeated")
    print(f"{seconds:.0f} s, {len(labels) / seconds:.1f} images a second")
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(figures, indent=2) + "\n")
    if flags.plots:
        draw(pathlib.Path(flags.plots), figures, loaded.memory, region, instructions, labels, classes)
    return 0 if equal == len(labels) else 1


if __name__ == "__main__":
    sys.exit(main())
