# SPDX-License-Identifier: Apache-2.0
"""What the package raises, beside the library's own Error."""
from ._mote import Error


class ShapeError(Error, ValueError):
    """An array whose shape, or a number of arrays that, the model does not take."""


class DTypeError(Error, TypeError):
    """An array whose dtype the model does not take."""


class MissingPackageError(Error, ImportError):
    """A Python package that only this function needs is not installed."""


class RecordError(Error):
    """A record of a head's parameters that is not taken: the head stays as it is.

    `reason`: "none" (no record at all), "other version", "damaged" or "other model".
    """

    def __init__(self, text: str, reason: str):
        super().__init__(text)
        self.reason = reason


class CallError(Error):
    """A call on a device that did not come back with a result.

    `status`: "fault", "deadline" or "cancelled". `pc`, `address` and `stack_pointer` are the device's, where it stopped;
    `cause` is the core's own number of the fault, 0 without one. The text has the cause in words.
    """

    def __init__(self, text: str, status: str, pc: int, address: int, cause: int, stack_pointer: int):
        super().__init__(text)
        self.status = status
        self.pc = pc
        self.address = address
        self.cause = cause
        self.stack_pointer = stack_pointer
