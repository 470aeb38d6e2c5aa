# SPDX-License-Identifier: Apache-2.0
"""Functions of one value, element by element: on the device a table, or a clamp, of the 256 codes."""
from __future__ import annotations

import dataclasses
import functools
import pathlib
import tempfile
from typing import Any, Callable, Optional, Union

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from .._errors import MissingPackageError
from .._model import load

#: TensorFlow Lite's own scale, as a logarithm, and zero point of a function's values.
FIXED = {nn.Sigmoid: (-8, -128), nn.Tanh: (-7, 0)}

OPSET = 17


@dataclasses.dataclass(frozen=True)
class OnnxFunction:
    """An operator of ONNX with one input. `attributes`: pairs. `constants`: further inputs. `opset`: the first that has it."""

    op: str
    attributes: tuple[tuple[str, Union[float, str]], ...] = ()
    constants: tuple[float, ...] = ()
    opset: int = OPSET


def _constant(function: OnnxFunction) -> Callable[[nn.Module], OnnxFunction]:
    return lambda _: function


def _softplus(module: nn.Module) -> Optional[OnnxFunction]:
    return OnnxFunction("Softplus") if module.beta == 1 else None


#: By the module's type; None: its arguments are of a kind that ONNX lacks.
_ONNX: dict[type, Callable[[Any], Optional[OnnxFunction]]] = {
    nn.CELU: lambda module: OnnxFunction("Celu", (("alpha", module.alpha),)),
    nn.ELU: lambda module: OnnxFunction("Elu", (("alpha", module.alpha),)),
    nn.GELU: lambda module: OnnxFunction("Gelu", (("approximate", module.approximate),), opset=20),
    nn.Hardsigmoid: _constant(OnnxFunction("HardSigmoid", (("alpha", 1 / 6), ("beta", 0.5)))),
    nn.Hardswish: _constant(OnnxFunction("HardSwish")),
    nn.Hardtanh: lambda module: OnnxFunction("Clip", constants=(module.min_val, module.max_val)),
    nn.LeakyReLU: lambda module: OnnxFunction("LeakyRelu", (("alpha", module.negative_slope),)),
    nn.Mish: _constant(OnnxFunction("Mish", opset=18)),
    nn.ReLU: _constant(OnnxFunction("Relu")),
    nn.ReLU6: _constant(OnnxFunction("Clip", constants=(0.0, 6.0))),
    nn.SELU: _constant(OnnxFunction("Selu")),
    nn.SiLU: _constant(OnnxFunction("Swish", opset=24)),
    nn.Sigmoid: _constant(OnnxFunction("Sigmoid")),
    nn.Softplus: _softplus,
    nn.Softsign: _constant(OnnxFunction("Softsign")),
    nn.Tanh: _constant(OnnxFunction("Tanh")),
}

#: Functions by the module that does the same; their further arguments have the module's order.
_MODULES: dict[Any, type] = {
    F.celu: nn.CELU, F.elu: nn.ELU, F.gelu: nn.GELU, F.hardsigmoid: nn.Hardsigmoid, F.hardswish: nn.Hardswish,
    F.hardtanh: nn.Hardtanh, F.leaky_relu: nn.LeakyReLU, F.mish: nn.Mish, F.relu: nn.ReLU, torch.relu: nn.ReLU,
    F.relu6: nn.ReLU6, F.selu: nn.SELU, F.silu: nn.SiLU, torch.sigmoid: nn.Sigmoid, F.sigmoid: nn.Sigmoid,
    F.softplus: nn.Softplus, F.softsign: nn.Softsign, torch.tanh: nn.Tanh, F.tanh: nn.Tanh}
_METHODS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def function_module(node: fx.Node, module: Optional[nn.Module]) -> Optional[nn.Module]:
    """A module that computes what the node does, element by element; None: it is nothing of that kind."""
    if module is not None:
        return module if type(module) in _ONNX else None
    kind = (_METHODS if node.op == "call_method" else _MODULES).get(node.target)
    if kind is None:
        return None
    return kind(*node.args[1:], **{name: value for name, value in node.kwargs.items() if name != "input"})


def onnx_function(module: nn.Module) -> Optional[OnnxFunction]:
    """How ONNX names what `function_module` found; None: it lacks it."""
    return _ONNX[type(module)](module)


@functools.lru_cache(maxsize=256)
def codes_of(function: OnnxFunction, source: tuple[float, int], out: tuple[float, int]) -> torch.Tensor:
    """The device's codes for those from -128 to 127, int64 [256]; scale and zero point of both sides.

    The importer's and the kernel's own: a model of this one function is run.
    """
    try:
        from onnx import TensorProto, helper, numpy_helper, save
    except ImportError as problem:
        raise MissingPackageError("functions in mote.torch need the package onnx; install it with `pip install onnx`") from problem
    nodes, constants = [], []

    def named(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    quantisation = [[named(f"{side}_scale", np.float32(scale)), named(f"{side}_zero", np.int8(zero))]
                    for side, (scale, zero) in (("in", source), ("out", out))]
    limits = [named(f"limit{i}", np.float32(value)) for i, value in enumerate(function.constants)]
    nodes = [helper.make_node("DequantizeLinear", ["codes", *quantisation[0]], ["x"]),
             helper.make_node(function.op, ["x", *limits], ["y"], **dict(function.attributes)),
             helper.make_node("QuantizeLinear", ["y", *quantisation[1]], ["result"])]
    values = [helper.make_tensor_value_info(name, TensorProto.INT8, [1, 256]) for name in ("codes", "result")]
    model = helper.make_model(helper.make_graph(nodes, "function", values[:1], values[1:], constants), ir_version=8,
                              opset_imports=[helper.make_opsetid("", function.opset)])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "function.onnx"
        save(model, str(path))
        codes = load(path).run(np.arange(-128, 128, dtype=np.int8)[None])
    return torch.from_numpy(codes.reshape(256).astype(np.int64))
