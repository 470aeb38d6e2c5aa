# SPDX-License-Identifier: Apache-2.0
"""Scales and zero points: of activations, from observed values; of weights, from the weights."""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ._arithmetic import rounded, through

_LEAST_SCALE = 2.0**-30


def _scale(logarithm: Tensor, power: bool, elements: int, limit: int) -> Tensor:
    """2^logarithm, float32, or the nearest power of two.

    Trained as logarithms (Jain et al., Trained Quantization Thresholds, 2019), so that a step's size does not depend on
    the scale's; the gradient is divided by sqrt(elements * limit) as in Learned Step Size Quantization.
    """
    if not logarithm.requires_grad:
        return torch.exp2(torch.round(logarithm) if power else logarithm)
    exact = torch.exp2(torch.round(logarithm.detach()) if power else logarithm.detach())
    return through(exact, torch.exp2(logarithm) / math.sqrt(elements * limit))


class ActivationQuantiser(nn.Module):
    """One scale and zero point, int8. `lowest` 0: what follows a ReLU."""

    def __init__(self, name: str, lowest_zero: bool, most: float, power: bool, learned: bool):
        super().__init__()
        self.name, self.lowest_zero, self.most, self.power = name, lowest_zero, most, power
        self.logarithm = nn.Parameter(torch.tensor(0.0), requires_grad=learned)
        self.register_buffer("zero", torch.tensor(0, dtype=torch.int64))
        self.register_buffer("low", torch.tensor(math.inf))
        self.register_buffer("high", torch.tensor(-math.inf))

    @property
    def scale(self) -> Tensor:
        """float32, positive, without gradient."""
        return _scale(self.logarithm.detach(), self.power, 1, 1)

    def trained_scale(self, elements: int) -> Tensor:
        """The same with its gradient, for `elements` values."""
        return _scale(self.logarithm, self.power, elements, 127)

    def observe(self, x: Tensor) -> None:
        if not torch.isfinite(x).all():
            raise ValueError(f"'{self.name}' has a value that is not finite during calibration")
        self.low = torch.minimum(self.low, x.detach().min())
        self.high = torch.maximum(self.high, x.detach().max())

    @property
    def observed(self) -> bool:
        return bool(self.high >= self.low)

    def freeze(self) -> None:
        """Takes the scale and zero point from what was observed; 0 is represented exactly."""
        low = min(float(self.low), 0.0)
        high = max(float(self.high), 0.0)
        if self.lowest_zero:
            low = 0.0
        high = min(high, self.most) if self.most < math.inf else high
        scale = max((high - low) / 255.0, _LEAST_SCALE)
        if self.power:  # not narrower than the range
            scale = 2.0 ** math.ceil(math.log2(scale) - 1e-6)
        with torch.no_grad():
            self.logarithm.fill_(math.log2(scale))
        exact = self.scale.item()
        self.zero.fill_(-128 if self.lowest_zero else max(-128, min(127, round(-128 - low / exact))))

    def bounds(self) -> tuple[int, int]:
        """The codes that the fused activation leaves."""
        if not self.lowest_zero:
            return -128, 127
        high = 127
        if self.most < math.inf:  # as the compiler clamps: round(most / scale) + zero
            high = min(127, int(self.zero) + int(math.floor(self.most / self.scale.item() + 0.5)))
        return max(-128, int(self.zero)), high

    def codes(self, x: Tensor) -> Tensor:
        """int8 codes of real numbers, as float, straight-through."""
        return (rounded(x / self.scale) + self.zero).clamp(-128, 127)

    def real(self, codes: Tensor, scale: Tensor) -> Tensor:
        return (codes - self.zero) * scale


class FixedQuantiser(ActivationQuantiser):
    """A scale and zero point that the layer's function gives."""

    def __init__(self, name: str, logarithm: int, zero: int):
        super().__init__(name, False, math.inf, True, False)
        self.logarithm.fill_(float(logarithm))
        self.zero.fill_(zero)

    def freeze(self) -> None:
        """Nothing follows from what was observed."""


class WeightQuantiser(nn.Module):
    """Symmetric integers of a weight tensor [out, ...], `limit` at most, one scale or one for each output channel."""

    def __init__(self, weight: Tensor, limit: int, per_channel: bool, power: bool, learned: bool):
        super().__init__()
        self.limit, self.per_channel, self.power = limit, per_channel, power
        self.logarithm = nn.Parameter(self._fitting(weight.detach()).log2(), requires_grad=learned and limit < 127)

    def _rows(self, weight: Tensor) -> Tensor:
        return weight.flatten(1) if self.per_channel else weight.reshape(1, -1)

    def _largest(self, weight: Tensor) -> Tensor:
        return self._rows(weight).abs().amax(1).clamp(min=_LEAST_SCALE * self.limit) / self.limit

    def _fitting(self, weight: Tensor) -> Tensor:
        """The scales with the least squared error among fractions of the largest."""
        largest = self._largest(weight)
        if self.limit == 127:
            return largest
        rows = self._rows(weight)
        best, least = largest.clone(), torch.full_like(largest, math.inf)
        for part in torch.linspace(0.1, 1.0, 91):
            scale = (largest * part)[:, None]
            error = ((rows / scale).round().clamp(-self.limit, self.limit) * scale - rows).square().sum(1)
            best = torch.where(error < least, scale[:, 0], best)
            least = torch.minimum(error, least)
        return best

    def refit(self, weight: Tensor) -> None:
        with torch.no_grad():
            self.logarithm.copy_(self._fitting(weight.detach()).log2())

    def scales(self, weight: Tensor) -> Tensor:
        """float32 [out] or [1]: of 8-bit weights those of the weights as they are, else fixed or learned."""
        logarithm = self._largest(weight.detach()).log2() if self.limit == 127 else self.logarithm
        return _scale(logarithm, self.power, weight.numel() // logarithm.numel(), self.limit)

    def integers(self, weight: Tensor, scales: Tensor) -> Tensor:
        """Integers as float, straight-through."""
        shape = (-1,) + (1,) * (weight.dim() - 1)
        return rounded(weight / scales.reshape(shape)).clamp(-self.limit, self.limit)
