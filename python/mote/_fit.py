# SPDX-License-Identifier: Apache-2.0
"""Does a model fit a board?"""
from __future__ import annotations

import dataclasses
import json
from typing import Any, Optional

from . import _mote


@dataclasses.dataclass(frozen=True)
class Fit:
    """A verdict on one board."""

    board: str
    verdict: str  #: "fits", "tight" or "does not fit", with the plan that asks for no board
    answer: str  #: the same, or "fits with --board", "tight with --board" where `mote compile --board` makes it fit
    ram_missing_bytes: int  #: 0 where it fits
    flash_missing_bytes: int
    milliseconds: float  #: of a run, an estimate: instructions x cycles per instruction / clock
    exact: bool  #: compiled and run in the emulator; else code, stack and instructions are estimates
    details: dict[str, Any]  #: all of what `mote fit --json` says about the board

    @property
    def fits(self) -> bool:
        """Nothing is missing, though it may be tight."""
        return self.verdict != "does not fit"

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """What was computed that would make it fit, or fit better."""
        return self.details["alternatives"]


def fit_from(entry: dict[str, Any]) -> Fit:
    return Fit(entry["board"], entry["verdict"], entry["answer"], entry["ram_missing_bytes"],
               entry["flash_missing_bytes"], entry["milliseconds"], entry["exact"], entry)


def boards() -> list[dict[str, Any]]:
    """The boards that are known: name, description, target, clock, memories, and the source of every figure."""
    return json.loads(_mote.boards())


def targets() -> list[dict[str, str]]:
    """What models can be compiled for: name, description, note."""
    return json.loads(_mote.targets())
