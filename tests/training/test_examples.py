# SPDX-License-Identifier: Apache-2.0
"""The training scripts from end to end, on images made here."""
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import wave

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write_idx(path, array):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


def images(count, seed):
    """A bright bar at the class's place over noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    pixels = random.integers(0, 120, (count, 28, 28))
    for image, label in zip(pixels, labels):
        image[2 * label + 4:2 * label + 6, 4:24] += 130
    return pixels.astype(np.uint8), labels.astype(np.uint8)


def figures_of(script, data, *options):
    """Runs a script, which fails where an integer of the compiled model is not the trained network's."""
    out = data / "figures.json"
    run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / f"{script}_qat.py"), "--data", str(data), "--json",
                          str(out), *options], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(out.read_text())
    assert figures["compiled"] == figures["trained"]
    return figures


def write_images(folder):
    for part, (pixels, labels) in {"train": images(1280, 1), "t10k": images(500, 2)}.items():
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", pixels)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)


@pytest.mark.parametrize("network, weights", [("cnn", "int8"), ("dense", "ternary")])
def test_images(tmp_path, network, weights):
    write_images(tmp_path)
    figures = figures_of("images", tmp_path, "--network", network, "--weights", weights, "--epochs", "2", "--qat-epochs", "2")
    assert figures["compiled"] > 80
    if weights == "ternary":
        assert figures["flash_bytes"] < 24 * 1024


def write_text(folder):
    random = np.random.default_rng(1)
    common, offers = ["see", "you", "at", "home", "later", "ok"], ["win", "free", "prize", "call", "now"]
    with open(folder / "SMSSpamCollection", "w", encoding="utf-8") as file:
        for _ in range(800):
            spam = random.random() < 0.4
            words = random.choice(common + offers if spam else common, 12)
            file.write(f"{'spam' if spam else 'ham'}\t{' '.join(words)}\n")


def write_gestures(folder):
    random = np.random.default_rng(1)
    with open(folder / "magic_wand.csv", "w", encoding="utf-8") as file:
        file.write("label,subject,sequence,i,acc_x_g,acc_y_g,acc_z_g\n")
        for sequence in range(120):
            label = sequence % 4
            subject = ["1", "hyw", "jiangyh", "dengyl"][sequence // 4 % 4] if label else str(sequence)
            for i in range(100):
                x = np.sin(i * 0.15 * label) + random.normal(0, 0.05, 3)
                file.write(f"{['negative', 'ring', 'slope', 'wing'][label]},{subject},{sequence},{i},{x[0]:.3f},{x[1]:.3f},{x[2]:.3f}\n")


def write_keywords(folder):
    random = np.random.default_rng(1)
    for digit in range(10):
        for take in range(10):
            tone = np.sin(2 * np.pi * (300 + 330 * digit) / 8000 * np.arange(5000)) + random.normal(0, 0.1, 5000)
            with wave.open(str(folder / f"{digit}_voice_{take}.wav"), "wb") as file:
                file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
                file.writeframes((8000 * tone).astype("<i2").tobytes())


def test_text(tmp_path):
    write_text(tmp_path)
    assert figures_of("text", tmp_path, "--weights", "4bit", "--epochs", "8", "--qat-epochs", "3")["compiled"] > 90


def test_gestures(tmp_path):
    write_gestures(tmp_path)
    assert figures_of("gestures", tmp_path, "--epochs", "30", "--qat-epochs", "5")["compiled"] > 80


def test_keywords(tmp_path):
    write_keywords(tmp_path)
    assert figures_of("keywords", tmp_path, "--weights", "4bit", "--epochs", "30", "--qat-epochs", "10")["compiled"] > 80


def test_cross_validation_tests_every_recording(tmp_path):
    write_keywords(tmp_path)
    out = tmp_path / "right.json"
    run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / "keywords_qat.py"), "--data", str(tmp_path),
                          "--cross-validate", "--json", str(out), "--epochs", "30", "--qat-epochs", "5"], capture_output=True,
                         text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(out.read_text())
    assert figures.pop("tested") == 100
    assert all(80 <= right <= 100 for right in figures.values()), figures


NOTEBOOKS = {"digits": (write_images, 2), "fashion": (write_images, 2), "gestures": (write_gestures, 20),
             "keywords": (write_keywords, 20), "text": (write_text, 6)}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebooks_run(tmp_path, monkeypatch, name):
    """Their own assertions are that the compiled model's integers are the trained network's."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("matplotlib")
    write, epochs = NOTEBOOKS[name]
    write(tmp_path)
    folder = ROOT / "examples" / "train"
    for variable, value in (("MOTE_DATA", tmp_path), ("MOTE_TRAIN", folder), ("MOTE_EPOCHS", epochs), ("JUPYTER_PLATFORM_DIRS", 1)):
        monkeypatch.setenv(variable, str(value))
    notebook = nbformat.read(folder / f"{name}.ipynb", 4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "saved with outputs"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / f"{name}.png").stat().st_size > 10000
    text = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "instructions" in text and "%" in text


def test_there_is_no_notebook_without_a_test():
    tested = [*NOTEBOOKS, "transfer"]  # that one in test_transfer.py
    assert sorted(tested) == sorted(path.stem for path in (ROOT / "examples" / "train").glob("*.ipynb"))


def test_a_folder_without_data_is_named(tmp_path):
    for script in ("gestures", "keywords"):
        run = subprocess.run([sys.executable, str(ROOT / "examples" / "train" / f"{script}_qat.py"), "--data", str(tmp_path)],
                             capture_output=True, text=True, timeout=100)
        assert run.returncode != 0 and str(tmp_path) in run.stderr


def test_the_difference_to_pytorch_is_a_step(monkeypatch):
    """The networks of nano-rust's table: one step in each layer, and less than nano-rust allows in all."""
    monkeypatch.syspath_prepend(ROOT / "examples" / "train")
    import torch_difference

    for row in torch_difference.figures(networks=2, seeds=20):
        assert row["by_layer"] <= 1, row
        assert row["whole"] <= (2 if row["network"] in ("Sigmoid", "Tanh") else 1), row
        assert max(row["float_module"], row["largest"]) <= min(row["nano_rust"], 3), row
        assert row["within_1"] >= 10, row
        assert max(row["wide"], row["wide_largest"]) <= 1, row
