#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the node tests that the onnx package ships through Mote and compares with their expected outputs.

node_suite.py MOTE [--filter PATTERN] [--verbose]
node_suite.py --save FOLDER  writes the models as they are given to Mote, as seeds for fuzzing

A case that stands in optout.txt is expected to fail; one that fails without standing there, or stands there and
passes, makes the exit status 1. Inputs that an operator of Mote needs as constants become initialisers first.
"""
import argparse
import collections
import fnmatch
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

import mote

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"

# Inputs that Mote needs to know while compiling, by operator; -1: all but the first.
CONSTANT_INPUTS = {
    "BatchNormalization": [-1], "CenterCropPad": [1], "Clip": [-1], "Conv": [-1], "ConvTranspose": [-1],
    "ConstantOfShape": [0], "CumSum": [1], "DequantizeLinear": [-1], "Dropout": [-1], "Expand": [1], "Gather": [1], "Gemm": [1],
    "GroupNormalization": [-1], "InstanceNormalization": [-1], "OneHot": [-1], "Pad": [-1], "QLinearConv": [1, 2, 3, 4, 5, 6, 7, 8],
    "QLinearMatMul": [1, 2, 3, 4, 5, 6, 7], "QuantizeLinear": [-1], "Range": [0, 1, 2],
    "ReduceL1": [1], "ReduceL2": [1], "ReduceLogSum": [1], "ReduceLogSumExp": [1], "ReduceMax": [1],
    "ReduceMean": [1], "ReduceMin": [1], "ReduceProd": [1], "ReduceSum": [1], "ReduceSumSquare": [1],
    "ConvInteger": [-1], "MatMulInteger": [-1], "Reshape": [1], "Resize": [-1], "Slice": [-1], "Split": [1], "Squeeze": [1], "Tile": [1], "TopK": [1],
    "Trilu": [1], "Unsqueeze": [1], "Upsample": [1], "LSTM": [1, 2, 3, 4, 5, 6, 7], "GRU": [1, 2, 3, 4, 5], "RNN": [1, 2, 3, 4, 5],
}


def read_optout():
    """Pairs of pattern and reason, in the file's order."""
    lines = (line.split("#", 1)[0].strip() for line in (HERE / "optout.txt").read_text().splitlines())
    return [tuple(line.split(None, 1)) for line in lines if line]


def constant_names(graph):
    names = set()
    for node in graph.node:
        places = CONSTANT_INPUTS.get(node.op_type, [])
        if places == [-1]:
            places = range(1, len(node.input))
        names |= {node.input[place] for place in places if place < len(node.input)}
    return names


def read_tensors(folder, kind, count):
    tensors = []
    for index in range(count):
        message = onnx.TensorProto()
        message.ParseFromString((folder / f"{kind}_{index}.pb").read_bytes())
        tensors.append(message)
    return tensors


def prepare(folder):
    """The model with what must be constant made so, the other inputs, and the expected outputs."""
    model = onnx.load(folder / "model.onnx")
    for opset in model.opset_import:  # the cases state the opset in which their operator changed last
        if opset.domain in ("", "ai.onnx"):
            opset.version = max(opset.version, 13)
    graph = model.graph
    data = folder / "test_data_set_0"
    tensors = read_tensors(data, "input", len(graph.input))
    wanted = constant_names(graph)
    inputs, kept = [], []
    for info, tensor in zip(list(graph.input), tensors):
        if info.name in wanted:
            tensor.name = info.name
            graph.initializer.append(tensor)
        else:
            kept.append(info)
            inputs.append((info.name, numpy_helper.to_array(tensor)))
    del graph.input[:]
    graph.input.extend(kept)
    expected = [(info.name, numpy_helper.to_array(tensor))
                for info, tensor in zip(graph.output, read_tensors(data, "output", len(graph.output)))]
    return model, inputs, expected


def difference(name, got, expected):
    """Empty when they agree: floats as ONNX's own runner demands, quantised 8-bit values within one step."""
    if got.dtype != expected.dtype or got.shape != expected.shape:
        return f"{name}: {got.dtype}{list(got.shape)}, expected {expected.dtype}{list(expected.shape)}"
    if got.dtype.kind == "f":
        near = np.isclose(got, expected, rtol=1e-3, atol=1e-6, equal_nan=True)
    elif got.dtype.itemsize == 1 and got.dtype.kind != "b":
        near = np.abs(got.astype(np.int32) - expected.astype(np.int32)) <= 1
    else:
        near = got == expected
    if near.all():
        return ""
    at = np.argwhere(~near)[0] if got.ndim else ()
    return f"{name}: {(~near).sum()} of {near.size} differ, first at {list(at)}: {got[tuple(at)]}, expected {expected[tuple(at)]}"


def check(program, folder):
    """Empty when the case passes, else why not."""
    try:
        model, inputs, expected = prepare(folder)
        with tempfile.TemporaryDirectory() as temporary:
            path = pathlib.Path(temporary) / "model.onnx"
            onnx.save(model, path)
            got = mote.run(program, path, inputs)
    except mote.Refused as problem:
        text = str(problem).split("\nsupported operators")[0].split("model.onnx: ", 1)[-1]
        return " ".join(text.split())
    except Exception as problem:  # the case cannot be prepared (sequences, strings): a reason like any other
        return f"{type(problem).__name__}: {problem}"
    problems = [difference(name, got[name], array) for name, array in expected if name in got]
    missing = [name for name, _ in expected if name not in got]
    return "; ".join([text for text in problems if text] + [f"{name} is missing" for name in missing])


def save(target):
    """The models of all cases that are in scope; those with sequences and the like cannot be prepared."""
    target.mkdir(parents=True, exist_ok=True)
    out_of_scope = [pattern for pattern, reason in read_optout() if reason.startswith("out of scope")]
    for folder in sorted(DATA.iterdir()):
        name = folder.name.removeprefix("test_")
        if not any(fnmatch.fnmatch(name, pattern) for pattern in out_of_scope):
            onnx.save(prepare(folder)[0], target / f"{name}.onnx")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/mote", help="build/mote")
    parser.add_argument("--save", type=pathlib.Path, metavar="FOLDER", help="write the models there, run nothing")
    parser.add_argument("--filter", default="*", help="run the cases that match")
    parser.add_argument("--verbose", action="store_true", help="say why the cases of the opt-out list fail")
    arguments = parser.parse_args()
    if arguments.save:
        save(arguments.save)
        return 0
    optout = read_optout()
    reasons, wrong, passed, used = collections.Counter(), 0, 0, set()
    for folder in sorted(DATA.iterdir()):
        name = folder.name.removeprefix("test_")
        if not fnmatch.fnmatch(name, arguments.filter):
            continue
        entry = next((one for one in optout if fnmatch.fnmatch(name, one[0])), None)
        if entry is not None and entry[1].startswith("out of scope"):
            reasons[entry[1]] += 1
            used.add(entry)
            continue
        problem = check(arguments.program, folder)
        if entry is not None:
            used.add(entry)
            reasons[entry[1]] += 1
            if not problem:
                wrong += 1
                print(f"STALE   {name}: passes, but stands in the opt-out list: {entry[0]}")
            elif arguments.verbose:
                print(f"optout  {name}: {problem}")
        elif problem:
            wrong += 1
            print(f"FAIL    {name}: {problem}")
        else:
            passed += 1
    if arguments.filter == "*":
        for pattern, _ in [one for one in optout if one not in used]:
            wrong += 1
            print(f"STALE   no case needs the opt-out line {pattern}")
    print(f"{passed} pass, {wrong} wrong, {sum(reasons.values())} in the opt-out list:")
    for reason, count in reasons.most_common():
        print(f"  {count:5} {reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
