# SPDX-License-Identifier: Apache-2.0
"""PyTorch's modules, by way of ONNX."""
from __future__ import annotations

import pathlib
import tempfile
from typing import Any, Optional

from ._errors import MissingPackageError
from ._model import Model, load


def from_torch(module: Any, example: Any, *, name: Optional[str] = None, opset: int = 17) -> Model:
    """A torch.nn.Module as a Model: torch exports it to ONNX, in evaluation mode.

    `example`: a tensor, or a tuple of tensors, with the shapes that the device will see (one image: 1, C, H, W). The
    model's images are NHWC: run it with `image.transpose(0, 2, 3, 1)`. `name` is that of the generated code; absent, the
    class's name in lower case. Raises mote.MissingPackageError (an ImportError) without torch, mote.Error for layers
    that are not supported.
    """
    try:
        import torch
    except ImportError as problem:
        raise MissingPackageError("mote.from_torch needs PyTorch; install it with `pip install torch onnx`") from problem
    example = example if isinstance(example, tuple) else (example,)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"{name or type(module).__name__.lower()}.onnx"
        training = module.training
        module.eval()
        try:
            # The exporter that traces needs no further package, and its graphs are the plainest.
            torch.onnx.export(module, example, str(path), opset_version=opset, dynamo=False)
        finally:
            module.train(training)
        return load(path)
