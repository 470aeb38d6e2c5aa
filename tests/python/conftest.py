# SPDX-License-Identifier: Apache-2.0
"""What the tests share: the program, models that the project makes itself, and those beside it where they are."""
import os
import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def program():
    """The path of the program `mote`, whose texts the package must have, too."""
    return os.environ.get("MOTE_PROGRAM", str(ROOT / "build" / "mote"))


@pytest.fixture(scope="session")
def digits_path():
    return DIGITS / "digits.tflite"


@pytest.fixture(scope="session")
def images():
    """360 images, int8 [360, 8, 8, 1]."""
    return np.fromfile(DIGITS / "test_images.bin", np.int8).reshape(360, 8, 8, 1)


@pytest.fixture(scope="session")
def probabilities():
    """What tools/int8_reference.py computed for them, int8 [360, 10]."""
    return np.fromfile(DIGITS / "test_outputs.bin", np.int8).reshape(360, 10)


@pytest.fixture(scope="session")
def shared():
    """The folder of well-known models, which is not part of the project."""
    if not (SHARED / "models").is_dir():
        pytest.skip("no models in ../shared/models")
    return SHARED


@pytest.fixture
def write_onnx(tmp_path):
    """write_onnx(name, nodes, inputs, outputs, constants) -> path. Types are (name, shape); all numbers are float32."""
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")

    def write(name, nodes, inputs, outputs, constants):
        def values(pairs):
            return [onnx.helper.make_tensor_value_info(one, onnx.TensorProto.FLOAT, shape) for one, shape in pairs]

        graph = onnx.helper.make_graph([onnx.helper.make_node(*node) for node in nodes], name, values(inputs), values(outputs),
                                       [onnx.numpy_helper.from_array(array, key) for key, array in constants.items()])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / f"{name}.onnx"
        onnx.save(model, str(path))
        return path

    return write
