#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whole networks with ONNX Runtime: float, and quantised by it in every way that it offers.

models.py MOTE [--save FOLDER]

A float output may differ by 1e-4 of its range, also where activations are quantised while the model runs. Quantised outputs are compared in steps of the output's scale, over
32 random inputs; the table says how often they are equal, and how far apart they are at most. Exit status 1 when a
float model differs, or a quantised one by more than its network's budget in BUDGET.
"""
import argparse
import itertools
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import mote
import networks

CASES = 32
BUDGET = 3  # steps: one of each layer's differences may grow on its way through a network


class Samples(CalibrationDataReader):
    def __init__(self, shape, seed):
        random = np.random.default_rng(seed)
        self.arrays = [random.standard_normal(shape).astype(np.float32) for _ in range(CASES)]
        self.left = iter(self.arrays)

    def get_next(self):
        array = next(self.left, None)
        return None if array is None else {"input": array}


def session(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def pairs(program, path, arrays):
    """Mote's and ONNX Runtime's output for each input."""
    reference = session(path)
    for array in arrays:
        yield next(iter(mote.run(program, path, [("input", array)]).values())), reference.run(None, {"input": array})[0]


def check_float(program, path, arrays):
    worst = max(np.abs(got - expected).max() / max(np.ptp(expected), 1e-6)
                for got, expected in pairs(program, path, arrays[:4]))
    kind = "dynamic" if "_dynamic_" in path.stem else "float"
    print(f"{path.stem:44} {kind}: largest difference {worst:.1e} of the range")
    return worst <= 1e-4


def output_step(path):
    """The scale that the output was quantised with: that of the last DequantizeLinear."""
    graph = onnx.load(path).graph
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    last = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.output[0] == graph.output[0].name]
    return float(constants[last[0].input[1]]) if last else None


def check_quantised(program, path, arrays, budget=BUDGET):
    step = output_step(path)
    steps = np.concatenate([np.abs(got - expected).ravel() / (step or 1.0)
                            for got, expected in pairs(program, path, arrays)])
    equal = (steps < 0.5).mean() if step else (steps < 1e-3).mean()
    print(f"{path.stem:44} equal {100 * equal:5.1f} %, largest difference {steps.max():.2f} "
          f"{'steps' if step else '(the output is not quantised)'}")
    return steps.max() <= budget + 0.01


def quantised_models(path, shape, folder):
    prepared = folder / f"{path.stem}_prepared.onnx"
    quant_pre_process(str(path), str(prepared))
    kinds = itertools.product((QuantFormat.QDQ, QuantFormat.QOperator), (QuantType.QInt8, QuantType.QUInt8), (False, True))
    for form, activations, per_channel in kinds:
        out = folder / f"{path.stem}_{form.name}_{activations.name}_{'channel' if per_channel else 'tensor'}.onnx"
        quantize_static(str(prepared), str(out), Samples(shape, 1), quant_format=form, per_channel=per_channel,
                        activation_type=activations, weight_type=QuantType.QInt8)
        yield out


def dynamic_models(path, folder):
    """Weights of 8 bits, activations quantised by their range at run time; ONNX Runtime has no ConvInteger of int8 and
    an LSTM of its own, which Mote refuses."""
    for per_channel in (False, True):
        out = folder / f"{path.stem}_dynamic_{'channel' if per_channel else 'tensor'}.onnx"
        quantize_dynamic(str(folder / f"{path.stem}_prepared.onnx"), str(out), per_channel=per_channel,
                         weight_type=QuantType.QUInt8, op_types_to_quantize=["MatMul", "Gemm", "Conv"])
        yield out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/mote")
    parser.add_argument("--save", help="keep the models in this folder")
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.save or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for make in networks.ALL:
            model = make()
            path = folder / f"{model.graph.name}.onnx"
            onnx.save(model, path)
            shape = [extent.dim_value or 1 for extent in model.graph.input[0].type.tensor_type.shape.dim]
            arrays = Samples(shape, 2).arrays
            checks = [(check_float, path)] + [(check_quantised, one) for one in quantised_models(path, shape, folder)]
            checks += [(check_float, one) for one in dynamic_models(path, folder)]
            for check, one in checks:
                try:
                    wrong += not check(arguments.program, one, arrays)
                except mote.Refused as problem:
                    wrong += 1
                    print(f"{one.stem:44} REFUSED {str(problem).split('supported operators')[0][-600:]}")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
