# SPDX-License-Identifier: Apache-2.0
"""From a trained module to a network that can be calibrated and trained with quantisation."""
from __future__ import annotations

import copy
import math
import operator
import pathlib
import re
from collections.abc import Iterable
from typing import Any, Callable, Optional

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from .._errors import DTypeError, ShapeError
from .._mote import Error
from ._functions import FIXED, function_module, onnx_function
from ._network import Network
from ._quantiser import ActivationQuantiser, FixedQuantiser, WeightQuantiser
from ._scheme import Scheme
from ._steps import Add, AveragePool, Concatenate, Function, Input, Mean, Moved, Multiply, Step, Weighted


def prepare(module: nn.Module, example: Tensor, scheme: Optional[Scheme] = None) -> Network:
    """A copy of `module` as a Network in the phase "float": batch normalisation folded, activations fused.

    `example`: one input batch, float32 [N, C, H, W], [N, C, L] or [N, features]; what follows from its shape is fixed. `scheme`:
    absent, Scheme(). The module itself stays as it is. Raises mote.Error that lists everything that is not supported,
    with its line.
    """
    copied = copy.deepcopy(module).eval()
    tracer = fx.Tracer()
    tracer.record_stack_traces = True
    traced = fx.GraphModule(copied, tracer.trace(copied))
    fold_batch_norm(traced)
    ShapeProp(traced).propagate(example)
    return _Builder(traced, scheme or Scheme()).build(example)


def calibrate(network: Network, batches: Iterable[Any], observe_only: bool = False) -> None:
    """Observes ranges on `batches` of inputs (or of tuples that begin with them), fixes scales and zero points.

    The network is then in the phase "quantised", unless `observe_only`. Raises ValueError for values that are not
    finite and for no batches.
    """
    training = network.training
    network.eval()
    network.phase = "calibrate"
    count = 0
    try:
        with torch.no_grad():
            for batch in batches:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                if tuple(x.shape[1:]) != network.example_shape[1:]:
                    raise ShapeError(f"batch {count} has shape {tuple(x.shape)}, the network takes "
                                     f"{('N', *network.example_shape[1:])}")
                if not x.dtype.is_floating_point:
                    raise DTypeError(f"batch {count} has dtype {x.dtype}; give real numbers")
                network(x)
                count += 1
    finally:
        network.phase = "float"
        network.train(training)
    if count == 0:
        raise ShapeError("there are no batches to calibrate with")
    if observe_only:
        return
    for step in network.steps:
        step.out.freeze()
    for step in network.weighted():
        step.weights.refit(step.weight)
    network.phase = "quantised"


def fold_batch_norm(traced: fx.GraphModule) -> None:
    """Folds batch normalisation into the convolution or linear layer in front of it, its only user."""
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        norm = modules.get(node.target) if node.op == "call_module" else None
        if not isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
            continue
        source = node.args[0]
        layer = modules.get(source.target) if source.op == "call_module" else None
        if len(source.users) != 1 or not isinstance(layer, _WEIGHTED):
            continue
        if isinstance(layer, nn.Linear):
            fused = fuse_linear_bn_eval(layer, norm)
        else:
            fused = fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, _TRANSPOSED))
        traced.set_submodule(source.target, fused)
        node.replace_all_uses_with(source)
        traced.graph.erase_node(node)
        modules = dict(traced.named_modules())
    traced.recompile()


_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)
_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Linear, *_TRANSPOSED)
_ADDITIONS = (operator.add, operator.iadd, torch.add)
_PRODUCTS = (operator.mul, operator.imul, torch.mul, torch.multiply)
_FLATTENING = (torch.flatten, torch.squeeze)
_DROPOUT = (F.dropout, F.dropout1d, F.dropout2d, torch.dropout)
_DROPOUT_MODULES = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)
_CONCATENATING = (torch.cat, torch.concat, torch.concatenate)
_MAXIMA = (F.max_pool1d, F.max_pool2d, torch.max_pool1d, torch.max_pool2d)
_MAXIMA_MODULES = (nn.MaxPool1d, nn.MaxPool2d)


def _is_method(node: fx.Node, *names: str) -> bool:
    return node.op == "call_method" and node.target in names


def _each(value: Any, dimensions: int) -> tuple[int, ...]:
    """One number for each dimension, of one number or of several."""
    return (value,) * dimensions if isinstance(value, int) else tuple(int(one) for one in value)


class _Builder:
    """Walks the traced graph once; what it does not know is collected."""

    def __init__(self, traced: fx.GraphModule, scheme: Scheme):
        self.traced, self.scheme = traced, scheme
        self.modules = dict(traced.named_modules())
        self.made: dict[fx.Node, Step] = {}
        self.steps: list[Step] = []
        self.problems: list[str] = []

    def build(self, example: Tensor) -> Network:
        output = ""
        for node in self.traced.graph.nodes:
            if node.op == "output":
                if not isinstance(node.args[0], fx.Node):
                    self.refuse(node, "returns several values; return one tensor")
                elif node.args[0] in self.made:
                    output = self.made[node.args[0]].name
                continue
            if any(source not in self.made for source in node.all_input_nodes):
                continue  # behind something that was refused
            self.take(node)
        if self.problems:
            raise Error("the module cannot be prepared:\n" + "\n".join(self.problems))
        return Network(self.steps, output, example)

    def take(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            if self.steps:
                self.refuse(node, "is a second input; one is supported")
            else:
                self.add(node, Input("input", [], self.quantiser("input", None)))
            return
        module = self.modules[node.target] if node.op == "call_module" else None
        if self.clamp_of(node, module) is not None and self.owner(node) is not None:
            self.made[node] = self.made[node.args[0]]
        elif isinstance(module, _WEIGHTED):
            self.weighted(node, module)
        elif isinstance(module, _DROPOUT_MODULES):
            self.made[node] = self.made[node.args[0]]
        elif node.target in _DROPOUT:
            self.dropout(node)
        elif node.target in _CONCATENATING:
            self.concatenate(node)
        elif function_module(node, module) is not None:
            self.function(node, function_module(node, module))
        elif node.target in _ADDITIONS and len(node.all_input_nodes) == 2:
            self.add_values(node)
        elif node.target in _PRODUCTS and len(node.args) == 2 and all(isinstance(one, fx.Node) for one in node.args):
            self.multiply(node)
        elif not self.pool(node, module) and not self.flatten(node, module) and not self.repeat(node, module):
            self.refuse(node, "is not supported; layers with weights are convolutions, transposed ones and Linear, between them "
                              "ReLU and other functions of one value, maximum and average pooling, nearest Upsample, sums and "
                              "products of two values, cat, Flatten and Dropout")

    def weighted(self, node: fx.Node, layer: nn.Module) -> None:
        if not isinstance(layer, nn.Linear) and layer.padding_mode != "zeros":
            self.refuse(node, f"pads by '{layer.padding_mode}'; zeros are supported")
            return
        if isinstance(layer, _TRANSPOSED) and layer.groups != 1:
            self.refuse(node, f"has {layer.groups} groups; a transposed convolution takes one")
            return
        if isinstance(layer, nn.Linear) and len(self.shape(node.args[0])) != 2:
            self.refuse(node, f"works on {len(self.shape(node.args[0]))} dimensions; flatten to [N, features] before it")
            return
        name, scheme = self.name(node), self.scheme
        weight = layer.weight.transpose(0, 1) if isinstance(layer, _TRANSPOSED) else layer.weight
        weights = WeightQuantiser(weight, scheme.limit_of(str(node.target)), scheme.per_channel,
                                  scheme.power_of_two, scheme.learned_scales)
        self.add(node, Weighted(name, self.made[node.args[0]], self.quantiser(name, self.fused(node)), layer, weights))

    def dropout(self, node: fx.Node) -> None:
        """Nothing in evaluation; torch.dropout is called with three arguments always."""
        training = node.args[2] if len(node.args) > 2 else node.kwargs.get("training", node.kwargs.get("train", True))
        if training:
            self.refuse(node, "drops values in evaluation, too; give it training=self.training")
        else:
            self.made[node] = self.made[node.all_input_nodes[0]]

    def concatenate(self, node: fx.Node) -> None:
        sources = [self.made[source] for source in node.args[0]]
        axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
        axis %= len(self.shape(node))
        if axis == 0:
            self.refuse(node, "joins samples of the batch; give the dimension, 1 for channels")
        else:
            self.add(node, Concatenate(self.name(node), sources, axis, self.quantiser(self.name(node), None)))

    def function(self, node: fx.Node, module: nn.Module) -> None:
        name, function = self.name(node), onnx_function(module)
        if function is None:
            self.refuse(node, "has arguments that ONNX has no place for")
            return
        out = FixedQuantiser(name, *FIXED[type(module)]) if type(module) in FIXED else self.quantiser(name, None)
        self.add(node, Function(name, self.made[node.all_input_nodes[0]], module, function, out))

    def add_values(self, node: fx.Node) -> None:
        if len(node.args) != 2 or node.kwargs or self.shape(node.args[0]) != self.shape(node.args[1]):
            self.refuse(node, "adds values of different shapes, or has further arguments")
            return
        a, b = (self.made[source] for source in node.args)
        self.add(node, Add(self.name(node), a, b, self.quantiser(self.name(node), self.fused(node))))

    def multiply(self, node: fx.Node) -> None:
        shapes = [self.shape(source) for source in node.args]
        if len(shapes[0]) != len(shapes[1]) or self.shape(node) not in shapes:
            self.refuse(node, "multiplies values of shapes that do not go together; give both the same number of dimensions")
            return
        a, b = (self.made[source] for source in node.args)
        self.add(node, Multiply(self.name(node), a, b, self.quantiser(self.name(node), self.fused(node))))

    def repeat(self, node: fx.Node, module: Optional[nn.Module]) -> bool:
        """Nearest neighbours by a whole factor."""
        if not isinstance(module, nn.Upsample) and node.target is not F.interpolate:
            return False
        before, after = self.shape(node.args[0]), self.shape(node)
        get = self.options(node, module, ("size", "scale_factor", "mode"))
        factors = [y // x for x, y in zip(before[2:], after[2:])]
        if (get("mode") or "nearest") != "nearest" or [x * f for x, f in zip(before[2:], factors)] != list(after[2:]):
            self.refuse(node, "resizes by interpolation, or by a factor that is not whole; mode='nearest' is supported")
            return True
        size = tuple(after[2:])
        self.add(node, Moved(self.name(node), self.made[node.args[0]], lambda x: F.interpolate(x, size), "repeat",
                             factors=factors))
        return True

    def pool(self, node: fx.Node, module: Optional[nn.Module]) -> bool:
        if isinstance(module, _MAXIMA_MODULES) or node.target in _MAXIMA:
            self.maximum(node, module)
        elif isinstance(module, (nn.AvgPool1d, nn.AvgPool2d)) or node.target in (F.avg_pool1d, F.avg_pool2d):
            self.average(node, module)
        elif self.is_global_average(node, module):
            self.mean(node)
        else:
            return False
        return True

    def maximum(self, node: fx.Node, module: Optional[nn.Module]) -> None:
        source = node.args[0]
        dimensions = len(self.shape(source)) - 2
        get = self.options(node, module, ("kernel_size", "stride", "padding", "dilation", "ceil_mode"))
        kernel, padding = _each(get("kernel_size"), dimensions), _each(get("padding") or 0, dimensions)
        stride = _each(get("stride") or kernel, dimensions)
        if set(_each(get("dilation") or 1, dimensions)) != {1} or get("ceil_mode"):
            self.refuse(node, "has a dilation or ceil_mode")
            return
        pool = F.max_pool1d if dimensions == 1 else F.max_pool2d
        self.add(node, Moved(self.name(node), self.made[source], lambda x: pool(x, kernel, stride, padding),
                             "max_pool", kernel=kernel, stride=stride, padding=padding))

    def average(self, node: fx.Node, module: Optional[nn.Module]) -> None:
        source = node.args[0]
        dimensions = len(self.shape(source)) - 2
        get = self.options(node, module, ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"))
        kernel = _each(get("kernel_size"), dimensions)
        given = getattr(module, "divisor_override", None) if module is not None else get("divisor_override")
        if any(_each(get("padding") or 0, dimensions)) or get("ceil_mode") or given:
            self.refuse(node, "has padding, ceil_mode or divisor_override")
        elif kernel == tuple(self.shape(source)[2:]):
            self.mean(node)
        else:
            self.add(node, AveragePool(self.name(node), self.made[source], kernel, _each(get("stride") or kernel, dimensions)))

    def mean(self, node: fx.Node) -> None:
        name, source = self.name(node), node.args[0]
        self.add(node, Mean(name, self.made[source], math.prod(self.shape(source)[2:]), self.quantiser(name, None)))
        if len(self.shape(node)) == 2:
            self.flattened(node, self.made[node])

    def is_global_average(self, node: fx.Node, module: Optional[nn.Module]) -> bool:
        if isinstance(module, (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)):
            return module.output_size in (1, (1,), (1, 1))
        if node.target in (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d):
            return node.args[1] in (1, (1,), [1], (1, 1), [1, 1])
        rank = len(self.shape(node.args[0]))
        if rank < 3 or not (node.target is torch.mean or _is_method(node, "mean")):
            return False
        axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", ())
        return sorted(axis % rank for axis in ((axes,) if isinstance(axes, int) else axes)) == list(range(2, rank))

    def flatten(self, node: fx.Node, module: Optional[nn.Module]) -> bool:
        flattens = isinstance(module, nn.Flatten) or node.target in _FLATTENING or \
            _is_method(node, "flatten", "squeeze", "view", "reshape")
        before, after = self.shape(node.args[0]), self.shape(node)
        if not flattens or len(after) != 2 or after[0] != before[0]:
            return False
        self.flattened(node, self.made[node.args[0]])
        return True

    def flattened(self, node: fx.Node, source: Step) -> None:
        name = self.name(node) if source is not self.made.get(node) else f"{self.name(node)}_flat"
        self.add(node, Moved(name, source, lambda x: x.flatten(1), "flatten"))

    def owner(self, clamp: fx.Node) -> Optional[fx.Node]:
        """The layer whose values a clamp clamps; maxima and copies in between do not mind. None: it is a layer of its own."""
        node = clamp.args[0]
        while isinstance(node, fx.Node) and len(node.users) == 1:
            module = self.modules.get(node.target) if node.op == "call_module" else None
            if isinstance(module, _WEIGHTED) or node.target in (*_ADDITIONS, *_PRODUCTS):
                return node
            moves = isinstance(module, (*_MAXIMA_MODULES, nn.Flatten, *_DROPOUT_MODULES)) or \
                node.target in (*_MAXIMA, *_DROPOUT, *_FLATTENING)
            if not moves:
                return None
            node = node.args[0]
        return None

    def fused(self, layer: fx.Node) -> Optional[float]:
        """The upper bound of the ReLU that this layer's values go to; None: there is none."""
        node = layer
        while len(node.users) == 1:
            node = next(iter(node.users))
            most = self.clamp_of(node, self.modules.get(node.target) if node.op == "call_module" else None)
            if most is not None:
                return most if self.owner(node) is layer else None
        return None

    @staticmethod
    def clamp_of(node: fx.Node, module: Optional[nn.Module]) -> Optional[float]:
        return {nn.ReLU: math.inf, nn.ReLU6: 6.0}.get(type(function_module(node, module)))

    def options(self, node: fx.Node, module: Optional[nn.Module], names: tuple[str, ...]) -> Callable[[str], Any]:
        if module is not None:
            return lambda name: getattr(module, name)
        given = dict(zip(names, node.args[1:])) | dict(node.kwargs)
        return given.get

    def quantiser(self, name: str, most: Optional[float]) -> ActivationQuantiser:
        return ActivationQuantiser(name, most is not None, math.inf if most is None else most, self.scheme.power_of_two,
                                   self.scheme.learned_scales)

    def add(self, node: fx.Node, step: Step) -> None:
        self.made[node] = step
        self.steps.append(step)

    def name(self, node: fx.Node) -> str:
        """The module's, unless it is called a second time; fx's name for the node is unique."""
        name = str(node.target).replace(".", "_") if node.op == "call_module" else node.name
        return name if all(step.name != name for step in self.steps) else node.name

    @staticmethod
    def shape(node: fx.Node) -> tuple[int, ...]:
        return tuple(node.meta["tensor_meta"].shape)

    def refuse(self, node: fx.Node, why: str) -> None:
        module = self.modules.get(node.target) if node.op == "call_module" else None
        what = f"{type(module).__name__} '{node.target}'" if module is not None else f"{node.name}"
        self.problems.append(f"  {what} {why}{_place(node)}")


def _place(node: fx.Node) -> str:
    """The user's line that made a node, " (file.py:12: x = f(x))"; empty where it is not known."""
    library = str(pathlib.Path(torch.__file__).parent)
    frames = re.findall(r'File "(.*)", line (\d+), in .*\n\s*(.*)', node.stack_trace or "")
    users = [frame for frame in frames if not frame[0].startswith((library, str(pathlib.Path(__file__).parent)))]
    return f" ({users[-1][0]}:{users[-1][1]}: {users[-1][2].strip()})" if users else ""
