# SPDX-License-Identifier: Apache-2.0
"""Arrays that a caller gives, as the batches of tensors that a model takes, and back."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np

from . import _mote
from ._errors import DTypeError, ShapeError

#: What `run` takes: the only input's array, one array for each input, or arrays by the inputs' names.
Arrays = Union[Any, Sequence[Any], Mapping[str, Any]]

_DTYPES = {"i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16, "i32": np.int32, "u32": np.uint32,
           "i64": np.int64, "u64": np.uint64, "f32": np.float32, "bool": np.bool_}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output of a model.

    `scale` and `zero_point` are those of a quantised tensor, real = scale * (q - zero_point), else None. Images are
    NHWC, also in models that come from ONNX.
    """

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    scale: Optional[float] = None
    zero_point: Optional[int] = None

    @property
    def nbytes(self) -> int:
        """Bytes of one tensor."""
        return self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))


def tensor_from(entry: dict[str, Any]) -> Tensor:
    if entry["dtype"] not in _DTYPES:
        raise DTypeError(f"'{entry['name']}' has dtype {entry['dtype']}, of which numpy has no arrays")
    quantisation = entry["quantisation"] or {}
    return Tensor(entry["name"], np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"]),
                  quantisation.get("scale"), quantisation.get("zero_point"))


def shape_text(shape: Sequence[int]) -> str:
    return "x".join(str(extent) for extent in shape) or "scalar"


def arrays_by_input(x: Arrays, inputs: Sequence[Tensor]) -> list[np.ndarray]:
    """One array for each input, in the model's order."""
    if isinstance(x, Mapping):
        names = [tensor.name for tensor in inputs]
        unknown = [name for name in x if name not in names]
        missing = [name for name in names if name not in x]
        if unknown or missing:
            raise ShapeError(f"the model's inputs are {names}; missing: {missing}, unknown: {unknown}")
        return [np.asarray(x[name]) for name in names]
    if isinstance(x, (list, tuple)) and any(isinstance(one, np.ndarray) for one in x):
        arrays = [np.asarray(one) for one in x]
    else:
        arrays = [np.asarray(x)]
    if len(arrays) != len(inputs):
        raise ShapeError(f"the model has {len(inputs)} inputs, {len(arrays)} given")
    return arrays


def quantised(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Real numbers in the tensor's integers."""
    out = np.empty(array.shape, tensor.dtype)
    _mote.quantise(np.ascontiguousarray(array, np.float32).reshape(-1), out.reshape(-1), tensor.scale,
                   tensor.zero_point)
    return out


def dequantised(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    """float32 from the tensor's integers, each rounded once; other tensors as they are."""
    if tensor.scale is None or array.dtype.kind == "f":
        return array
    return ((array.astype(np.float64) - tensor.zero_point) * np.float64(tensor.scale)).astype(np.float32)


def _typed(array: np.ndarray, tensor: Tensor, dequantize: bool) -> np.ndarray:
    if array.dtype == tensor.dtype:
        return array
    if array.dtype.kind == "f" and tensor.dtype == np.float32:
        return array.astype(np.float32)
    if array.dtype.kind != "f" or tensor.scale is None:
        raise DTypeError(f"input '{tensor.name}' needs {tensor.dtype}, the array has {array.dtype}")
    if not dequantize:
        raise DTypeError(f"input '{tensor.name}' needs {tensor.dtype}, the array has {array.dtype}; give its integers, or "
                         f"dequantize=True to have real numbers quantised (scale {tensor.scale:g}, zero point "
                         f"{tensor.zero_point})")
    return quantised(array, tensor)


@dataclasses.dataclass(frozen=True)
class Batch:
    """`count` sets of inputs, each array contiguous; how the outputs' shapes follow from the model's."""

    arrays: list[np.ndarray]
    count: int
    kind: str  # "single", "element" (a first extent of 1 left out), "leading" (N in its place) or "new" (N in front)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.kind in ("element", "leading") and shape[:1] == (1,):
            shape = shape[1:]
        return (self.count, *shape) if self.kind in ("leading", "new") else shape


def _kind(array: np.ndarray, tensor: Tensor) -> str:
    if array.shape == tensor.shape:
        return "single"
    if tensor.shape[:1] == (1,) and array.shape == tensor.shape[1:]:
        return "element"
    if tensor.shape[:1] == (1,) and array.ndim == len(tensor.shape) and array.shape[1:] == tensor.shape[1:]:
        return "leading"
    if array.ndim == len(tensor.shape) + 1 and array.shape[1:] == tensor.shape:
        return "new"
    batches = " or ".join(shape_text(("N", *shape)) for shape in
                          ([tensor.shape[1:]] if tensor.shape[:1] == (1,) else []) + [tensor.shape])
    raise ShapeError(f"input '{tensor.name}' has shape {shape_text(tensor.shape)}, a batch of N {batches}; the array has "
                     f"{shape_text(array.shape)}")


def batch_of(x: Arrays, inputs: Sequence[Tensor], dequantize: bool) -> Batch:
    """The arrays of all inputs as one batch; raises ShapeError or DTypeError."""
    arrays = [_typed(array, tensor, dequantize) for array, tensor in zip(arrays_by_input(x, inputs), inputs)]
    kinds = [_kind(array, tensor) for array, tensor in zip(arrays, inputs)]
    counts = {array.shape[0] if kind in ("leading", "new") else None for array, kind in zip(arrays, kinds)}
    if len(counts) > 1:
        shapes = ", ".join(shape_text(array.shape) for array in arrays)
        raise ShapeError(f"the inputs are batches of different sizes: {shapes}")
    count = counts.pop() if counts else None
    # Where they differ, what the first extents of 1 became in one input holds for the outputs.
    kind = next((kind for kind in kinds if kind in ("element", "leading")), kinds[0] if kinds else "single")
    return Batch([np.ascontiguousarray(array) for array in arrays], 1 if count is None else count, kind)


def empty_outputs(batch: Batch, outputs: Sequence[Tensor]) -> list[np.ndarray]:
    return [np.empty(batch.output_shape(tensor.shape), tensor.dtype) for tensor in outputs]
