# SPDX-License-Identifier: Apache-2.0
"""A model's last dense layer, or the last two, trained as a device trains it: the same C++ here, in generated code and in the emulator."""
from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from . import _mote
from ._arrays import Arrays, Tensor, batch_of, empty_outputs
from ._artifact import Artifact
from ._errors import Error, RecordError, ShapeError

if TYPE_CHECKING:
    from ._model import Model

_REASONS = {1: ("none", "this is no record of a head"),
            2: ("other version", "this record is of another version of the format"),
            3: ("damaged", "the record is damaged: it was cut off, or a byte has changed"),
            4: ("other model", "this record is of another model: its features or its classes are others")}


@dataclasses.dataclass(frozen=True)
class HeadMemory:
    """What the head takes beside the backbone, in bytes; `mote compile --trainable-head` prints the same."""

    parameters: int  #: RAM: float32 weights and bias
    momentum: int  #: RAM
    scratch: int  #: RAM: real features and errors
    record: int  #: what `save` gives, and NAME_head_save writes
    flash: int  #: the file's weights to start from; 0 for a new head

    @property
    def ram(self) -> int:
        """All of the head's RAM: NAME_HEAD_BYTES."""
        return self.parameters + self.momentum + self.scratch


@dataclasses.dataclass(frozen=True)
class HeadRun:
    """What training on the target gave and cost. Instructions are the emulator's, exact and repeatable; no cycles."""

    losses: np.ndarray  #: float32 [epochs, N], each before its step
    record: bytes  #: of the trained head: `TrainableHead.load` takes it
    classes: np.ndarray  #: int32: the most likely class of each test sample
    probabilities: np.ndarray  #: float32 [N, classes], of the test samples
    step_instructions: list[int]  #: of the backbone's run and a training step, in order
    prediction_instructions: list[int]  #: of the backbone's run and a prediction, for each test sample
    stack_peak_bytes: int


def _checked_labels(labels: Any, count: int, classes: int) -> np.ndarray:
    given = np.atleast_1d(np.asarray(labels))
    if given.shape != (count,):
        raise ShapeError(f"{count} samples need {count} labels, the array has shape {given.shape}")
    if given.dtype.kind not in "iu":
        raise Error(f"labels are integers from 0 to {classes - 1}, the array has {given.dtype}")
    wrong = given[(given < 0) | (given >= classes)]
    if wrong.size:
        raise Error(f"{wrong[0]} is no class of this head; its classes are 0 to {classes - 1}")
    return np.ascontiguousarray(given, np.int32)


class HeadArtifact(Artifact):
    """Generated C++ of a backbone and its head, which starts from the weights that `TrainableHead` had when it compiled."""

    def __init__(self, artifact: _mote.Artifact, inputs: tuple[Tensor, ...], features: tuple[Tensor, ...], classes: int):
        super().__init__(artifact, inputs, features)
        self._classes = classes

    def fit(self, x: Arrays, labels: Any, *, epochs: int = 1, rate: float, test: Optional[Arrays] = None,
            dequantize: bool = False) -> HeadRun:
        """Trains the head in the emulator as `TrainableHead.fit` does here, then predicts the samples of `test`.

        All of it is one run of the emulator with each sample in its memory, once an epoch: 32 MiB on the RISC-V machines,
        4 MiB on the Cortex-M ones. `run` gives the features alone. Raises mote.Error when a cross compiler or emulator is
        missing or the samples do not fit.
        """
        samples = batch_of(x, self._inputs, dequantize)
        tests = batch_of(test, self._inputs, dequantize) if test is not None else None
        count = tests.count if tests else 0
        numbers = _checked_labels(labels, samples.count, self._classes)
        losses = np.empty((epochs, samples.count), np.float32)
        classes, probabilities = np.empty(count, np.int32), np.empty((count, self._classes), np.float32)
        record = np.empty(self.details["head"]["record_bytes"], np.uint8)
        nothing = [np.empty(0, tensor.dtype) for tensor in self._inputs]
        figures = json.loads(self._artifact.train(samples.arrays, numbers.tolist(), tests.arrays if tests else nothing, count,
                                                  epochs, rate, [losses, classes, probabilities, record]))
        return HeadRun(losses, record.tobytes(), classes, probabilities, figures["step_instructions"],
                       figures["prediction_instructions"], figures["stack_peak_bytes"])


class TrainableHead:
    """A classifier of which the last dense layer learns, or the last two do, sample by sample. `Model.trainable_head` makes one.

        head = model.trainable_head(classes=5)
        losses = head.fit(images, labels, epochs=10, rate=0.0005)
        classes, probabilities = head.predict(test_images)
        head.compile("rv32imac").save("out")                       # the device goes on from here

    Losses, probabilities and records have the bits of the generated code on any target.
    """

    def __init__(self, model: Model, classes: Optional[int] = None, layers: int = 1, momentum: float = 0.9):
        self._take(_mote.Head(model._model, classes, layers, momentum), type(model))

    @classmethod
    def behind(cls, backbone: Model, classes: int, scale: float, momentum: float = 0.9) -> TrainableHead:
        """A new head of zeros behind a model of int8 features; `scale`: what a step of them stands for."""
        head = cls.__new__(cls)
        head._take(_mote.Head.behind(backbone._model, classes, scale, momentum), type(backbone))
        return head

    def _take(self, head: _mote.Head, kind: type[Model]) -> None:
        self._head = head
        self._backbone = kind(head.backbone)
        self._report = json.loads(self._head.report())

    @property
    def backbone(self) -> Model:
        """The model in front of the head; its output are the features."""
        return self._backbone

    @property
    def classes(self) -> int:
        """How many; labels count from 0."""
        return self._report["outputs"]

    @property
    def layer(self) -> str:
        """The layer or layers of the model file in whose place the head stands."""
        return self._report["layer"]

    @property
    def memory(self) -> HeadMemory:
        """What the head takes on a device, beside the backbone."""
        return HeadMemory(*(self._report[f"{part}_bytes"] for part in ("parameter", "momentum", "scratch", "record", "flash")))

    def __repr__(self) -> str:
        hidden = f" -> {self._report['hidden']} hidden" if "hidden" in self._report else ""
        return (f"<mote.TrainableHead of {self.backbone.name}: {self._report['inputs']} features{hidden} -> {self.classes} "
                f"classes, {self.memory.ram} B RAM>")

    def _rows(self, x: Arrays, dequantize: bool, threads: int) -> tuple[np.ndarray, bool]:
        """Features, one row a sample, and whether x is one sample without a batch's extent."""
        batch = batch_of(x, self._backbone.inputs, dequantize)
        features = empty_outputs(batch, self._backbone.outputs)
        self._backbone._model.run(batch.arrays, features, batch.count, False, threads if threads > 0 else os.cpu_count() or 1)
        whole = batch.kind == "single" and self._backbone.inputs[0].shape[:1] != (1,)
        return features[0].reshape(batch.count, -1), whole or batch.kind == "element"

    def train_step(self, x: Arrays, label: int, rate: float, *, dequantize: bool = False) -> float:
        """One step of gradient descent with one sample; returns the cross-entropy before it."""
        rows, single = self._rows(x, dequantize, 1)
        if not single and len(rows) != 1:
            raise ShapeError(f"a step takes one sample, {len(rows)} given; fit takes many")
        losses = np.empty(1, np.float32)
        self._head.train(rows, _checked_labels(label, 1, self.classes), rate, losses)
        return float(losses[0])

    def fit(self, x: Arrays, labels: Any, *, epochs: int = 1, rate: float, dequantize: bool = False,
            threads: int = 0) -> np.ndarray:
        """Steps through all samples in their order, `epochs` times; returns the losses, float32 [epochs, N].

        Shuffle the samples first where they are sorted by class. The features are computed once, in `threads` threads (0:
        one a core), and the interpreter lock is released meanwhile. A rate that suits depends on how large the features
        are: halve it when the loss does not fall.
        """
        rows, _ = self._rows(x, dequantize, threads)
        numbers = _checked_labels(labels, len(rows), self.classes)
        losses = np.empty((epochs, len(rows)), np.float32)
        for epoch in range(epochs):
            self._head.train(rows, numbers, rate, losses[epoch])
        return losses

    def predict(self, x: Arrays, *, dequantize: bool = False,
                threads: int = 0) -> tuple[Union[int, np.ndarray], np.ndarray]:
        """The most likely class and all probabilities: int and float32 [classes], of a batch int32 [N] and [N, classes].

        An array with a first extent of 1 is a batch.
        """
        rows, single = self._rows(x, dequantize, threads)
        classes, probabilities = np.empty(len(rows), np.int32), np.empty((len(rows), self.classes), np.float32)
        self._head.predict(rows, classes, probabilities)
        return (int(classes[0]), probabilities[0]) if single else (classes, probabilities)

    @property
    def weights(self) -> np.ndarray:
        """A copy of the last layer's, float32 [classes, inputs]."""
        return self.parameters()[-1][0]

    @property
    def bias(self) -> np.ndarray:
        """A copy of the last layer's, float32 [classes]."""
        return self.parameters()[-1][1]

    def parameters(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Copies of weights, float32 [outputs, inputs], and bias of each layer that learns, the last one last."""
        sizes = [self._report[part] for part in ("inputs", "hidden", "outputs") if part in self._report]
        rest = np.empty(self.memory.parameters // 4, np.float32)
        self._head.copy(rest)
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            weights, bias, rest = np.split(rest, [outputs * inputs, outputs * (inputs + 1)])
            layers.append((weights.reshape(outputs, inputs), bias))
        return layers

    def reset(self) -> None:
        """Back to what it started from, without momentum."""
        self._head.reset()

    def save(self) -> bytes:
        """The parameters as the record that a device keeps in flash (SPEC.md). Momentum is not in it."""
        return self._head.save()

    def load(self, record: bytes) -> None:
        """Takes the parameters of a record, of this machine's or a device's; momentum is then 0.

        Raises mote.RecordError, with its `reason`, and stays as it is when the record is damaged, of another model or of
        another version.
        """
        code = self._head.load(bytes(record))
        if code != 0:
            reason, text = _REASONS[code]
            raise RecordError(text, reason)

    def compile(self, target: Optional[str] = None, optimize: str = "balanced", *, ram: Optional[int] = None,
                flash: Optional[int] = None, build: bool = True) -> HeadArtifact:
        """Compiles backbone and head for a target, as `mote compile --trainable-head` does; the head starts from the weights
        that it has now.

        Arguments as for `Model.compile`; `ram` and `flash` are for backbone and head together. Raises mote.Error that says
        what takes the space when they do not fit.
        """
        artifact = _mote.compile(self._backbone._model, target, optimize, None, [], ram, flash, build, self._head)
        return HeadArtifact(artifact, self._backbone.inputs, self._backbone.outputs, self.classes)
