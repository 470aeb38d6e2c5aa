# SPDX-License-Identifier: Apache-2.0
"""Post-training quantisation from Python: the program's file, the same figures, and what they mean."""
import json
import subprocess

import numpy as np
import pytest

import mote


@pytest.fixture
def classifier(write_onnx):
    """A float network for images [1, 2, 6, 6] and three classes, as .onnx, and 60 samples of it, NHWC."""
    random = np.random.default_rng(5)
    path = write_onnx("classifier",
                      [("Conv", ["x", "w", "b"], ["c"], "conv"), ("Relu", ["c"], ["r"], "relu"),
                       ("GlobalAveragePool", ["r"], ["p"], "pool"), ("Flatten", ["p"], ["f"], "flat"),
                       ("Gemm", ["f", "v", "d"], ["y"], "head")],
                      [("x", [1, 2, 6, 6])], [("y", [1, 3])],
                      {"w": random.normal(0, 1, (8, 2, 3, 3)).astype(np.float32),
                       "b": random.normal(0, 0.1, 8).astype(np.float32),
                       "v": random.normal(0, 1, (8, 3)).astype(np.float32), "d": np.zeros(3, np.float32)})
    return path, random.normal(0, 1, (60, 6, 6, 2)).astype(np.float32)


def test_it_is_what_the_program_writes(classifier, program, tmp_path):
    path, x = classifier
    made = mote.quantize(path, x, range="mse", correct_bias=True)
    np.savez(tmp_path / "x.npz", x=x)
    run = subprocess.run([program, "quantize", str(path), "--calib", str(tmp_path / "x.npz"), "-o", str(tmp_path / "out.tflite"),
                          "--range", "mse", "--correct-bias", "--json"], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out.tflite").read_bytes() == made.file
    for found, printed in zip(made.layers, json.loads(run.stdout)["layers"], strict=True):
        assert found.name == printed["name"] and found.signal_to_noise_db == printed["signal_to_noise_db"]
    made.save(tmp_path / "again.tflite")
    codes = mote.load(tmp_path / "again.tflite").run(x, dequantize=True)
    np.testing.assert_array_equal(codes, made.model.run(x, dequantize=True))


def test_it_stays_close_to_the_float_model_and_says_how_close(classifier):
    path, x = classifier
    real = mote.load(path)
    expected = real.run(x)
    labels = expected.argmax(1)
    labels[:6] = (labels[:6] + 1) % 3  # six that the float model gets wrong
    made = mote.quantize(real, {real.inputs[0].name: x}, evaluate=x, labels=labels)
    assert made.model.inputs[0].dtype == np.int8 and made.model.inputs[0].scale > 0
    found = made.model.run(x, dequantize=True)
    noise = 10 * np.log10(np.square(expected).mean() / np.square(found - expected).mean())
    assert noise > 25
    assert made.layers[-1].signal_to_noise_db == pytest.approx(noise, abs=0.1)
    assert made.accuracy.float.right == 54 and made.accuracy.samples == 60
    assert made.accuracy.agree == int((found.argmax(1) == expected.argmax(1)).sum())
    assert made.accuracy.integer.right == int((found.argmax(1) == labels).sum())


def test_narrow_weights_take_less_flash(classifier):
    path, x = classifier
    wide, narrow = (mote.quantize(path, x, weights=weights).model for weights in ((), ("ternary:*",)))
    assert narrow.compile("rv32imac", "size").sizes.weights < wide.compile("rv32imac", "size").sizes.weights


def test_weights_are_rounded_by_the_samples(classifier):
    path, x = classifier
    made = {name: mote.quantize(path, x, weights=["ternary:*"], rounding=name) for name in ("nearest", "narrow")}
    assert made["narrow"].layers[-1].signal_to_noise_db > made["nearest"].layers[-1].signal_to_noise_db + 3
    with pytest.raises(mote.Error, match="there are nearest, narrow and calibrated"):
        mote.quantize(path, x, rounding="up")


def test_narrow_weights_are_int4_where_that_is_wanted(classifier):
    path, x = classifier
    common, none = (mote.quantize(path, x, weights=["4bit:*"], int4_tensors=where) for where in ("common", "none"))
    assert len(common.file) < len(none.file)
    assert np.array_equal(*(one.model.run(x, dequantize=True) for one in (common, none)))


def test_bad_input(classifier, digits_path):
    path, x = classifier
    with pytest.raises(mote.Error, match="sample 7"):
        mote.quantize(path, np.where(np.arange(60)[:, None, None, None] == 7, np.nan, x).astype(np.float32))
    with pytest.raises(mote.Error):
        mote.quantize(path, x[:, :5])
    with pytest.raises(mote.Error, match="int8 and int16 are"):
        mote.quantize(path, x, activations="int4")
    with pytest.raises(mote.ShapeError, match="labels need `evaluate`"):
        mote.quantize(path, x, labels=np.zeros(60, np.int64))
    with pytest.raises(mote.Error, match="quantised already|integer"):
        mote.quantize(digits_path, np.zeros((2, 8, 8, 1), np.int8))
