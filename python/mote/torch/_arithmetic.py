# SPDX-License-Identifier: Apache-2.0
"""The device's integer arithmetic in tensors (the formulas are SPEC.md's), and gradients that pass through it."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class _Round(torch.autograd.Function):
    """Halves away from zero; its gradient is 1."""

    @staticmethod
    def forward(_, x: Tensor) -> Tensor:
        return torch.trunc(x + torch.copysign(torch.full_like(x, 0.5), x))

    @staticmethod
    def backward(_, gradient: Tensor) -> Tensor:
        return gradient


def rounded(x: Tensor) -> Tensor:
    """The nearest integers, halves away from zero, with straight-through gradients (Bengio et al., 2013)."""
    return _Round.apply(x)


def through(exact: Tensor, real: Tensor) -> Tensor:
    """The values of `exact` with the gradients of `real`."""
    return real + (exact.to(real.dtype) - real).detach()


def quantised_multiplier(real: np.ndarray) -> tuple[Tensor, Tensor]:
    """(m, e) of real multipliers, float64: real = m / 2^31 * 2^e with m in [2^30, 2^31]."""
    fraction, exponent = np.frexp(np.asarray(real, np.float64))
    multiplier = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    carried = multiplier == 2**31
    multiplier = np.where(carried, multiplier // 2, multiplier)
    exponent = exponent.astype(np.int64) + carried
    small = exponent < -31
    return torch.from_numpy(np.where(small, 0, multiplier)), torch.from_numpy(np.where(small, 0, exponent))


def rescaled(x: Tensor, multiplier: Tensor, exponent: Tensor) -> Tensor:
    """x times m / 2^31 * 2^e in int64 tensors, with gemmlowp's two roundings."""
    left, right = exponent.clamp(min=0), (-exponent).clamp(min=0)
    high = ((x << left) * multiplier + (1 << 30)) >> 31
    mask = (torch.ones_like(right) << right) - 1
    above = (high & mask) > (mask >> 1) + (high < 0).to(torch.int64)
    return (high >> right) + above.to(torch.int64)
