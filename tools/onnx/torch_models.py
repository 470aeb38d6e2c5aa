#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares networks that PyTorch's two exporters write, at several opsets, with ONNX Runtime; then some of them quantised.

torch_models.py MOTE [--filter PATTERN] [--save FOLDER]

Exit status 1 when a float model is refused or differs by more than 1e-4 of its range, or a quantised one by more than
BUDGET steps.
"""
import argparse
import contextlib
import fnmatch
import io
import logging
import os
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import onnx
import torch

import models
import mote
import torch_networks

EXPORTS = [("script", 13), ("script", 17), ("script", 20), ("dynamo", 18), ("dynamo", 21)]
QUANTISED = ["residual", "mobile_v3", "segmentation", "nearest", "shuffle", "keywords_1d", "perceptron"]
BUDGET = 4  # steps of the output


def make_inputs(shape, seed):
    random = np.random.default_rng(seed)
    if shape == "tokens":
        return [random.integers(0, 20, (1, 6))]
    shapes = shape if isinstance(shape, list) else [shape]
    return [random.standard_normal(one).astype(np.float32) for one in shapes]


def export(module, inputs, exporter, opset, path):
    arguments = tuple(torch.from_numpy(array) for array in inputs)
    names = ["input", "h", "c"][:len(inputs)]
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if exporter == "script":
            torch.onnx.export(module, arguments, str(path), opset_version=opset, input_names=names, dynamo=False,
                              dynamic_axes={"input": {0: "batch"}} if len(inputs) == 1 and inputs[0].shape[0] == 1 else None)
        else:
            torch.onnx.export(module, arguments, str(path), opset_version=opset, input_names=names, dynamo=True,
                              external_data=False, verbose=False)


def difference(program, path, inputs):
    """The largest difference of an output, relative to its range."""
    names = [one.name for one in onnx.load(path).graph.input]
    session = models.session(path)
    expected = session.run(None, dict(zip(names, inputs)))
    got = mote.run(program, path, list(zip(names, inputs)))
    worst = 0.0
    for output, array in zip(session.get_outputs(), expected):
        mine = got[output.name]
        if mine.shape != array.shape:
            raise mote.Refused(f"{output.name} has the shape {mine.shape}, expected {array.shape}")
        worst = max(worst, float(np.abs(mine - array).max() / max(np.ptp(array), 1e-6)))
    return worst


def check_float(program, path, inputs):
    worst = difference(program, path, inputs)
    print(f"{path.stem:44} float: largest difference {worst:.1e} of the range")
    return worst <= 1e-4


def reason(problem):
    return " ".join(str(problem).split("supported operators")[0].split("model.onnx: ", 1)[-1].split())[-400:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/mote")
    parser.add_argument("--filter", default="*", help="export the networks that match")
    parser.add_argument("--save", help="keep the models in this folder")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.save or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, make, shape in torch_networks.ALL:
            if not fnmatch.fnmatch(name, arguments.filter):
                continue
            torch.manual_seed(1)
            module = make().eval()
            for part in module.modules():  # as if it had been trained
                if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
                    torch.nn.init.uniform_(part.running_mean, -0.3, 0.3)
                    torch.nn.init.uniform_(part.running_var, 0.5, 2.0)
            inputs = make_inputs(shape, 2)
            for exporter, opset in EXPORTS:
                path = folder / f"{name}_{exporter}_{opset}.onnx"
                try:
                    export(module, inputs, exporter, opset, path)
                except Exception as problem:  # the exporter's own limits
                    print(f"{path.stem:44} not exported: {type(problem).__name__} {str(problem).splitlines()[0][:150]}")
                    continue
                try:
                    wrong += not check_float(arguments.program, path, inputs)
                except mote.Refused as problem:
                    wrong += 1
                    print(f"{path.stem:44} REFUSED {reason(problem)}")
            path = folder / f"{name}_script_17.onnx"
            if name in QUANTISED and path.exists():
                wrong += check_quantised(arguments.program, path, shape, folder)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def check_quantised(program, path, shape, folder):
    wrong = 0
    arrays = models.Samples(shape, 2).arrays[:8]
    for quantised in models.quantised_models(path, shape, folder):
        try:
            wrong += not models.check_quantised(program, quantised, arrays, BUDGET)
        except mote.Refused as problem:
            wrong += 1
            print(f"{quantised.stem:44} REFUSED {reason(problem)}")
    return wrong


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
