# SPDX-License-Identifier: Apache-2.0
"""What the package raises, beside the library's own Error."""
from ._mote import Error


class ShapeError(Error, ValueError):
    """An array whose shape, or a number of arrays that, the model does not take."""


class DTypeError(Error, TypeError):
    """An array whose dtype the model does not take."""


class MissingPackageError(Error, ImportError):
    """A Python package that only this function needs is not installed."""
