# SPDX-License-Identifier: Apache-2.0
"""Plain Python dictionaries to a .tflite file, by FlatBuffers' own flatc and src/formats/tflite.fbs."""
import json
import pathlib
import subprocess
import tempfile

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "src" / "formats" / "tflite.fbs"


def write(model, path):
    """Same dictionary, same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder) / "model.json"
        text.write_text(json.dumps(model))
        subprocess.run(["flatc", "-b", "-o", folder, SCHEMA, text], check=True)
        pathlib.Path(path).write_bytes((pathlib.Path(folder) / "model.tflite").read_bytes())
