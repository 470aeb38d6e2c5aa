# SPDX-License-Identifier: Apache-2.0
"""A model that was compiled for a target: its files, its sizes, its runs in the emulator."""
from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Optional, Union

import numpy as np

from . import _mote
from ._arrays import Arrays, Tensor, batch_of, dequantised, empty_outputs


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Bytes. None: not measured, because nothing was built or the target is the host."""

    arena: int  #: RAM for tensors and states
    weights: int  #: flash
    code: Optional[int]  #: flash: text, tables and library routines that the model needs
    stack: Optional[int]  #: no run can use more

    @property
    def ram(self) -> Optional[int]:
        """Arena and stack."""
        return None if self.stack is None else self.arena + self.stack

    @property
    def flash(self) -> Optional[int]:
        """Weights and code."""
        return None if self.code is None else self.weights + self.code


@dataclasses.dataclass(frozen=True)
class Layer:
    """A step of a run, by what it costs. None: not measured."""

    name: str
    op: str
    macs: int
    instructions: Optional[int]
    code_bytes: Optional[int]


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run on the target gave and cost. Instructions are the emulator's, exact and repeatable; no cycles."""

    outputs: list[np.ndarray]
    instructions: list[int]  #: one number for each run of the batch; empty for the host
    stack_peak_bytes: Optional[int]  #: the most that any of them used
    layers: list[Layer]  #: of the first run

    @property
    def output(self) -> np.ndarray:
        """The first output."""
        return self.outputs[0]


class Artifact:
    """Generated C++ for one target. `Model.compile` makes one."""

    def __init__(self, artifact: _mote.Artifact, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]):
        self._artifact = artifact
        self._inputs = inputs
        self._outputs = outputs
        #: What report.json says (SPEC.md lists the keys), without the list of files.
        self.details: dict[str, Any] = json.loads(artifact.report())

    @property
    def target(self) -> str:
        """The target's name."""
        return self.details["target"]

    @property
    def files(self) -> dict[str, str]:
        """Texts by paths below the output folder: NAME.h, NAME.cpp, the kernel headers that they use."""
        return self._artifact.files(None)

    def package(self, ecosystem: str) -> dict[str, str]:
        """The same as a package with an example application: cmake, esp-idf, arduino, platformio or zephyr."""
        return self._artifact.files(ecosystem)

    @property
    def sizes(self) -> Sizes:
        """Arena, weights, code and stack in bytes."""
        details = self.details
        return Sizes(details["arena_bytes"], details["weight_bytes"], details["code_bytes"], details["stack_bound_bytes"])

    def save(self, directory: Union[str, os.PathLike], package: Optional[str] = None) -> None:
        """Writes the files and report.json, whole or not at all, as `mote compile -o` does.

        Raises mote.Error where the folder holds files that Mote did not write.
        """
        self._artifact.save(os.fspath(directory), package)

    def run(self, x: Arrays, *, dequantize: bool = False, sequence: bool = False, profile: bool = True) -> Run:
        """Runs the generated code on the target: in the emulator, or in the simulator for the host.

        `x`, `dequantize` and `sequence` as for `Model.run`. `profile=False` leaves out the second build, which counts
        the instructions of each layer. Raises mote.Error when a cross compiler or emulator is missing.
        """
        batch = batch_of(x, self._inputs, dequantize)
        outputs = empty_outputs(batch, self._outputs)
        report = json.loads(self._artifact.run(batch.arrays, outputs, batch.count, sequence, profile))
        layers = [Layer(one["name"], one["op"], one["macs"], one["instructions"], one["code_bytes"])
                  for one in report["layers"]]
        if dequantize:
            outputs = [dequantised(array, tensor) for array, tensor in zip(outputs, self._outputs)]
        return Run(outputs, report["instructions_of_runs"], report["stack_peak_bytes"], layers)

    def report(self, path: Union[str, os.PathLike], *, measure: bool = False) -> None:
        """Writes the page of `mote report`: one HTML file that needs no network.

        `measure=True` runs the model once in the emulator, for instructions and stack. Raises mote.Error where the path is
        a file that no report wrote.
        """
        self._artifact.write_page(os.fspath(path), measure)

    def __repr__(self) -> str:
        sizes = self.sizes
        return (f"<mote.Artifact {self.details['model']} for {self.target} ({self.details['mode']}): arena {sizes.arena} B, "
                f"weights {sizes.weights} B, code {sizes.code} B, stack {sizes.stack} B>")
