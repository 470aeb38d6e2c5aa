#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data: small .onnx models, one input each as Mote takes it (channels last), and ONNX Runtime's output.

test_data.py FOLDER
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx

import models
import mote
import networks

# Networks, and the kinds of quantised models of each that the tests run.
KEPT = {
    "residual": ["QDQ_QInt8_channel", "QOperator_QUInt8_tensor"],
    "depthwise": ["QDQ_QUInt8_channel"],
    "flattened": ["QOperator_QInt8_channel", "dynamic_channel"],
    "branches": ["QDQ_QUInt8_tensor"],
    "recurrent": [],
}


def write(path, source, array):
    """The model, its input and what ONNX Runtime computes from it."""
    (path.parent / f"{path.name}.onnx").write_bytes(source.read_bytes())
    output = models.session(source).run(None, {"input": array})[0]
    np.save(f"{path}_in.npy", np.ascontiguousarray(mote.channels_last(array) if array.ndim == 4 else array))
    np.save(f"{path}_out.npy", output)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for make in networks.ALL:
            model = make()
            source = pathlib.Path(temporary) / f"{model.graph.name}.onnx"
            if source.stem not in KEPT:
                continue
            onnx.save(model, source)
            shape = [extent.dim_value or 1 for extent in model.graph.input[0].type.tensor_type.shape.dim]
            array = models.Samples(shape, 3).arrays[0]
            write(folder / source.stem, source, array)
            kinds = [*models.quantised_models(source, shape, pathlib.Path(temporary)),
                     *models.dynamic_models(source, pathlib.Path(temporary))]
            for quantised in kinds:
                if quantised.stem.removeprefix(f"{source.stem}_") in KEPT[source.stem]:
                    write(folder / quantised.stem, quantised, array)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]))
