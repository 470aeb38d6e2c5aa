# SPDX-License-Identifier: Apache-2.0
"""How a network is quantised."""
from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping
from typing import Union

#: The largest magnitude of a weight, by the name of its kind.
WEIGHTS = {"int8": 127, "4bit": 7, "ternary": 1}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How `prepare` quantises.

    `weights`: "int8" (-127 to 127), "4bit" (-7 to 7) or "ternary" (-1, 0, 1), for all layers or by a pattern over the
    layers' names in the module (`{"*": "4bit", "head.*": "int8"}`); the last pattern that fits counts.
    `per_channel`: a weight scale for each output channel, else one for the layer.
    `power_of_two`: all scales are powers of two.
    `learned_scales`: the scales of activations and of narrow weights are trained too (Esser et al., Learned Step Size
    Quantization, 2020); otherwise calibration fixes those of activations.
    """

    weights: Union[str, Mapping[str, str]] = "int8"
    per_channel: bool = True
    power_of_two: bool = False
    learned_scales: bool = False

    def __post_init__(self) -> None:
        for kind in self._patterns().values():
            if kind not in WEIGHTS:
                raise ValueError(f"weights of kind '{kind}'; there are {', '.join(WEIGHTS)}")

    def _patterns(self) -> Mapping[str, str]:
        return {"*": self.weights} if isinstance(self.weights, str) else self.weights

    def limit_of(self, layer: str) -> int:
        """The largest magnitude of the layer's weights."""
        kind = "int8"
        for pattern, named in self._patterns().items():
            if fnmatch.fnmatchcase(layer, pattern):
                kind = named
        return WEIGHTS[kind]
