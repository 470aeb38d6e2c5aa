# SPDX-License-Identifier: Apache-2.0
"""A prepared network: the layers of a module in their order, in one of three phases."""
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ._steps import Input, Step, Weighted


class Network(nn.Module):
    """What `prepare` makes. Trained like any module; `phase` says what its forward pass computes.

    "float": the module's real arithmetic. "calibrate": the same, and ranges are observed. "quantised": the integers of
    the device, as real numbers, with straight-through gradients.
    """

    PHASES = ("float", "calibrate", "quantised")

    def __init__(self, steps: list[Step], output: str, example: Tensor):
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self.output = output
        self.example_shape = tuple(example.shape)
        self._phase = "float"

    @property
    def phase(self) -> str:
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        if phase not in self.PHASES:
            raise ValueError(f"there is no phase '{phase}'; there are {', '.join(self.PHASES)}")
        if phase == "quantised":
            unseen = [step.name for step in self.steps if not step.out.observed]
            if unseen:
                raise ValueError(f"no values were observed for {', '.join(unseen)}; run mote.torch.calibrate first")
        self._phase = phase

    def _values(self, x: Tensor) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {}
        for step in self.steps:
            inputs = [x] if isinstance(step, Input) else [values[name] for name in step.inputs]
            values[step.name] = step.quantised(*inputs) if self._phase == "quantised" else step.real(*inputs)
            if self._phase == "calibrate":
                step.out.observe(values[step.name])
        return values

    def forward(self, x: Tensor) -> Tensor:
        """Real outputs for a batch [N, ...]; in the phase "quantised", multiples of the output's scale."""
        return self._values(x)[self.output]

    @property
    def layers(self) -> list[str]:
        """The names of all quantised values: the input, then each layer's output."""
        return [step.name for step in self.steps]

    def weighted(self) -> list[Weighted]:
        """Convolutions and linear layers, in their order."""
        return [step for step in self.steps if isinstance(step, Weighted)]

    def quantise(self, x: Tensor) -> np.ndarray:
        """The model's int8 inputs for real numbers [N, C, H, W], [N, C, L] or [N, features]; the channels become last."""
        with torch.no_grad():
            return _codes(self.steps[0].out.codes(x.detach()))

    def integers(self, x: Tensor) -> dict[str, np.ndarray]:
        """int8 values of every layer by its name, for a batch of real inputs; channels last, as in the compiled model."""
        phase, training = self._phase, self.training
        self.phase = "quantised"
        self.eval()
        try:
            with torch.no_grad():
                values = self._values(x)
                return {step.name: _codes(torch.round(values[step.name] / step.out.scale) + step.out.zero)
                        for step in self.steps}
        finally:
            self._phase = phase
            self.train(training)


def _codes(codes: Tensor) -> np.ndarray:
    array = codes.numpy().astype(np.int8)
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))
