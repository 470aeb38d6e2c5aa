#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's keyword model, quantised by `mote.quantize` with several options: how many of its test set's 1,000
recordings each gets right. Ranges come from the inputs of every fifth recording, without labels; the second
column counts only the 800 recordings that no range has seen.

    python examples/quantize/keywords.py --float kws_ref_model_float32.tflite --int8 kws_ref_model.tflite --data kws01

Both models are of github.com/mlcommons/tiny (benchmark/training/keyword_spotting/trained_models), the recordings of
github.com/eembc/energyrunner (kws01: .bin files of 49x10 int8, y_labels.csv). They are inputs of the int8 model, which
says what real numbers they stand for.
"""
import argparse
import csv
import json
import pathlib

import numpy as np

import mote

EVERY = 5
OPTIONS = {
    "int8": {},
    "int8, --range percentile": {"range": "percentile"},
    "int8, --range mse": {"range": "mse"},
    "int8, --correct-bias": {"correct_bias": True},
    "int8, --rounding calibrated": {"rounding": "calibrated"},
    "int8 weights, int16 activations": {"activations": "int16"},
    "4-bit weights": {"weights": ["4bit:*"]},
    "4-bit weights, --rounding nearest": {"weights": ["4bit:*"], "rounding": "nearest"},
    "4-bit weights, --rounding nearest --correct-bias": {"weights": ["4bit:*"], "rounding": "nearest", "correct_bias": True},
    "4-bit weights but in depthwise and dense layers": {"weights": ["4bit:CONV_2D*"]},
    "ternary weights": {"weights": ["ternary:*"]},
    "ternary weights, --rounding nearest --correct-bias": {"weights": ["ternary:*"], "rounding": "nearest",
                                                           "correct_bias": True},
}


def recordings(folder):
    """int8 [N, 49, 10, 1] and the classes [N]."""
    folder = pathlib.Path(folder)
    with open(folder / "y_labels.csv", newline="") as file:
        rows = list(csv.reader(file))
    codes = np.stack([np.fromfile(folder / row[0], np.int8).reshape(49, 10, 1) for row in rows])
    return codes, np.array([int(row[2]) for row in rows])


def right(model, x, labels):
    """Which recordings the model gets right; the first of equal outputs counts."""
    return model.run(x, threads=0, dequantize=True).reshape(len(x), -1).argmax(1) == labels


def figures(float_model, int8_model, folder):
    """{model: (right of all, right of those that no range has seen, bytes of weights in flash)}, and the two totals."""
    codes, labels = recordings(folder)
    source = int8_model.inputs[0]
    reals = (codes.astype(np.float32) - source.zero_point) * np.float32(source.scale)
    ranges = np.arange(len(labels)) % EVERY == 0
    rows = {"float, in real arithmetic": None}

    def add(name, model, answers):
        weights = model.compile("rv32imac", "size", build=False).sizes.weights
        rows[name] = int(answers.sum()), int(answers[~ranges].sum()), weights

    add("float, as the file computes", float_model, right(float_model, reals, labels))
    add("MLPerf's own int8", int8_model, right(int8_model, codes, labels))
    for name, options in OPTIONS.items():
        made = mote.quantize(float_model, reals[ranges], evaluate=reals, labels=labels, **options)
        add(name, made.model, right(made.model, reals, labels))
        rows["float, in real arithmetic"] = made.accuracy.float.right, None, None
    return rows, len(labels), int((~ranges).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--float", required=True, help="the float model, .tflite")
    parser.add_argument("--int8", required=True, help="MLPerf's int8 model, .tflite")
    parser.add_argument("--data", required=True, help="the folder of kws01")
    parser.add_argument("--json", help="write the figures to this file")
    flags = parser.parse_args()
    rows, count, unseen = figures(mote.load(flags.float), mote.load(flags.int8), flags.data)
    print(f"{'':64} right of {count:,}    of {unseen:,}  weights")
    for name, (right_of_all, right_of_unseen, weights) in rows.items():
        rest = "" if weights is None else f"{100 * right_of_unseen / unseen:8.2f} % {weights:8,} B"
        print(f"{name:64} {100 * right_of_all / count:12.2f} % {rest}")
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
