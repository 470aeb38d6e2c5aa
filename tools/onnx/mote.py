# SPDX-License-Identifier: Apache-2.0
"""Runs a model with Mote on the host, and ONNX Runtime's way of laying out tensors on top of it."""
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np

NOTE = re.compile(r"^(input|output) '(.*)' has its channels last, ")


class Refused(Exception):
    """Mote does not compile the model; the text says why."""


def channels_last(array):
    return np.moveaxis(array, 1, -1)


def channels_first(array):
    return np.moveaxis(array, -1, 1)


def call(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Refused((done.stderr or f"exit status {done.returncode}").strip())
    return done.stdout


def moved_names(notes, kind):
    """Names of the inputs or outputs whose channels Mote has last."""
    found = (NOTE.match(note) for note in notes)
    return {match.group(2) for match in found if match and match.group(1) == kind}


def run(program, model, inputs, shapes=()):
    """Outputs by name, in the file's layout. `inputs`: name and array, in the file's order and layout."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        flags = [part for shape in shapes for part in ("--shape", shape)]
        moved = {name for name, array in inputs if array.ndim == 4}
        if any(array.ndim in (3, 5) for _, array in inputs):  # these depend on what reads them
            moved = moved_names(json.loads(call(program, "inspect", str(model), "--json", *flags))["notes"], "input")
        for index, (name, array) in enumerate(inputs):
            file = path / f"in{index}.npy"
            np.save(file, np.ascontiguousarray(channels_last(array) if name in moved else array))
            flags += ["--input", str(file)]
        out = path / "out"
        call(program, "run", str(model), "--json", "--output", str(out), *flags)
        report = json.loads((out / "report.json").read_text())
        return {one["name"]: read_output(out, one, moved_names(report["notes"], "output"))
                for one in report["outputs"]}


DTYPES = {"i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16, "i32": np.int32, "u32": np.uint32,
          "i64": np.int64, "u64": np.uint64, "f32": np.float32, "bool": np.bool_}


def read_output(folder, output, moved):
    array = np.fromfile(folder / output["file"], DTYPES[output["dtype"]]).reshape(output["shape"])
    return channels_first(array) if output["name"] in moved else array
