# SPDX-License-Identifier: Apache-2.0
"""Keywords: the quantised model is as right as the float one on MLPerf Tiny's own recordings."""
import importlib.util

import pytest

import mote
from conftest import ROOT


@pytest.fixture
def keywords():
    spec = importlib.util.spec_from_file_location("keywords", ROOT / "examples" / "quantize" / "keywords.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_int8_is_within_half_a_point_of_float(shared, keywords, monkeypatch):
    paths = [shared / "models" / "no_golden" / "kws_fp32.tflite", shared / "models" / "kws_int8.tflite",
             shared / "data" / "kws01" / "y_labels.csv"]
    if not all(path.exists() for path in paths):
        pytest.skip("needs kws_fp32.tflite, kws_int8.tflite and the data/kws01 folder")
    monkeypatch.setattr(keywords, "OPTIONS", {"int8": {}})
    rows, count, unseen = keywords.figures(mote.load(paths[0]), mote.load(paths[1]), paths[2].parent)
    assert count == 1000 and unseen == 800
    right, right_of_unseen, weights = rows["int8"]
    for name in ("float, in real arithmetic", "float, as the file computes"):
        assert rows[name][0] > 890 and right >= rows[name][0] - 5
    assert right_of_unseen >= rows["float, as the file computes"][1] - 4
    assert weights < 28000
