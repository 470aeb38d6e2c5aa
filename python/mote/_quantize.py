# SPDX-License-Identifier: Apache-2.0
"""Post-training quantisation: a float model and samples of its inputs give an integer model."""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np

from . import _mote
from ._arrays import arrays_by_input
from ._errors import ShapeError
from ._model import Model, load

#: Samples of a model's inputs: the only input's array [N, ...], one array for each input, arrays by the inputs' names, or a .npz
#: file of these.
Samples = Union[Any, Sequence[Any], Mapping[str, Any], str, os.PathLike]


@dataclasses.dataclass(frozen=True)
class LayerFigures:
    """What quantisation did to one layer, over all samples."""

    name: str
    integer: bool
    values: tuple[float, float]  #: the range of the float model's values
    covered: Optional[tuple[float, float]]  #: the range that the integers give; None: the layer stays float
    scale: Optional[float]
    zero_point: Optional[int]
    saturation: float  #: share of the float model's values that the integers cannot give
    signal_to_noise_db: Optional[float]  #: of the integer model's values; None: none differs
    lost_db: float  #: how far below the worst of its inputs
    worst: bool  #: among the layers that lose most


@dataclasses.dataclass(frozen=True)
class Answers:
    """How many samples one model gets right."""

    percent: float
    right: int
    ties: int  #: samples in which other classes are as large as the largest
    saturated: int  #: samples whose largest output is the largest that its type can give


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """Both models' answers for the labelled samples."""

    samples: int
    float: Answers
    integer: Answers
    agree: int  #: samples for which both models give one class


class Quantized:
    """What `mote.quantize` makes: the integer model, and what it lost."""

    def __init__(self, made: _mote.Quantized):
        report = json.loads(made.report)
        self.model = Model(made.model)
        self.file: bytes = made.file  #: a .tflite file, which LiteRT and TensorFlow Lite Micro run, too
        self.notes: list[str] = report["notes"]
        self.layers = [_layer(entry) for entry in report["layers"]]
        self.accuracy = _accuracy(report["accuracy"]) if "accuracy" in report else None

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Writes the .tflite file."""
        pathlib.Path(path).write_bytes(self.file)

    def __repr__(self) -> str:
        accuracy = "" if self.accuracy is None else \
            f", right in {self.accuracy.integer.percent:.2f} % (float {self.accuracy.float.percent:.2f} %)"
        return f"<mote.Quantized {self.model.name}: {len(self.file)} B{accuracy}>"


def _layer(entry: dict[str, Any]) -> LayerFigures:
    covered = entry.get("covered")
    return LayerFigures(entry["name"], entry["integer"], tuple(entry["values"]), None if covered is None else tuple(covered),
                        entry.get("scale"), entry.get("zero_point"), entry["saturation"], entry["signal_to_noise_db"],
                        entry["lost_db"], entry["worst"])


def _accuracy(entry: dict[str, Any]) -> Accuracy:
    return Accuracy(entry["samples"], Answers(**entry["float"]), Answers(**entry["integer"]), entry["agree"])


def _file_of(samples: Samples, model: Model, labels: Optional[Any], path: pathlib.Path) -> str:
    if isinstance(samples, (str, os.PathLike)):
        if labels is not None:
            raise ShapeError("labels belong to arrays; a .npz file has them under the key 'labels'")
        return os.fspath(samples)
    arrays = dict(zip((tensor.name for tensor in model.inputs), arrays_by_input(samples, model.inputs)))
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    np.savez(path, **arrays)
    return str(path)


def quantize(model: Union[Model, str, os.PathLike], samples: Samples, *, range: str = "minmax", percentile: float = 99.99,
             activations: str = "int8", weights: Sequence[str] = (), rounding: str = "narrow", int4_tensors: str = "common",
             power_of_two: bool = False, equalize: bool = False, correct_bias: bool = False, keep_float_io: bool = False,
             per_channel_dense: bool = False, evaluate: Optional[Samples] = None, labels: Optional[Any] = None) -> Quantized:
    """An integer model of a float model (or of its .tflite or .onnx file); what `mote quantize` does, docs/quantize.md.

    `samples`: float32 inputs to observe ranges on, the first axis is the sample; images NHWC. `range`: "minmax",
    "percentile" (which `percentile` of the values lies in the range), "mse" or "entropy". `weights`: "4bit:PATTERN" or
    "ternary:PATTERN" for layers whose name fits. `rounding`: of weights to the "nearest" integer, or "calibrated", so that
    each layer's sums over the samples stay near the float model's; "narrow": the latter in narrow layers. `int4_tensors`: which narrow weights the file holds as INT4, those that TensorFlow
    Lite Micro and LiteRT read ("common"), that LiteRT reads ("litert") or "none". `evaluate` with `labels` (integers, one a sample): both models' accuracy.

    Raises mote.Error for samples that do not fit or are not finite, and for a model that is quantised already.
    """
    model = model if isinstance(model, Model) else load(model)
    flags = {"power_of_two": power_of_two, "equalize": equalize, "correct_bias": correct_bias, "keep_float_io": keep_float_io,
             "per_channel_dense": per_channel_dense}
    if evaluate is None and labels is not None:
        raise ShapeError("labels need `evaluate`, the inputs that they belong to")
    with tempfile.TemporaryDirectory() as folder:
        calibration = _file_of(samples, model, None, pathlib.Path(folder) / "samples.npz")
        labelled = "" if evaluate is None else _file_of(evaluate, model, labels, pathlib.Path(folder) / "evaluate.npz")
        return Quantized(_mote.quantize(model._model, calibration, labelled, range, percentile, activations, list(weights),
                                        int4_tensors, rounding, flags))
