# SPDX-License-Identifier: Apache-2.0
"""Models read from files: what they say of themselves, runs, batches, threads, errors."""
import json
import subprocess
import threading
import time

import numpy as np
import pytest

import mote
from mote._mote import quantise


@pytest.fixture(scope="module")
def digits(digits_path):
    return mote.load(digits_path)


def test_inputs_and_outputs_are_described(digits):
    (image,), (scores,) = digits.inputs, digits.outputs
    assert (image.name, image.dtype, image.shape, image.nbytes) == ("image", np.int8, (1, 8, 8, 1), 64)
    assert (image.scale, image.zero_point) == (1 / 16, -128)  # examples/digits/README.md: pixel 0 to 16 is -128 to -112
    assert (scores.dtype, scores.shape, scores.scale, scores.zero_point) == (np.int8, (1, 10), 1 / 256, -128)
    assert digits.name == "digits" and not digits.stateful and digits.notes == []
    assert "image int8[1, 8, 8, 1]" in repr(digits)


def test_summary_is_what_inspect_prints(digits, program, digits_path):
    for mode in ("balanced", "size"):
        printed = subprocess.run([program, "inspect", digits_path, "--optimize", mode], capture_output=True, text=True)
        assert digits.summary(mode) == printed.stdout
    assert digits.macs == json.loads(subprocess.run([program, "inspect", digits_path, "--json"], capture_output=True,
                                                    text=True).stdout)["macs"]


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_a_batch_gives_the_reference_s_bytes(digits, images, probabilities, threads):
    np.testing.assert_array_equal(digits.run(images, threads=threads), probabilities)


def test_shapes_of_batches(digits, images, probabilities):
    one = digits.run(images[:1])
    assert one.shape == (1, 10) and one.dtype == np.int8
    np.testing.assert_array_equal(one, probabilities[:1])
    in_front = digits.run(images[:3, np.newaxis])
    assert in_front.shape == (3, 1, 10)
    np.testing.assert_array_equal(in_front[:, 0], probabilities[:3])
    assert digits.run(images[:0]).shape == (0, 10)
    np.testing.assert_array_equal(digits.run(images[7]), probabilities[7])


def test_arrays_need_not_be_contiguous(digits, images, probabilities):
    turned = np.asfortranarray(images[:5])
    np.testing.assert_array_equal(digits.run(turned), probabilities[:5])
    np.testing.assert_array_equal(digits.run(images[::40]), probabilities[::40])


def test_lists_and_dicts_of_one_input(digits, images, probabilities):
    np.testing.assert_array_equal(digits.run([images[:2]]), probabilities[:2])
    np.testing.assert_array_equal(digits.run({"image": images[:2]}), probabilities[:2])


def test_real_numbers_are_quantised_and_outputs_dequantised(digits, images, probabilities):
    # Away from ties, so that any rounding to nearest gives the same pixel.
    pixels = (images[:8].astype(np.float64) + 128 + 0.25) / 16
    np.testing.assert_array_equal(digits.run(pixels, dequantize=True),
                                  (probabilities[:8].astype(np.float32) + 128) / 256)
    np.testing.assert_array_equal(digits.run(images[:8], dequantize=True),
                                  (probabilities[:8].astype(np.float32) + 128) / 256)


def test_quantisation_rounds_halves_away_from_zero_and_saturates():
    values = np.array([0.5, 1.5, -0.5, -1.5, 2.49, 1000, -1000, np.float32(0.49999997)], np.float32)
    out = np.empty(values.shape, np.int8)
    quantise(values, out, 1.0, 3)
    np.testing.assert_array_equal(out, [4, 5, 2, 1, 5, 127, -128, 3])


@pytest.mark.parametrize("change, error, python_error, text", [
    (lambda x: x[:, :4], mote.ShapeError, ValueError, "input 'image' has shape 1x8x8x1, a batch of N Nx8x8x1 or"),
    (lambda x: x.astype(np.float32), mote.DTypeError, TypeError, "needs int8, the array has float32; give its integers, or"),
    (lambda x: x.astype(np.int32), mote.DTypeError, TypeError, "input 'image' needs int8, the array has int32"),
    (lambda x: [x, x], mote.ShapeError, ValueError, "the model has 1 inputs, 2 given"),
    (lambda x: {"picture": x}, mote.ShapeError, ValueError, "missing: ['image'], unknown: ['picture']"),
])
def test_arrays_that_do_not_fit(digits, images, change, error, python_error, text):
    with pytest.raises(error) as caught:
        digits.run(change(images[:2]))
    assert text in str(caught.value)
    assert isinstance(caught.value, python_error) and isinstance(caught.value, mote.Error)


def test_errors_are_those_of_the_command_line(program, tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\x1c\0\0\0TFL3" + bytes(40))
    for path in (tmp_path / "none.tflite", broken):
        printed = subprocess.run([program, "inspect", path], capture_output=True, text=True).stderr
        with pytest.raises(mote.Error) as caught:
            mote.load(path)
        assert f"mote: error: {caught.value}\n" == printed
        assert str(path) in str(caught.value)


def test_the_interpreter_goes_on_while_models_run(digits, images):
    worker = threading.Thread(target=lambda: digits.run(np.concatenate([images] * 20)))
    turns = 0
    worker.start()
    while worker.is_alive():
        time.sleep(0.001)
        turns += 1
    assert turns > 20


def test_two_inputs_by_position_and_name(write_onnx):
    path = write_onnx("two", [("Sub", ["left", "right"], ["difference"]), ("Mul", ["left", "right"], ["product"])],
                      [("left", [1, 3]), ("right", [1, 3])], [("difference", [1, 3]), ("product", [1, 3])], {})
    model = mote.load(path)
    left = np.arange(12, dtype=np.float32).reshape(4, 3)
    right = np.float32([[2, 3, 4]] * 4) * np.float32([[1], [2], [3], [4]])
    for arrays in ([left, right], (left, right), {"right": right, "left": left}):
        difference, product = model.run(arrays)
        np.testing.assert_array_equal(difference, left - right)
        np.testing.assert_array_equal(product, left * right)
    with pytest.raises(mote.ShapeError, match="batches of different sizes: 4x3, 1x3"):
        model.run([left, right[:1]])


def test_float_layers_from_onnx(write_onnx):
    random = np.random.default_rng(5)
    weights, bias = random.standard_normal((6, 4)).astype(np.float32), random.standard_normal(4).astype(np.float32)
    path = write_onnx("dense", [("MatMul", ["x", "w"], ["m"]), ("Add", ["m", "b"], ["s"]), ("Relu", ["s"], ["y"])],
                      [("x", [1, 6])], [("y", [1, 4])], {"w": weights, "b": bias})
    x = random.standard_normal((7, 6))  # float64 is taken for float32
    expected = np.maximum(x.astype(np.float32).astype(np.float64) @ weights + bias, 0)
    got = mote.load(path).run(x)
    assert got.dtype == np.float32 and got.shape == (7, 4)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_shapes_that_a_file_leaves_open(write_onnx):
    path = write_onnx("open", [("Relu", ["x"], ["y"])], [("x", ["n", 3])], [("y", ["n", 3])], {})
    x = np.float32([[-1, 0, 2], [3, -4, 5]])
    np.testing.assert_array_equal(mote.load(path, {"x": (2, 3)}).run(x), np.maximum(x, 0))


def test_from_torch_says_what_is_missing():
    try:
        import torch  # noqa: F401
    except ImportError:
        with pytest.raises(mote.MissingPackageError, match="pip install torch") as caught:
            mote.from_torch(None, None)
        assert isinstance(caught.value, ImportError)
    else:
        pytest.skip("torch is installed; tests/training has its tests")


def stateful_cases(shared):
    for manifest in sorted((shared / "golden").glob("*/manifest.json")):
        description = json.loads(manifest.read_text())
        model = shared / "models" / f"{manifest.parent.name}.tflite"
        if description.get("stateful") and model.exists() and (manifest.parent / "seq0_in0.bin").exists():
            yield model, manifest.parent


def test_states_of_sequences(shared):
    found = next(stateful_cases(shared), None)
    if found is None:
        pytest.skip("no stateful model with golden vectors in ../shared")
    path, golden = found
    model = mote.load(path)
    assert model.stateful
    count = len(list(golden.glob("seq*_in0.bin")))

    def read(name, tensors):
        return [np.stack([np.fromfile(golden / f"seq{step}_{name}{i}.bin", tensor.dtype).reshape(tensor.shape)
                          for step in range(count)]) for i, tensor in enumerate(tensors)]

    inputs, expected = read("in", model.inputs), read("out", model.outputs)

    def run(**options):
        outputs = model.run(inputs, **options)
        return outputs if isinstance(outputs, list) else [outputs]

    for _ in range(20):  # threads would meet sooner or later
        for got, wanted in zip(run(sequence=True, threads=4), expected):
            np.testing.assert_array_equal(got, wanted)
    # Without `sequence` each run starts anew, whatever the number of threads.
    alone = [model.run([array[step] for array in inputs]) for step in range(count)]
    alone = [one if isinstance(one, list) else [one] for one in alone]
    for got, wanted in zip(run(threads=2), zip(*alone)):
        np.testing.assert_array_equal(got, np.stack(wanted))
    assert any((got != wanted).any() for got, wanted in zip(run(), expected))
