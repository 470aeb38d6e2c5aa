# SPDX-License-Identifier: Apache-2.0
"""A board that runs Mote's agent: models are loaded into it while it runs, called, and replaced."""
from __future__ import annotations

import dataclasses
import json
import math
import os
import weakref
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np

from . import _mote
from ._arrays import Arrays, batch_of, dequantised, empty_outputs
from ._errors import DTypeError, ShapeError
from ._model import Model, Outputs, load


@dataclasses.dataclass(frozen=True)
class Region:
    """A memory of the device for loaded code. Bytes; `Device.heap` fills in the last four."""

    name: str
    begin: int  #: its first address
    bytes: int
    executable: bool
    free: int
    largest_free: int  #: the largest block that could be allocated
    high_water: int  #: the most that was taken since the device has started
    blocks: int


@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    """What a device says of itself when it is connected."""

    target: str  #: a name of `mote.targets()`
    board: str
    firmware_id: str  #: hexadecimal; empty: unknown
    payload_bytes: int  #: the most that one message carries
    window: int  #: messages that may be under way
    counter_hz: int
    keyed: bool  #: only its owner's key may load and call
    protects: bool  #: loaded code reaches only its own memory
    regions: tuple[Region, ...]


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """An entry of the device's table of models."""

    name: str
    id: int
    serving: bool
    bytes: int
    input_bytes: int
    output_bytes: int
    calls: int
    faults: int  #: calls that did not come back with a result


@dataclasses.dataclass(frozen=True)
class LinkFigures:
    """Bytes on the wire since the device was connected; messages that were sent again; frames that were spoiled."""

    bytes_out: int
    bytes_in: int
    repeated: int
    dropped: int


@dataclasses.dataclass(frozen=True)
class Profile:
    """What the device measured during its last call. 0: not measured."""

    instructions: int
    cycles: int
    stack_bytes: int  #: that were used, when the call had `paint_stack=True`
    elapsed_ms: int


def _regions(entries: list[dict[str, Any]]) -> tuple[Region, ...]:
    return tuple(Region(**entry) for entry in entries)


def _profile(connection: _mote.Connection) -> Profile:
    return Profile(**json.loads(connection.profile()))


def deadline_seconds(deadline: Optional[float]) -> float:
    """The library takes 0 for the device's own deadline; a caller's 0 would be a mistake."""
    if deadline is None:
        return 0.0
    if not (isinstance(deadline, (int, float)) and math.isfinite(deadline) and deadline > 0):
        raise _mote.Error(f"a deadline is a positive number of seconds, not {deadline!r}")
    return float(deadline)


class DeviceModel:
    """A model on a device. `Device.load` makes one; calling it is `run`."""

    def __init__(self, connection: _mote.Connection, model: Model, loaded: _mote.OnDevice):
        self._connection = connection
        self._model = model
        self._loaded = loaded

    @property
    def name(self) -> str:
        """The name that it serves under."""
        return self._loaded.name

    @property
    def bytes(self) -> int:
        """Memory on the device."""
        return self._loaded.bytes

    @property
    def sent_bytes(self) -> int:
        """What was sent to load it; 0 where it was there already."""
        return self._loaded.sent_bytes

    @property
    def kept_bytes(self) -> int:
        """Weights that the device had of another model and that were not sent."""
        return self._loaded.kept_bytes

    @property
    def already_there(self) -> bool:
        """Did the same program serve already?"""
        return self._loaded.already_there

    @property
    def memory(self) -> dict[str, int]:
        """The bytes by what they are for: code, constants (weights, tables, the image's record), stack, arena."""
        return json.loads(self._loaded.memory)

    def run(self, x: Arrays, *, dequantize: bool = False, deadline: Optional[float] = None,
            paint_stack: bool = False) -> Outputs:
        """Runs the model on the device: `x`, `dequantize` and what is returned as for `Model.run`.

        The runs of a batch are calls one behind the other. A model with state goes on from where its last run left it,
        also a run of another program; `reset` takes it back to the begin.

        `deadline`: seconds that each run may take; absent, the device's own limit of 10. `paint_stack=True` has the
        device measure the stack, for `profile`.

        The interpreter lock is released meanwhile. Ctrl-C cancels the run on the device, and the next one is as any
        other. Raises mote.CallError for a run that failed, mote.Error when the device does not answer or has no such
        model any more.
        """
        batch = batch_of(x, self._model.inputs, dequantize)
        outputs = empty_outputs(batch, self._model.outputs)
        self._loaded.run(self._connection, batch.arrays, outputs, batch.count, deadline_seconds(deadline), paint_stack)
        if dequantize:
            outputs = [dequantised(array, tensor) for array, tensor in zip(outputs, self._model.outputs)]
        return outputs[0] if len(outputs) == 1 else outputs

    __call__ = run

    def profile(self) -> Profile:
        """Of the device's last call: for a batch its last run."""
        return _profile(self._connection)

    def reset(self) -> None:
        """Gives a model with state (LSTM, SVDF, streaming layers) its initial one."""
        self._loaded.reset(self._connection)

    def unload(self) -> None:
        """Takes it from the device, which gets the memory back."""
        self._loaded.unload(self._connection)

    def __repr__(self) -> str:
        return f"<mote.DeviceModel {self.name}: {self.bytes} B>"


@dataclasses.dataclass(frozen=True)
class Parameter:
    """What a function takes at one place."""

    name: str
    type: str  #: as the source has it
    dtype: np.dtype  #: of the number, or of the array's elements
    array: bool
    written: bool  #: the function may change the array's elements


class DeviceFunction:
    """A C or C++ function on a device. `Device.load_function` makes one; calling it is `call`."""

    def __init__(self, connection: _mote.Connection, function: _mote.FunctionOnDevice):
        self._connection = connection
        self._function = function
        signature = json.loads(function.signature())
        #: The declaration, as it was understood.
        self.signature: str = signature["text"]
        #: None: the function returns nothing.
        self.result: Optional[np.dtype] = None if signature["result"] is None else np.dtype(signature["result"])
        self.parameters = tuple(Parameter(**{**one, "dtype": np.dtype(one["dtype"])}) for one in signature["parameters"])

    @property
    def name(self) -> str:
        """The name that it serves under."""
        return self._function.name

    @property
    def bytes(self) -> int:
        """Memory on the device."""
        return self._function.bytes

    @property
    def sent_bytes(self) -> int:
        """What was sent to load it; 0 where it was there already."""
        return self._function.sent_bytes

    @property
    def already_there(self) -> bool:
        """Did the same program serve already?"""
        return self._function.already_there

    @property
    def stack_bound(self) -> Optional[int]:
        """Bytes of stack that no call can exceed; None: not known (recursion, calls through pointers)."""
        return self._function.stack_bound

    def call(self, *arguments: Any, deadline: Optional[float] = None, paint_stack: bool = False) -> Any:
        """Calls the function on the device with numbers, arrays of the parameters' dtypes, or None for a null pointer.

        Arrays that the function writes are written in their place, so they must be contiguous numpy arrays; what it
        only reads may also be a list. Returns the function's result, or None. `deadline` and `paint_stack` as for
        `DeviceModel.run`. Raises mote.CallError for a call that failed, mote.DTypeError for an array of another dtype,
        mote.Error for a number or an array that does not fit.
        """
        values = list(arguments)
        for i, parameter in enumerate(self.parameters[:len(values)]):
            values[i] = _argument(parameter, values[i])
        result = self._function.call(self._connection, values, deadline_seconds(deadline), paint_stack)
        return bool(result) if self.result == np.bool_ else result

    __call__ = call

    def profile(self) -> Profile:
        """Of the device's last call."""
        return _profile(self._connection)

    def unload(self) -> None:
        """Takes it from the device, which gets the memory back."""
        self._function.unload(self._connection)

    def __repr__(self) -> str:
        return f"<mote.DeviceFunction {self.signature}>"


def _argument(parameter: Parameter, value: Any) -> Any:
    if value is None:
        return None
    if not parameter.array:
        if isinstance(value, (bool, np.bool_)):
            return int(value)
        return value.item() if isinstance(value, np.generic) else value
    if parameter.written:
        if not isinstance(value, np.ndarray):
            raise DTypeError(f"'{parameter.name}' is written: give a numpy array of {parameter.dtype}")
        if not (value.flags.c_contiguous and value.flags.writeable):
            raise _mote.Error(f"'{parameter.name}' is written: its array must be contiguous and writable")
    array = value if isinstance(value, np.ndarray) else np.asarray(value, parameter.dtype)
    if array.dtype != parameter.dtype:
        raise DTypeError(f"'{parameter.name}' needs {parameter.dtype}, the array has {array.dtype}")
    return array if parameter.written else np.ascontiguousarray(array)


class Device:
    """A device that runs Mote's agent.

        with mote.Device("qemu:rv32imafc") as device:
            model = device.load("digits.tflite", check=True)
            scores = model(images)
            print(model.profile().instructions)

    `address`: "qemu:TARGET" (an emulated board of its own), "tcp://HOST:PORT", "/dev/ttyUSB0@115200" or "pty:/dev/pts/3".
    `key`: the file with its owner's secret key, for a device that obeys nobody else. Loaded models stay on the device
    when the connection is closed. Threads may share a device: their requests wait for each other. Raises mote.Error
    when nobody answers.
    """

    def __init__(self, address: str, *, key: Union[None, str, os.PathLike] = None):
        self._connection = _mote.Connection(os.fspath(address), None if key is None else os.fspath(key))
        self._close = weakref.finalize(self, self._connection.close)
        self._address = address
        info = json.loads(self._connection.info())
        self._info = DeviceInfo(**{**info, "regions": _regions(info["regions"])})

    def close(self) -> None:
        """Ends the connection, and the emulator where it belongs to it. Also the end of a `with` block."""
        self._close()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._connection.is_open else ", closed"
        return f"<mote.Device {self._address}: {self._info.board} ({self._info.target}){state}>"

    @property
    def info(self) -> DeviceInfo:
        """What the device is."""
        return self._info

    @property
    def link(self) -> LinkFigures:
        """What has gone over the wire so far."""
        return LinkFigures(**json.loads(self._connection.statistics()))

    def heap(self) -> tuple[Region, ...]:
        """The device's memory for loaded code, with what is free."""
        return _regions(json.loads(self._connection.heap()))

    def models(self) -> list[LoadedModel]:
        """What is loaded, by whomever."""
        return [LoadedModel(**entry) for entry in json.loads(self._connection.models())]

    def load(self, model: Union[Model, str, os.PathLike, Any], name: Optional[str] = None, optimize: str = "balanced",
             check: Union[None, bool, tuple[Arrays, Arrays]] = None, again: bool = False) -> DeviceModel:
        """Compiles a model for the device, sends what the device does not have, and puts the model into service.

        `model`: a mote.Model, what has one (mote.Sequential, the result of mote.quantize), or a file's path. `name`:
        that it serves under, at most 23 letters; absent, the model's. An older model of that name serves until the new
        one takes over, and stays when anything fails.

        `check` decides whether it takes over: True compares its outputs for random input with the host's;
        (inputs, outputs), as of `Model.run`, are what it must give to the byte.

        The same program is not sent again unless `again=True`. Raises mote.Error: no memory (how much is missing, what
        could be unloaded), no compiler, a failed check.
        """
        model = _model_of(model)
        inputs: list[np.ndarray] = []
        outputs: list[np.ndarray] = []
        count = 0
        if check is not None and not isinstance(check, bool):
            given, expected = check
            batch = batch_of(given, model.inputs, False)
            inputs, count = batch.arrays, batch.count
            other = batch_of(expected, model.outputs, False)
            if other.count != count:
                raise ShapeError(f"the check has {count} inputs and {other.count} outputs")
            outputs = other.arrays
        loaded = self._connection.load(model._model, name, optimize, again, check is True, inputs, outputs, count)
        return DeviceModel(self._connection, model, loaded)

    def load_function(self, source: Union[str, os.PathLike], function: str, *, name: Optional[str] = None,
                      flags: str = "", out: Sequence[str] = (), sources: Sequence[Union[str, os.PathLike]] = (),
                      includes: Sequence[Union[str, os.PathLike]] = (), defines: Sequence[str] = (), standard: str = "",
                      frame_bytes: int = 1024, stack_bytes: int = 0, again: bool = False) -> DeviceFunction:
        """Compiles a C or C++ function for the device and loads it: `device.load_function("fir.c", "fir", out=["y"])`.

        `source` is read only; `function` may have namespaces ("dsp::fir"). `flags` are the compiler's ("-O3"), `out` the
        arrays that the function only writes, so that they are not sent; `sources` are compiled beside it, `includes`
        are folders of headers, `defines` as "TAPS=8", `standard` as "c++20". `frame_bytes`: room for the arguments and
        results of one call. `stack_bytes`: 0 stands for what its calls can need at most where that is known, else 8 KiB.
        docs/functions.md says which functions can be called. Raises mote.Error with the compiler's words.
        """
        loaded = _mote.load_function(self._connection, os.fspath(source), function, name or "", flags, list(out),
                                     [os.fspath(one) for one in sources], [os.fspath(one) for one in includes],
                                     list(defines), standard, frame_bytes, stack_bytes, again)
        return DeviceFunction(self._connection, loaded)

    def unload(self, name: str) -> None:
        """Takes the model of this name from the device. Raises mote.Error that lists the names there are."""
        self._connection.unload(name)

    def profile(self) -> Profile:
        """Of the last call of any model."""
        return _profile(self._connection)

    def log(self) -> str:
        """What loaded code has logged since it was last asked; the device keeps the newest only."""
        return self._connection.log().decode("utf-8", "replace")

    def allocate(self, nbytes: int, kind: str = "data", *, alignment: int = 64, region: Optional[str] = None) -> int:
        """Takes memory of the device until `release`, at most until the connection ends. Returns its address.

        `kind`: what loaded code may do there: "data" (read and write), "constants" (read) or "code" (run). `region`: a
        name of `heap()`; absent, any.
        """
        return self._connection.allocate(nbytes, kind, alignment, region or "")

    def release(self, address: int) -> None:
        """Gives back what `allocate` took."""
        self._connection.release(address)

    def write(self, address: int, array: Any) -> None:
        """Writes an array's bytes, in C order, into memory that this connection has allocated."""
        self._connection.write(address, np.ascontiguousarray(array).reshape(-1))

    def read(self, address: int, shape: Union[int, tuple[int, ...]], dtype: Any = np.uint8) -> np.ndarray:
        """An array of the device's memory for loaded code: of allocated blocks and of models, no other."""
        array = np.empty(shape, np.dtype(dtype))
        self._connection.read(address, array.reshape(-1))
        return array

    def restart(self) -> None:
        """The device starts anew, with nothing loaded. The connection is over: make another Device."""
        self._connection.reset()
        self.close()


def _model_of(model: Any) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return load(model)
    own = getattr(model, "model", None)
    own = own() if callable(own) else own
    if isinstance(own, Model):
        return own
    raise _mote.Error(f"{type(model).__name__} is no model; give a mote.Model, a mote.Sequential or a file's path")
