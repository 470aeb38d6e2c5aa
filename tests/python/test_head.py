# SPDX-License-Identifier: Apache-2.0
"""A head that learns: what Python computes is what the emulated core computes; records, errors, generated code."""
import json
import pathlib
import subprocess
import threading

import numpy as np
import pytest

import mote

RATE = 0.0005


@pytest.fixture
def model(digits_path):
    return mote.load(digits_path)


@pytest.fixture(scope="session")
def labels(digits_path):
    return np.fromfile(pathlib.Path(digits_path).parent / "test_labels.bin", np.uint8)


def softmax(scores):
    exponentials = np.exp(scores - scores.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def real_features(head, images):
    output = head.backbone.outputs[0]
    return output.scale * (head.backbone.run(images).reshape(len(images), -1).astype(np.float64) - output.zero_point)


def test_a_new_head_learns(model, images, labels):
    head = model.trainable_head(10)
    assert head.classes == 10 and head.predict(images[0])[0] == 0
    np.testing.assert_array_equal(head.predict(images[0])[1], np.full(10, 0.1, np.float32))
    losses = head.fit(images[:180], labels[:180], epochs=20, rate=RATE)
    assert losses.shape == (20, 180) and losses[-1].mean() < 0.1 * losses[0].mean()
    classes, probabilities = head.predict(images[180:])
    assert (classes == labels[180:]).mean() >= 0.93
    expected = softmax(real_features(head, images[180:]) @ head.weights.T.astype(np.float64) + head.bias)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(classes, probabilities.argmax(1))


def test_fit_is_train_step_for_each_sample(model, images, labels):
    one, many = model.trainable_head(10), model.trainable_head(10)
    steps = [[one.train_step(images[i], labels[i], RATE) for i in range(12)] for _ in range(2)]
    losses = many.fit(images[:12], labels[:12], epochs=2, rate=RATE)
    np.testing.assert_array_equal(losses, np.array(steps, np.float32))
    assert one.save() == many.save()
    assert one.predict(images[0])[0] == many.predict(images[:1])[0][0]


def test_a_head_of_the_file_s_weights_agrees_with_the_model(model, images):
    classes, _ = model.trainable_head().predict(images)
    assert (classes == model.run(images).argmax(1)).mean() > 0.98


@pytest.mark.parametrize("target, classes", [("rv32imac", 10), ("cortex-m4f", None)])
def test_the_emulator_computes_the_same_bits(model, images, labels, target, classes):
    head = model.trainable_head(classes)
    run = head.compile(target).fit(images[:10], labels[:10], epochs=2, rate=0.01, test=images[10:14])
    np.testing.assert_array_equal(run.losses, head.fit(images[:10], labels[:10], epochs=2, rate=0.01))
    assert run.record == head.save()
    found, probabilities = head.predict(images[10:14])
    np.testing.assert_array_equal(run.classes, found)
    np.testing.assert_array_equal(run.probabilities, probabilities)
    assert len(run.step_instructions) == 20 and len(run.prediction_instructions) == 4 and run.stack_peak_bytes > 0


def test_the_emulator_goes_on_from_trained_weights(model, images, labels):
    head = model.trainable_head(10, momentum=0.5)
    head.fit(images[:30], labels[:30], epochs=2, rate=RATE)
    run = head.compile("rv32imac").fit(images[:3], labels[:3], rate=RATE)
    other = model.trainable_head(10, momentum=0.5)
    other.load(head.save())  # without momentum, as the device begins
    np.testing.assert_array_equal(run.losses, other.fit(images[:3], labels[:3], rate=RATE))
    assert run.record == other.save() and run.classes.shape == (0,)


def test_records(model, images, labels):
    head = model.trainable_head(10)
    head.fit(images[:20], labels[:20], rate=RATE)
    record = head.save()
    assert len(record) == head.memory.record
    other = model.trainable_head(10)
    other.load(record)
    np.testing.assert_array_equal(other.weights, head.weights)
    head.reset()
    assert not head.weights.any()

    def reason(bytes_, of=head):
        with pytest.raises(mote.RecordError) as caught:
            of.load(bytes_)
        return caught.value.reason

    changed = bytearray(record)
    changed[100] ^= 1
    assert reason(bytes(changed)) == "damaged"
    assert reason(record[:-1]) == reason(record[:60]) == "damaged"
    assert reason(b"") == reason(b"\xff" * len(record)) == "none"
    assert reason(record[:4] + b"\x09" + record[5:]) == "other version"
    assert reason(record, model.trainable_head(9)) == "other model"
    assert not head.weights.any()


def test_memory_and_files_are_those_of_the_command_line(model, digits_path, program, tmp_path):
    subprocess.run([program, "compile", digits_path, "--target", "rv32imac", "--trainable-head", "--classes", "4", "-o",
                    tmp_path / "program"], check=True, capture_output=True)
    report = json.loads((tmp_path / "program" / "report.json").read_text())
    head = model.trainable_head(4)
    memory = head.memory
    assert memory.ram == report["head"]["ram_bytes"] == memory.parameters + memory.momentum + memory.scratch
    assert (memory.record, memory.flash) == (report["head"]["record_bytes"], 0)
    artifact = head.compile("rv32imac")
    assert artifact.details["head"] == report["head"]
    assert artifact.files["digits_head.cpp"] == (tmp_path / "program" / "digits_head.cpp").read_text()
    artifact = model.trainable_head().compile("rv32imac")
    subprocess.run([program, "compile", digits_path, "--target", "rv32imac", "--trainable-head", "-o", tmp_path / "file"],
                   check=True, capture_output=True)
    for name in ("digits.cpp", "digits_head.h"):
        assert artifact.files[name] == (tmp_path / "file" / name).read_text()
    artifact.save(tmp_path / "package")
    assert "int digits_predict(" in (tmp_path / "package" / "digits_head.h").read_text()
    with pytest.raises(mote.Error, match="no package"):
        artifact.package("cmake")


def test_errors(model, images, labels):
    head = model.trainable_head(3)
    before = head.save()
    with pytest.raises(mote.Error, match="7 is no class of this head; its classes are 0 to 2"):
        head.train_step(images[0], 7, RATE)
    with pytest.raises(mote.Error, match="-1 is no class"):
        head.fit(images[:2], [0, -1], rate=RATE)
    with pytest.raises(mote.ShapeError, match="2 samples need 2 labels"):
        head.fit(images[:2], [0], rate=RATE)
    with pytest.raises(mote.ShapeError, match="a step takes one sample"):
        head.train_step(images[:2], 0, RATE)
    with pytest.raises(mote.Error, match="the trainable head alone takes"):
        head.compile("rv32imac", ram=1000)
    with pytest.raises(mote.Error, match="has no emulator"):
        head.compile("host").fit(images[:2], [0, 1], rate=RATE)
    with pytest.raises(mote.Error, match="nothing to choose"):
        model.trainable_head(1)
    assert head.save() == before


def test_training_leaves_the_interpreter_to_others(model, images, labels):
    head = model.trainable_head(10)
    seen = []
    stop = threading.Event()

    def count():
        while not stop.wait(0.001):
            seen.append(head.predict(images[0])[0])

    thread = threading.Thread(target=count)
    thread.start()
    losses = head.fit(np.tile(images, (40, 1, 1, 1)), np.tile(labels, 40), rate=RATE)
    stop.set()
    thread.join()
    assert len(seen) > 1 and np.isfinite(losses).all()


def test_two_layers(write_onnx):
    random = np.random.default_rng(1)
    constants = {f"{kind}{i}": random.normal(0, 0.5, shape).astype(np.float32) for i, (rows, columns) in
                 enumerate([(8, 12), (12, 9), (9, 4)]) for kind, shape in (("w", (rows, columns)), ("b", columns))}
    nodes = [("Gemm", ["x", "w0", "b0"], ["y0"]), ("Relu", ["y0"], ["r0"]), ("Gemm", ["r0", "w1", "b1"], ["y1"]),
             ("Relu", ["y1"], ["r1"]), ("Gemm", ["r1", "w2", "b2"], ["y2"])]
    model = mote.load(write_onnx("mlp", nodes, [("x", [1, 8])], [("y2", [1, 4])], constants))
    x, labels = random.normal(0, 1, (20, 8)).astype(np.float32), random.integers(0, 4, 20)
    head = model.trainable_head(layers=2)
    (hidden, hidden_bias), (weights, bias) = head.parameters()
    for found, name in ((hidden.T, "w1"), (hidden_bias, "b1"), (weights.T, "w2"), (bias, "b2")):
        np.testing.assert_array_equal(found, constants[name])
    assert head.memory == mote.HeadMemory(628, 628, 4 * (12 + 2 * 9 + 4), 656, 628 + 4 * 13)
    np.testing.assert_allclose(head.predict(x)[1], softmax(model.run(x)), atol=1e-6)
    run = head.compile("rv32imac").fit(x[:12], labels[:12], epochs=3, rate=0.05, test=x[12:])
    np.testing.assert_array_equal(run.losses, head.fit(x[:12], labels[:12], epochs=3, rate=0.05))
    assert run.record == head.save() and run.losses[-1].mean() < run.losses[0].mean()
    np.testing.assert_array_equal(run.probabilities, head.predict(x[12:])[1])
    again = head.compile("rv32imac").fit(x[:2], labels[:2], rate=0.05)
    other = model.trainable_head(layers=2)
    other.load(head.save())
    np.testing.assert_array_equal(again.losses, other.fit(x[:2], labels[:2], rate=0.05))
    with pytest.raises(mote.RecordError, match="other"):
        model.trainable_head().load(head.save())
