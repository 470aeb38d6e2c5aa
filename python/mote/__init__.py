# SPDX-License-Identifier: Apache-2.0
"""Mote: trained neural networks for microcontrollers.

    model = mote.load("digits.tflite")
    print(model.summary())
    scores = model.run(images, threads=0)                 # int8 images, one or a batch
    artifact = model.compile("cortex-m4f")
    print(artifact.sizes, artifact.run(images[0]).instructions)
    artifact.save("out")

Everything computes the integers that the device computes, to the last bit.
"""
from ._arrays import Arrays, Tensor
from ._artifact import Artifact, Layer, Run, Sizes
from ._device import Device, DeviceFunction, DeviceInfo, DeviceModel, LinkFigures, LoadedModel, Parameter, Profile, Region
from ._errors import CallError, DTypeError, MissingPackageError, RecordError, ShapeError
from ._fit import Fit, boards, targets
from ._head import HeadArtifact, HeadMemory, HeadRun, TrainableHead
from ._model import Model, Outputs, load
from ._mote import Error, __version__
from ._quantize import Accuracy, Answers, LayerFigures, Quantized, quantize
from ._sequential import Sequential
from ._torch import from_torch

__all__ = ["Accuracy", "Answers", "Arrays", "Artifact", "CallError", "DTypeError", "Device", "DeviceFunction",
           "DeviceInfo", "DeviceModel", "Error", "Fit", "HeadArtifact", "HeadMemory", "HeadRun", "Layer", "LayerFigures",
           "LinkFigures", "LoadedModel", "MissingPackageError", "Model", "Outputs", "Parameter", "Profile", "Quantized",
           "RecordError", "Region", "Run", "Sequential", "ShapeError", "Sizes", "Tensor", "TrainableHead", "__version__",
           "boards", "from_torch", "load", "quantize", "targets"]

Error.__module__ = __name__
for _one in (Accuracy, Answers, Artifact, CallError, DTypeError, Device, DeviceFunction, DeviceInfo, DeviceModel, Fit,
             HeadArtifact, HeadMemory, HeadRun, Layer, LayerFigures, LinkFigures, LoadedModel, MissingPackageError, Model,
             Parameter, Profile, Quantized, RecordError, Region, Run, Sequential, ShapeError, Sizes, Tensor, TrainableHead):
    _one.__module__ = __name__
