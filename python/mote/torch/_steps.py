# SPDX-License-Identifier: Apache-2.0
"""The layers of a prepared network: real arithmetic, observation, and the device's integers."""
from __future__ import annotations

import math
from typing import Callable, Optional

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._arithmetic import quantised_multiplier, rescaled, rounded, through
from ._functions import OnnxFunction, codes_of
from ._quantiser import ActivationQuantiser, WeightQuantiser


class Step(nn.Module):
    """One layer: reads the values `inputs` and makes the value `name`, quantised as `out` says."""

    def __init__(self, name: str, inputs: list["Step"], out: ActivationQuantiser):
        super().__init__()
        self.name = name
        self.inputs = [one.name for one in inputs]
        self.out = out

    def real(self, *x: Tensor) -> Tensor:
        raise NotImplementedError

    def quantised(self, *x: Tensor) -> Tensor:
        raise NotImplementedError

    def activated(self, y: Tensor) -> Tensor:
        """What the fused activation leaves of real numbers."""
        return y.clamp(0.0, self.out.most) if self.out.lowest_zero else y

    def finish(self, exact: Tensor, real: Tensor) -> Tensor:
        """Real outputs: of int64 codes less the zero point, with the gradients of `real`, in steps of the output."""
        low, high = self.out.bounds()
        zero = self.out.zero
        codes = through((exact + zero).clamp(low, high), (real + zero).clamp(low, high))
        return self.out.real(codes, self.out.trained_scale(real[0].numel()))


class Input(Step):
    """The network's input."""

    def real(self, x: Tensor) -> Tensor:
        return x

    def quantised(self, x: Tensor) -> Tensor:
        return self.out.real(self.out.codes(x), self.out.scale)


class Weighted(Step):
    """Convolution, transposed convolution or linear layer."""

    def __init__(self, name: str, source: Step, out: ActivationQuantiser, layer: nn.Module, weights: WeightQuantiser):
        super().__init__(name, [source], out)
        self.layer, self.weights, self.source_quantiser = layer, weights, source.out

    @property
    def transposed(self) -> bool:
        return isinstance(self.layer, (nn.ConvTranspose1d, nn.ConvTranspose2d))

    @property
    def weight(self) -> Tensor:
        """[out, ...] for every kind of layer."""
        return self.layer.weight.transpose(0, 1) if self.transposed else self.layer.weight

    def apply_to(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
        layer = self.layer
        if isinstance(layer, nn.Linear):
            return F.linear(x, weight, bias)
        in_one_dimension = weight.dim() == 3
        if self.transposed:
            convolve = F.conv_transpose1d if in_one_dimension else F.conv_transpose2d
            return convolve(x, weight.transpose(0, 1), bias, layer.stride, layer.padding, layer.output_padding, 1, layer.dilation)
        convolve = F.conv1d if in_one_dimension else F.conv2d
        return convolve(x, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)

    def real(self, x: Tensor) -> Tensor:
        return self.activated(self.apply_to(x, self.weight, self.layer.bias))

    def parameters_as_integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and biases as integers in floating point, and the weights' scales, float32 [out] or [1]."""
        scales = self.weights.scales(self.weight)
        weights = self.weights.integers(self.weight, scales)
        bias = self.layer.bias
        if bias is None:
            return weights, torch.zeros(weights.shape[0], device=weights.device), scales
        return weights, rounded(bias / (self.source_quantiser.scale * scales)), scales

    def sum_bound(self, weights: Tensor, bias: Tensor) -> float:
        """The largest magnitude that a sum can have."""
        zero = int(self.source_quantiser.zero)
        reach = max(127 - zero, zero + 128)
        return float((weights.detach().flatten(1).abs().double().sum(1) * reach + bias.detach().abs().double()).max())

    def quantised(self, x: Tensor) -> Tensor:
        source, out = self.source_quantiser.scale, self.out.trained_scale(x[0].numel())
        weights, bias, scales = self.parameters_as_integers()
        values = rounded(x / source)
        if not self.training and self.sum_bound(weights, bias) >= 2**24:  # float32 would round the sums
            exact_sums = self.apply_to(values.double(), weights.double(), bias.double())
            sums = exact_sums.float()
        else:
            sums = exact_sums = self.apply_to(values, weights, bias)
        shape = (1, -1) + (1,) * (sums.dim() - 2)
        multiplier, exponent = quantised_multiplier(self.effective(scales))
        exact = rescaled(exact_sums.detach().round().to(torch.int64), multiplier.reshape(shape), exponent.reshape(shape))
        return self.finish(exact, sums * (source * scales / out).reshape(shape))

    def effective(self, scales: Tensor) -> np.ndarray:
        """The real multipliers of the sums, float64, multiplied as TensorFlow Lite multiplies them."""
        source = np.float32(self.source_quantiser.scale.item())
        weights = scales.detach().numpy().astype(np.float32)
        one_scale = isinstance(self.layer, nn.Linear) and weights.size == 1
        product = (source * weights).astype(np.float64) if one_scale else source.astype(np.float64) * weights
        return product / np.float64(np.float32(self.out.scale.item()))


class Add(Step):
    """Sum of two values of one shape."""

    SHIFT = 20

    def __init__(self, name: str, a: Step, b: Step, out: ActivationQuantiser):
        super().__init__(name, [a, b], out)
        self.a, self.b = a.out, b.out

    def real(self, a: Tensor, b: Tensor) -> Tensor:
        return self.activated(a + b)

    def quantised(self, a: Tensor, b: Tensor) -> Tensor:
        scales = [np.float64(np.float32(one.scale.item())) for one in (self.a, self.b, self.out)]
        twice = 2.0 * max(scales[:2])
        total = torch.zeros_like(a, dtype=torch.int64)
        for x, quantiser, scale in ((a, self.a, scales[0]), (b, self.b, scales[1])):
            integers = rounded(x.detach() / quantiser.scale).to(torch.int64) << self.SHIFT
            total = total + rescaled(integers, *quantised_multiplier(np.array(scale / twice)))
        exact = rescaled(total, *quantised_multiplier(np.array(twice / (2.0**self.SHIFT * scales[2]))))
        return self.finish(exact, (a + b) / self.out.trained_scale(a[0].numel()))


class Concatenate(Step):
    """Values behind each other along an axis; those of another scale or zero point are rounded to the output's."""

    def __init__(self, name: str, sources: list[Step], axis: int, out: ActivationQuantiser):
        super().__init__(name, sources, out)
        self.quantisers, self.axis = [source.out for source in sources], axis

    def real(self, *x: Tensor) -> Tensor:
        return torch.cat(x, self.axis)

    def converted(self, x: Tensor, quantiser: ActivationQuantiser) -> Tensor:
        """int64 codes of the output less its zero point."""
        steps = rounded(x.detach() / quantiser.scale).to(torch.int64)
        if quantiser.scale == self.out.scale and quantiser.zero == self.out.zero:
            return steps
        scales = [np.float64(np.float32(one.scale.item())) for one in (quantiser, self.out)]
        return rescaled(steps, *quantised_multiplier(np.array(scales[0] / scales[1])))

    def quantised(self, *x: Tensor) -> Tensor:
        exact = torch.cat([self.converted(*pair) for pair in zip(x, self.quantisers)], self.axis)
        return self.finish(exact, self.real(*x) / self.out.trained_scale(exact[0].numel()))


class Multiply(Step):
    """Product of two values, of one shape or with one number a channel."""

    def __init__(self, name: str, a: Step, b: Step, out: ActivationQuantiser):
        super().__init__(name, [a, b], out)
        self.a, self.b = a.out, b.out

    def real(self, a: Tensor, b: Tensor) -> Tensor:
        return self.activated(a * b)

    def quantised(self, a: Tensor, b: Tensor) -> Tensor:
        scales = [np.float64(np.float32(one.scale.item())) for one in (self.a, self.b, self.out)]
        steps = [rounded(x.detach() / one.scale).to(torch.int64) for x, one in ((a, self.a), (b, self.b))]
        exact = rescaled(steps[0] * steps[1], *quantised_multiplier(np.array(scales[0] * scales[1] / scales[2])))
        return self.finish(exact, a * b / self.out.trained_scale(exact[0].numel()))


class Function(Step):
    """A function of one value: the device's code for each of the 256."""

    def __init__(self, name: str, source: Step, module: nn.Module, function: OnnxFunction, out: ActivationQuantiser):
        super().__init__(name, [source], out)
        self.module, self.function, self.source_quantiser = module, function, source.out

    def real(self, x: Tensor) -> Tensor:
        return self.module(x)

    def quantised(self, x: Tensor) -> Tensor:
        source = self.source_quantiser
        table = codes_of(self.function, *((one.scale.item(), int(one.zero)) for one in (source, self.out)))
        codes = rounded(x.detach() / source.scale).to(torch.int64) + source.zero
        return self.finish(table[codes + 128] - self.out.zero, self.real(x) / self.out.trained_scale(x[0].numel()))


class Moved(Step):
    """Values that move and keep their quantisation: maximum pooling, flattening, repeating."""

    def __init__(self, name: str, source: Step, function: Callable[[Tensor], Tensor], kind: str, **options: object):
        super().__init__(name, [source], source.out)
        self.function, self.kind, self.options = function, kind, options

    def real(self, x: Tensor) -> Tensor:
        return self.function(x)

    def quantised(self, x: Tensor) -> Tensor:
        return self.function(x)


class AveragePool(Step):
    """Average of windows without padding; keeps its input's quantisation."""

    def __init__(self, name: str, source: Step, kernel: tuple[int, ...], stride: tuple[int, ...]):
        super().__init__(name, [source], source.out)
        self.kernel, self.stride = kernel, stride

    def real(self, x: Tensor) -> Tensor:
        return (F.avg_pool1d if len(self.kernel) == 1 else F.avg_pool2d)(x, self.kernel, self.stride)

    def quantised(self, x: Tensor) -> Tensor:
        count = math.prod(self.kernel)
        codes = rounded(x.detach() / self.out.scale).to(torch.int64) + self.out.zero
        # The mean of at most 2^15 codes, in double, times their number: exact after rounding.
        sums = (self.real(codes.double()) * count).round().to(torch.int64)
        means = torch.div(sums + torch.sign(sums) * (count // 2), count, rounding_mode="trunc")
        return through((means - self.out.zero) * self.out.scale, self.real(x))


class Mean(Step):
    """Average of whole images or sequences: a mean, which may change the quantisation."""

    def __init__(self, name: str, source: Step, count: int, out: ActivationQuantiser):
        super().__init__(name, [source], out)
        self.source_quantiser, self.count = source.out, count

    @staticmethod
    def axes(x: Tensor) -> tuple[int, ...]:
        return tuple(range(2, x.dim()))

    def real(self, x: Tensor) -> Tensor:
        return x.mean(self.axes(x), keepdim=True)

    def quantised(self, x: Tensor) -> Tensor:
        sums = rounded(x.detach() / self.source_quantiser.scale).to(torch.int64).sum(self.axes(x), keepdim=True)
        scales = [np.float64(np.float32(one.scale.item())) for one in (self.source_quantiser, self.out)]
        multiplier, exponent = quantised_multiplier(np.array(scales[0] / scales[1]))
        # The reference divides the fixed-point multiplier, after shifting it to the left as far as 64 bits allow.
        shift = min(self.count.bit_length() - 1, 32, 31 + int(exponent))
        exact = rescaled(sums, (multiplier << shift) // self.count, exponent - shift)
        return self.finish(exact, self.real(x) / self.out.trained_scale(sums[0].numel()))
