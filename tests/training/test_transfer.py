# SPDX-License-Identifier: Apache-2.0
"""Transfer learning from end to end: a backbone of five classes, five others learned in the emulator."""
import json
import subprocess
import sys

import pytest
from test_examples import ROOT, write_images


@pytest.mark.parametrize("target", ["rv32imac", "cortex-m4f"])
def test_other_classes_are_learned_in_the_emulator(tmp_path, target):
    write_images(tmp_path)
    out = tmp_path / "figures.json"
    run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / "transfer_head.py"), "--data", str(tmp_path), "--json",
                          str(out), "--target", target, "--per-class", "20", "--head-epochs", "3", "--test-images", "60", "--out",
                          str(tmp_path / "digits.onnx")], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(out.read_text())
    assert figures["same_bits"] and figures["emulated"] > 80
    assert f"head {figures['head_ram_bytes']} B (parameters 5780," in run.stdout
    assert (tmp_path / "digits.onnx").stat().st_size > 5000
