# SPDX-License-Identifier: Apache-2.0
"""A quantised network as an ONNX file of integers, and as a Model."""
from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any, Optional, Union

import numpy as np
import torch

from .._errors import MissingPackageError
from .._model import Model, load
from .._mote import Error
from ._network import Network
from ._quantiser import ActivationQuantiser
from ._functions import OPSET
from ._steps import Add, AveragePool, Concatenate, Function, Input, Mean, Moved, Multiply, Step, Weighted


def convert(network: Network, *, every_layer: bool = False, name: str = "network") -> Model:
    """The compiled integers of a calibrated network, for one input at a time.

    `every_layer`: all quantised values are outputs, in the order of `network.layers` without the input. `name`: of the
    generated code. Raises mote.Error where a layer's sums may leave 32 bits.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"{name}.onnx"
        export_onnx(network, path, every_layer=every_layer)
        return load(path)


def export_onnx(network: Network, path: Union[str, os.PathLike], *, every_layer: bool = False) -> None:
    """Writes the network as ONNX with QuantizeLinear and DequantizeLinear, int8 input and outputs, batch of 1."""
    try:
        import onnx  # noqa: F401
    except ImportError as problem:
        raise MissingPackageError("mote.torch.convert needs the package onnx; install it with `pip install onnx`") from problem
    if network.phase != "quantised":
        raise Error("the network is not quantised; run mote.torch.calibrate first")
    with torch.no_grad():
        onnx.save(_Writer(network).model(every_layer), os.fspath(path))


class _Writer:
    def __init__(self, network: Network):
        import onnx

        self.onnx, self.helper = onnx, onnx.helper
        self.network = network
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def model(self, every_layer: bool) -> Any:
        problems = []
        for step in self.network.steps:
            problem = self.write(step)
            problems += [problem] if problem else []
        if problems:
            raise Error("the network cannot be converted:\n" + "\n".join(problems))
        shape = [1, *self.network.example_shape[1:]]
        names = self.network.layers[1:] if every_layer else [self.network.output]
        info = self.helper.make_tensor_value_info
        graph = self.helper.make_graph(self.nodes, "network", [info("input", self.onnx.TensorProto.INT8, shape)],
                                       [info(one, self.onnx.TensorProto.INT8, None) for one in names], self.constants)
        opset = max([OPSET, *(step.function.opset for step in self.network.steps if isinstance(step, Function))])
        return self.helper.make_model(graph, opset_imports=[self.helper.make_opsetid("", opset)], ir_version=8)

    def write(self, step: Step) -> Optional[str]:
        """Adds the nodes of one layer; returns what keeps it from being written."""
        if isinstance(step, Input):
            return None
        if isinstance(step, Weighted):
            return self.weighted(step)
        if isinstance(step, (Add, Multiply)):
            self.node("Add" if isinstance(step, Add) else "Mul", [self.real(one, quantiser) for one, quantiser in zip(step.inputs, (step.a, step.b))],
                      f"{step.name}_real")
            self.finish(step)
        elif isinstance(step, Concatenate):
            self.node("Concat", [self.real(*pair) for pair in zip(step.inputs, step.quantisers)], f"{step.name}_real",
                      axis=step.axis)
            self.quantise(f"{step.name}_real", step.name, step.out)
        elif isinstance(step, Function):
            limits = [self.constant(f"{step.name}_limit{i}", np.float32(value))
                      for i, value in enumerate(step.function.constants)]
            self.node(step.function.op, [self.real(step.inputs[0], step.source_quantiser), *limits], f"{step.name}_real",
                      **dict(step.function.attributes))
            self.quantise(f"{step.name}_real", step.name, step.out)
        elif isinstance(step, AveragePool):
            self.node("AveragePool", [self.real(step.inputs[0], step.out)], f"{step.name}_real", kernel_shape=step.kernel,
                      strides=step.stride)
            self.quantise(f"{step.name}_real", step.name, step.out)
        elif isinstance(step, Mean):
            self.node("GlobalAveragePool", [self.real(step.inputs[0], step.source_quantiser)], f"{step.name}_real")
            self.quantise(f"{step.name}_real", step.name, step.out)
        elif isinstance(step, Moved) and step.kind == "max_pool":
            options = step.options
            self.node("MaxPool", [step.inputs[0]], step.name, kernel_shape=options["kernel"], strides=options["stride"],
                      pads=[*options["padding"], *options["padding"]])
        elif isinstance(step, Moved) and step.kind == "repeat":
            scales = self.constant(f"{step.name}_scales", np.array([1, 1, *step.options["factors"]], np.float32))
            self.node("Resize", [step.inputs[0], "", scales], step.name, mode="nearest", nearest_mode="floor",
                      coordinate_transformation_mode="asymmetric")
        else:
            self.node("Flatten", [step.inputs[0]], step.name, axis=1)
        return None

    def weighted(self, step: Weighted) -> Optional[str]:
        weights, bias, scales = step.parameters_as_integers()
        bound = step.sum_bound(weights, bias)
        if bound >= 2**31:
            return f"  layer '{step.name}' has sums of up to {bound:.3g}, which leave 32 bits; its bias may be too large"
        source = np.float32(step.source_quantiser.scale.item())
        scale = scales.detach().numpy().astype(np.float32)
        weights = weights.transpose(0, 1) if step.transposed else weights
        inputs = [self.real(step.inputs[0], step.source_quantiser)]
        for kind, values, of in (("weights", weights.detach().numpy().astype(np.int8), scale),
                                 ("bias", bias.detach().numpy().astype(np.int32), scale * source)):
            axis = 1 if step.transposed and kind == "weights" else 0
            per_channel = {"axis": axis} if scale.size > 1 else {}
            zeros = np.zeros(of.shape if per_channel else (), values.dtype)
            stored = self.constant(f"{step.name}_{kind}_integers", values)
            self.node("DequantizeLinear", [stored, self.constant(f"{step.name}_{kind}_scale", of if per_channel else of[0]),
                                           self.constant(f"{step.name}_{kind}_zero", zeros)], f"{step.name}_{kind}", **per_channel)
            inputs.append(f"{step.name}_{kind}")
        layer = step.layer
        if isinstance(layer, torch.nn.Linear):
            self.node("Gemm", inputs, f"{step.name}_real", transB=1)
        elif step.transposed:
            self.node("ConvTranspose", inputs, f"{step.name}_real", kernel_shape=layer.kernel_size, strides=layer.stride,
                      pads=[*layer.padding, *layer.padding], output_padding=layer.output_padding, dilations=layer.dilation)
        else:
            self.node("Conv", inputs, f"{step.name}_real", kernel_shape=layer.kernel_size, strides=layer.stride,
                      pads=_pads(layer), dilations=layer.dilation, group=layer.groups)
        self.finish(step)
        return None

    def finish(self, step: Step) -> None:
        """The fused activation and the output's integers."""
        real = f"{step.name}_real"
        if step.out.lowest_zero:
            clamped = f"{step.name}_clamped"
            if step.out.most < np.inf:
                self.node("Clip", [real, self.constant(f"{step.name}_low", np.float32(0)),
                                   self.constant(f"{step.name}_high", np.float32(step.out.most))], clamped)
            else:
                self.node("Relu", [real], clamped)
            real = clamped
        self.quantise(real, step.name, step.out)

    def quantise(self, real: str, name: str, quantiser: ActivationQuantiser) -> None:
        self.node("QuantizeLinear", [real, *self.numbers(quantiser, name)], name)

    def real(self, name: str, quantiser: ActivationQuantiser) -> str:
        """The real numbers of a value's integers; its consumers share them."""
        if not any(node.output[0] == f"{name}_dequantised" for node in self.nodes):
            self.node("DequantizeLinear", [name, *self.numbers(quantiser, f"{name}_again")], f"{name}_dequantised")
        return f"{name}_dequantised"

    def numbers(self, quantiser: ActivationQuantiser, name: str) -> list[str]:
        return [self.constant(f"{name}_scale", np.float32(quantiser.scale.item())),
                self.constant(f"{name}_zero", np.int8(int(quantiser.zero)))]

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **options: Any) -> None:
        self.nodes.append(self.helper.make_node(kind, inputs, [output], name=output, **options))


def _pads(layer: torch.nn.Module) -> list[int]:
    """ONNX's: in front of all dimensions, then behind them."""
    if not isinstance(layer.padding, str):
        return [*layer.padding, *layer.padding]
    if layer.padding == "valid":
        return [0] * (2 * len(layer.kernel_size))
    sums = [dilation * (kernel - 1) for dilation, kernel in zip(layer.dilation, layer.kernel_size)]
    return [total // 2 for total in sums] + [total - total // 2 for total in sums]
