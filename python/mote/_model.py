# SPDX-License-Identifier: Apache-2.0
"""A model that was read from a file: what it is made of, its runs on this machine, and the way to a device."""
from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Optional, Union

import numpy as np

from . import _mote
from ._arrays import Arrays, Tensor, batch_of, dequantised, empty_outputs, tensor_from
from ._artifact import Artifact
from ._fit import Fit, fit_from
from ._head import TrainableHead

#: What `run` gives: the only output's array, or a list of arrays.
Outputs = Union[np.ndarray, list]


class Model:
    """A neural network, imported, checked and planned. `mote.load` and `mote.from_torch` make one."""

    def __init__(self, model: _mote.Model):
        self._model = model
        tensors = json.loads(model.tensors())
        self._inputs = tuple(tensor_from(entry) for entry in tensors["inputs"])
        self._outputs = tuple(tensor_from(entry) for entry in tensors["outputs"])

    @property
    def name(self) -> str:
        """The identifier in generated code, made from the file's name."""
        return self._model.name

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The inputs, in the order in which `run` takes them."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs, in the order in which `run` gives them."""
        return self._outputs

    @property
    def stateful(self) -> bool:
        """Does it remember something from run to run (LSTM, SVDF, streaming layers)?"""
        return self._model.stateful

    @property
    def notes(self) -> list[str]:
        """What the importer decided and the user should know, a sentence each."""
        return self._model.notes

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return self._model.macs

    @property
    def arena_bytes(self) -> int:
        """RAM of the plan with whole tensors, the stack aside."""
        return self._model.arena_bytes

    def __repr__(self) -> str:
        def text(tensors: Sequence[Tensor]) -> str:
            return ", ".join(f"{tensor.name} {tensor.dtype}{list(tensor.shape)}" for tensor in tensors)

        return f"<mote.Model {self.name}: {text(self.inputs)} -> {text(self.outputs)}>"

    def summary(self, optimize: str = "balanced") -> str:
        """Layers, quantisation, multiplications and memory over time: the text of `mote inspect`."""
        return self._model.summary(optimize)

    def run(self, x: Arrays, *, dequantize: bool = False, threads: int = 1, sequence: bool = False) -> Outputs:
        """Runs the model on this machine, with the device's kernels at the device's places in memory.

        `x` is the only input's array, a list or tuple with an array for each input, or a dict by the inputs' names.
        An array has the input's shape, or leaves out a first extent of 1, or is a batch of N: N in place of that 1, or N
        in front of the shape. Outputs follow: `run(images)[0]` equals `run(images[0])`. The array's dtype is the
        input's; float64 is taken for float32.

        `dequantize=True`: real numbers are quantised with the input's scale and zero point (integers are taken as they
        are), and quantised outputs come back as float32.

        `threads`: how many runs of a batch go on at once; 0 stands for one a core. The interpreter lock is released
        meanwhile, and the results are the same.

        A model with state begins each run of a batch, and each call, with its initial state. `sequence=True`: the runs
        of a batch are steps of one sequence, in their order, in one thread.

        Returns one array, or a list when the model has several outputs. Raises mote.ShapeError (a ValueError) or
        mote.DTypeError (a TypeError) for arrays that do not fit.
        """
        batch = batch_of(x, self._inputs, dequantize)
        outputs = empty_outputs(batch, self._outputs)
        self._model.run(batch.arrays, outputs, batch.count, sequence, threads if threads > 0 else os.cpu_count() or 1)
        if dequantize:
            outputs = [dequantised(array, tensor) for array, tensor in zip(outputs, self._outputs)]
        return outputs[0] if len(outputs) == 1 else outputs

    def compile(self, target: Optional[str] = None, optimize: str = "balanced", *, board: Optional[str] = None,
                memories: Optional[Mapping[str, int]] = None, ram: Optional[int] = None, flash: Optional[int] = None,
                build: bool = True) -> Artifact:
        """Compiles for a target: a name of `mote.targets()`; absent, the board's core or "host".

        `optimize`: "size", "balanced" or "speed". `board` lays the model out for that board's memories (a name of
        `mote.boards()`, or a .json file), `memories` for any: bytes by name, the fastest first. `ram` and `flash`: bytes
        that arena and stack, weights and code may take. `build=False` needs no cross compiler; code and stack then stay
        unknown.

        Raises mote.Error that says what takes the space when the model does not fit.
        """
        sizes = [f"{name}={size}" for name, size in (memories or {}).items()]
        artifact = _mote.compile(self._model, target, optimize, None if board is None else os.fspath(board), sizes, ram,
                                 flash, build, None)
        return Artifact(artifact, self._inputs, self._outputs)

    def trainable_head(self, classes: Optional[int] = None, *, layers: int = 1,
                       momentum: float = 0.9) -> TrainableHead:
        """The model with its last dense layer cut off, to be trained as a device trains it (docs/head.md).

        The head starts from the file's weights, or, with `classes`, as a new one of zeros for so many classes. `layers=2`:
        the dense layer in front of it learns, too, from the file's weights on. Raises mote.Error that says what the model
        ends with when these are no dense layers.
        """
        return TrainableHead(self, classes, layers, momentum)

    def fit(self, board: Union[str, Sequence[str], None] = None, optimize: str = "balanced", *,
            measure: bool = False) -> Union[Fit, list[Fit]]:
        """Does it fit this board, these boards, or (absent) every board that is known?

        `measure=True` compiles and runs for each board's core: exact code, stack and instructions in place of
        estimates. Returns one verdict for one board's name, else a list.
        """
        names = [board] if isinstance(board, (str, os.PathLike)) else list(board or [])
        found = json.loads(_mote.fit(self._model, [os.fspath(name) for name in names], optimize, measure))
        verdicts = [fit_from(entry) for entry in found["boards"]]
        return verdicts[0] if isinstance(board, (str, os.PathLike)) else verdicts


def load(path: Union[str, os.PathLike], shapes: Optional[Mapping[str, Sequence[int]]] = None) -> Model:
    """Reads a .tflite or .onnx file.

    `shapes`: of inputs whose shape an .onnx file leaves open, by name, in the file's order of dimensions (NCHW).
    Raises mote.Error that names the file and lists everything in it that is not supported, by layer.
    """
    return Model(_mote.load(os.fspath(path), {name: list(shape) for name, shape in (shapes or {}).items()}))
