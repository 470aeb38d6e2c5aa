# SPDX-License-Identifier: Apache-2.0
"""A model that is built by hand from integer weights, layer by layer."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from . import _mote
from ._artifact import Artifact
from ._errors import DTypeError, ShapeError
from ._fit import Fit
from ._head import TrainableHead
from ._model import Model


def _integers(values: Any, dtype: Any, what: str) -> np.ndarray:
    """The values in their order as a contiguous array; numbers that `dtype` does not hold are an error."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise DTypeError(f"{what} are {array.dtype}, they must be integers")
    limits = np.iinfo(dtype)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise DTypeError(f"{what} reach from {array.min()} to {array.max()}, {np.dtype(dtype)} from {limits.min} to "
                         f"{limits.max}")
    return np.ascontiguousarray(array, dtype).reshape(-1)


def _scaling(multiplier: Optional[int], shift: Optional[int]) -> Optional[tuple[int, int]]:
    if (multiplier is None) != (shift is None):
        raise ShapeError("multiplier and shift belong together; give both or neither")
    return None if multiplier is None else (int(multiplier), int(shift))


class Sequential:
    """Layers of int8 numbers without scales, one behind the other.

    `input_shape`: [N], or [C, H, W] for an image. `arena_size`: RAM in bytes that the model may take; running and
    compiling a larger one raises mote.Error. The methods check their arguments at once, raise mote.Error that names the
    layer, and leave the model as it was then.

    Sums are exact, and scaled as `floor(sum * multiplier / 2^shift)` before the bias is added: an integer multiplier, one
    rounding, downwards. TensorFlow Lite's arithmetic (a Q31 multiplier, rounded twice to nearest, biases before it) cannot
    express that, so these layers have a kernel of their own; SPEC.md has the formulas. Without multiplier and shift, they
    are 1 and ceil(log2(n)) + 7 for n products in a sum.

    Every layer is also there under the name of nano-rust's PySequentialModel, with its order of arguments and the same
    integers: add_dense, add_dense_with_requant, add_conv2d, ... Where its results would leave 32 bits and wrap, this
    raises mote.Error.
    """

    def __init__(self, input_shape: Sequence[int], arena_size: Optional[int] = None, *, name: str = "model"):
        self._layers = _mote.Sequential([int(extent) for extent in input_shape])
        self._arena_size = arena_size
        self._name = name
        self._model: Optional[Model] = None
        self._features: Optional[Model] = None  # the layers in front of a trainable_dense that is the last one

    def dense(self, weights: Any, bias: Any, multiplier: Optional[int] = None, shift: Optional[int] = None) -> None:
        """y = clamp(floor(sum * multiplier / 2^shift) + bias), int8.

        `weights`: int8 [outputs, inputs], flat or not; an image's inputs count channels first. `bias`: int32 [outputs],
        in steps of the output. `shift`: 0 to 62.
        """
        self._changed().dense(_integers(weights, np.int8, "weights"), _integers(bias, np.int32, "biases"),
                              _scaling(multiplier, shift))

    def conv2d(self, kernel: Any, bias: Any, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0,
               multiplier: Optional[int] = None, shift: Optional[int] = None) -> None:
        """y = clamp(clamp(floor(sum * multiplier / 2^shift)) + bias), int8.

        `kernel`: int8 [outputs, channels, height, width], flat or not; `bias`: int32 [outputs]; `kernel_size`: height and
        width. The image is padded with zeros on all sides.
        """
        self._changed().conv2d(_integers(kernel, np.int8, "weights"), _integers(bias, np.int32, "biases"),
                               (*kernel_size, stride, padding), _scaling(multiplier, shift))

    def depthwise_conv2d(self, kernel: Any, bias: Any, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0,
                         multiplier: Optional[int] = None, shift: Optional[int] = None) -> None:
        """As conv2d, but an output channel reads one input channel: output c reads channel c // (outputs / channels).

        `kernel`: int8 [outputs, height, width].
        """
        self._changed().depthwise_conv2d(_integers(kernel, np.int8, "weights"), _integers(bias, np.int32, "biases"),
                                         (*kernel_size, stride, padding), _scaling(multiplier, shift))

    def trainable_dense(self, in_features: int, out_features: int, weights: Any = None, bias: Any = None) -> None:
        """A dense layer for weights that are not there yet: zeros where none are given. Runs as `dense` does, and learns as
        `trainable_head`."""
        if in_features != int(np.prod(self.output_shape)):
            raise ShapeError(f"trainable_dense #{self.num_layers()}: takes {in_features} inputs, the layer before gives "
                             f"{int(np.prod(self.output_shape))}")
        features = Model(self._layers.model(self._name)) if self.num_layers() > 0 else None
        self.dense(np.zeros((out_features, in_features), np.int8) if weights is None else weights,
                   np.zeros(out_features, np.int32) if bias is None else bias)
        self._features = features

    def trainable_head(self, scale: float = 1 / 128, momentum: float = 0.9) -> TrainableHead:
        """The trainable_dense that is the last layer, as it learns on a device (docs/head.md): float32, from zeros.

        `scale`: what a step of its inputs stands for. The layers before it stay as they are; the head's samples are NHWC, as
        those of `model()`. Raises mote.Error when another layer is the last one, or no layer is in front of it.
        """
        if self._features is None:
            raise _mote.Error("a head needs a trainable_dense as the last layer, and a layer in front of it; the layers are "
                              f"{', '.join(self.layer_names()) or 'none'}")
        return TrainableHead.behind(self._features, self.output_shape[0], scale, momentum)

    def relu(self) -> None:
        """max(x, 0). Behind a dense or convolutional layer it costs nothing."""
        self._changed().relu()

    def sigmoid(self, multiplier: Optional[int] = None, shift: Optional[int] = None) -> None:
        """round(127 / (1 + exp(-i / 16))), a table of 256. i is x, or clamp(floor(x * multiplier / 2^shift)): with
        multiplier / 2^shift = 16 * scale for an x in steps of `scale`."""
        self._changed().sigmoid(_scaling(multiplier, shift))

    def tanh(self, multiplier: Optional[int] = None, shift: Optional[int] = None) -> None:
        """round(127 * tanh(i / 32)), a table of 256. i as for sigmoid, with multiplier / 2^shift = 32 * scale."""
        self._changed().tanh(_scaling(multiplier, shift))

    def softmax(self) -> None:
        """floor(127 e / sum(e)) with e = max(128 + 2 * (x - largest), 0), over all elements: a straight line in place of
        the exponential, so no true softmax. The order of the elements stays."""
        self._changed().softmax()

    def flatten(self) -> None:
        """[C, H, W] to [C * H * W], channels first. Before a dense layer nothing moves: its weights are permuted."""
        self._changed().flatten()

    def max_pool2d(self, kernel_size: tuple[int, int], stride: int, padding: int = 0) -> None:
        """The largest element of each window; padding counts for nothing."""
        self._changed().max_pool2d((*kernel_size, stride, padding))

    def avg_pool2d(self, kernel_size: tuple[int, int], stride: int, padding: int = 0) -> None:
        """The mean of each window's elements inside the image, to the nearest integer, halves away from zero."""
        self._changed().avg_pool2d((*kernel_size, stride, padding))

    def forward(self, x: Any) -> np.ndarray:
        """Runs the model on this machine with the device's kernels.

        `x`: int8 of the input's shape, flat or not ([C, H, W] for images), or a batch of those along a first axis.
        Returns int8 of `output_shape`, flat or not as x was. Raises mote.ShapeError or mote.DTypeError.
        """
        x = np.asarray(x)
        values = _integers(x, np.int8, "inputs")
        size = int(np.prod(self.input_shape))
        flat, shaped = x.shape[-1:] == (size,), x.shape[-len(self.input_shape):] == self.input_shape
        single = x.shape in ((size,), self.input_shape)
        if not single and not ((flat and x.ndim == 2) or (shaped and x.ndim == len(self.input_shape) + 1)):
            raise ShapeError(f"the model takes an array of shape {list(self.input_shape)}, its {size} numbers, or a batch "
                             f"of either; the array has {list(x.shape)}")
        out = self.model().run(_channels_last(values.reshape(-1, *self.input_shape)))
        out = _channels_first(out, self.output_shape)
        keep_flat = flat and not shaped
        out = out.reshape(out.shape[0], -1) if keep_flat else out
        return out[0] if single else out

    def predict(self, x: Any) -> int:
        """The index of the largest output, the first of equals."""
        return int(np.argmax(self.forward(x)))

    def model(self) -> Model:
        """The layers so far as a mote.Model. Its images are NHWC; a flattened image is channels first, as here."""
        if self._model is None:
            self._model = Model(self._layers.model(self._name))
        needed = self._model.arena_bytes
        if self._arena_size is not None and needed > self._arena_size:
            raise _mote.Error(f"the arena takes {needed} B, arena_size allows {self._arena_size} B: "
                              f"{needed - self._arena_size} B too many")
        return self._model

    def compile(self, target: Optional[str] = None, optimize: str = "balanced", **options: Any) -> Artifact:
        """`Model.compile` of these layers: C++ that computes the same bytes. Its images are NHWC."""
        return self.model().compile(target, optimize, **options)

    def fit(self, board: Any = None, optimize: str = "balanced", **options: Any) -> Any:
        """`Model.fit` of these layers."""
        return self.model().fit(board, optimize, **options)

    def estimate_arena_bytes(self) -> int:
        """RAM of the layers so far, the stack aside: exact, from the plan that runs; the inputs are part of it."""
        limit, self._arena_size = self._arena_size, None
        try:
            return self.model().arena_bytes
        finally:
            self._arena_size = limit

    @property
    def input_shape(self) -> tuple[int, ...]:
        """[N], or [C, H, W]."""
        return tuple(self._layers.input_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of the last layer so far: [N], or [C, H, W]."""
        return tuple(self._layers.output_shape)

    def num_layers(self) -> int:
        """How many layers were added."""
        return len(self._layers.layers)

    def layer_names(self) -> list[str]:
        """The layers by their methods' names."""
        return list(self._layers.layers)

    def _changed(self) -> _mote.Sequential:
        self._model = self._features = None
        return self._layers

    # The names and argument orders of nano-rust's PySequentialModel.

    def add_dense(self, weights: Any, bias: Any) -> None:
        """`dense` without scaling."""
        self.dense(weights, bias)

    def add_dense_with_requant(self, weights: Any, bias: Any, requant_m: int, requant_shift: int) -> None:
        """`dense` with multiplier and shift."""
        self.dense(weights, bias, requant_m, requant_shift)

    def add_conv2d(self, kernel: Any, bias: Any, in_ch: int, out_ch: int, kh: int, kw: int, stride: int,
                   padding: int) -> None:
        """`conv2d` without scaling."""
        self._check_channels(in_ch, out_ch, bias)
        self.conv2d(kernel, bias, (kh, kw), stride, padding)

    def add_conv2d_with_requant(self, kernel: Any, bias: Any, in_ch: int, out_ch: int, kh: int, kw: int, stride: int,
                                padding: int, requant_m: int, requant_shift: int) -> None:
        """`conv2d` with multiplier and shift."""
        self._check_channels(in_ch, out_ch, bias)
        self.conv2d(kernel, bias, (kh, kw), stride, padding, requant_m, requant_shift)

    def add_trainable_dense(self, in_features: int, out_features: int) -> None:
        """`trainable_dense` with zeros."""
        self.trainable_dense(in_features, out_features)

    def add_relu(self) -> None:
        """`relu`."""
        self.relu()

    def add_sigmoid(self) -> None:
        """`sigmoid` of x / 16."""
        self.sigmoid()

    def add_sigmoid_scaled(self, scale_mult: int, scale_shift: int) -> None:
        """`sigmoid` with multiplier and shift."""
        self.sigmoid(scale_mult, scale_shift)

    def add_tanh(self) -> None:
        """`tanh` of x / 32."""
        self.tanh()

    def add_tanh_scaled(self, scale_mult: int, scale_shift: int) -> None:
        """`tanh` with multiplier and shift."""
        self.tanh(scale_mult, scale_shift)

    def add_softmax(self) -> None:
        """`softmax`."""
        self.softmax()

    def add_flatten(self) -> None:
        """`flatten`."""
        self.flatten()

    def add_max_pool2d(self, pool_h: int, pool_w: int, stride: int) -> None:
        """`max_pool2d` without padding."""
        self.max_pool2d((pool_h, pool_w), stride)

    def estimate_arena_size(self) -> int:
        """`estimate_arena_bytes`."""
        return self.estimate_arena_bytes()

    def _check_channels(self, in_channels: int, out_channels: int, bias: Any) -> None:
        if self.output_shape[:1] != (in_channels,) or len(bias) != out_channels:
            raise ShapeError(f"conv2d #{self.num_layers()}: takes {in_channels} channels and has {len(bias)} biases for "
                             f"{out_channels}, the layer before gives {list(self.output_shape)}")


def _channels_last(batch: np.ndarray) -> np.ndarray:
    return batch.transpose(0, 2, 3, 1) if batch.ndim == 4 else batch


def _channels_first(batch: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return batch.transpose(0, 3, 1, 2) if len(shape) == 3 else batch.reshape(-1, *shape)
