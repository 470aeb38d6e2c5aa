# SPDX-License-Identifier: Apache-2.0
"""Transfer learning from end to end: a backbone of five classes, five others learned in the emulator."""
import json
import subprocess
import sys

import pytest
from test_examples import ROOT, write_images


@pytest.mark.parametrize("target, layers, epochs, parameters, percent",
                         [("rv32imac", "1", "3", 5780, 80), ("cortex-m4f", "2", "10", 4 * (32 * 289 + 5 * 33), 60)])
def test_other_classes_are_learned_in_the_emulator(tmp_path, target, layers, epochs, parameters, percent):
    """`percent` of five classes, at least: a narrow hidden layer of other classes is a worse beginning."""
    write_images(tmp_path)
    out = tmp_path / "figures.json"
    run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / "transfer_head.py"), "--data", str(tmp_path), "--json",
                          str(out), "--target", target, "--layers", layers, "--per-class", "20", "--head-epochs", epochs, "--test-images",
                          "60", "--out", str(tmp_path / "digits.onnx")], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(out.read_text())
    assert figures["same_bits"] and figures["emulated"] > percent
    assert f"head {figures['head_ram_bytes']} B (parameters {parameters}," in run.stdout
    assert (tmp_path / "digits.onnx").stat().st_size > 5000


def test_the_notebook_runs(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("matplotlib")
    write_images(tmp_path)
    folder = ROOT / "examples" / "train"
    for name, value in (("MOTE_DATA", tmp_path), ("MOTE_TRAIN", folder), ("MOTE_EPOCHS", 2), ("JUPYTER_PLATFORM_DIRS", 1)):
        monkeypatch.setenv(name, str(value))
    notebook = nbformat.read(folder / "transfer.ipynb", 4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / "transfer.png").stat().st_size > 10000
    text = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "damaged - the record is damaged" in text and "= 19" in text
