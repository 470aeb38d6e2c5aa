# SPDX-License-Identifier: Apache-2.0
"""Models compiled for targets: files, sizes, runs in the emulator, reports; and which boards they fit."""
import json
import pathlib
import subprocess

import numpy as np
import pytest

import mote


@pytest.fixture(scope="module")
def digits(digits_path):
    return mote.load(digits_path)


@pytest.fixture(scope="module")
def artifact(digits):
    return digits.compile("rv32imac")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def test_files_are_those_of_the_command_line(artifact, digits_path, program, tmp_path):
    subprocess.run([program, "compile", digits_path, "--target", "rv32imac", "-o", tmp_path / "program"], check=True,
                   capture_output=True)
    artifact.save(tmp_path / "package")
    written = contents(tmp_path / "program")
    assert contents(tmp_path / "package") == written
    report = json.loads(written.pop("report.json"))
    assert artifact.files == written
    assert artifact.sizes == mote.Sizes(report["arena_bytes"], report["weight_bytes"], report["code_bytes"],
                                        report["stack_bound_bytes"])
    assert artifact.sizes.ram == report["arena_bytes"] + report["stack_bound_bytes"]
    assert artifact.sizes.flash == report["weight_bytes"] + report["code_bytes"]


def test_packages_are_those_of_the_command_line(digits, digits_path, program, tmp_path):
    artifact = digits.compile("cortex-m4f", build=False)
    subprocess.run([program, "compile", digits_path, "--target", "cortex-m4f", "--no-build", "--package", "cmake", "-o",
                    tmp_path / "program"], check=True, capture_output=True)
    artifact.save(tmp_path / "package", package="cmake")
    assert contents(tmp_path / "package") == contents(tmp_path / "program")
    assert artifact.package("cmake").keys() == contents(tmp_path / "program").keys() - {"report.json"}
    assert artifact.sizes.code is None and artifact.sizes.stack is None and artifact.sizes.ram is None
    with pytest.raises(mote.Error, match="arduino"):
        artifact.package("arduin")


def test_nobody_s_files_are_overwritten(artifact, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(mote.Error, match="mine.txt"):
        artifact.save(tmp_path)
    page = tmp_path / "mine.txt"
    with pytest.raises(mote.Error, match="is nothing that `mote report` wrote"):
        artifact.report(page)
    assert page.read_text() == "keep"


def test_runs_in_the_emulator(artifact, images, probabilities, digits_path, program, tmp_path):
    run = artifact.run(images[:3])
    np.testing.assert_array_equal(run.output, probabilities[:3])
    (tmp_path / "x.bin").write_bytes(images[0].tobytes())
    printed = json.loads(subprocess.run([program, "run", digits_path, "--target", "rv32imac", "--profile", "--json",
                                         "--input", tmp_path / "x.bin"], capture_output=True, check=True).stdout)
    assert len(run.instructions) == 3 and run.instructions[0] == printed["instructions"]
    assert [layer.instructions for layer in run.layers] == [layer["instructions"] for layer in printed["layers"]]
    assert [layer.name for layer in run.layers] == [layer["name"] for layer in printed["layers"]]
    assert 0 < run.stack_peak_bytes <= artifact.sizes.stack
    quick = artifact.run(images[0], profile=False)
    assert quick.layers[0].instructions is None and quick.instructions == run.instructions[:1]
    pixels = (images[:1].astype(np.float32) + 128) / 16
    np.testing.assert_array_equal(artifact.run(pixels, dequantize=True, profile=False).output,
                                  (probabilities[:1].astype(np.float32) + 128) / 256)


def test_the_host_has_no_instructions(digits, images, probabilities):
    run = digits.compile("host").run(images[:2])
    np.testing.assert_array_equal(run.output, probabilities[:2])
    assert run.instructions == [] and run.stack_peak_bytes is None and run.layers[0].instructions is None


def test_limits_and_names_that_are_unknown(digits):
    with pytest.raises(mote.Error, match="the arena takes .* B, 500 B are allowed"):
        digits.compile("cortex-m4f", ram=500)
    with pytest.raises(mote.Error, match="weights"):
        digits.compile("cortex-m4f", flash=1000)
    with pytest.raises(mote.Error, match="there is no target 'cortex-m5'"):
        digits.compile("cortex-m5")
    with pytest.raises(mote.Error, match="balanced"):
        digits.compile("host", "fast")
    with pytest.raises(mote.Error, match="board"):
        digits.compile(board="esp33")


def test_size_mode_and_memories(digits, images, probabilities):
    small = digits.compile("host", "size")
    assert small.sizes.arena < digits.arena_bytes
    np.testing.assert_array_equal(small.run(images[:4]).output, probabilities[:4])
    spread = digits.compile("host", memories={"fast": 600, "slow": 2000})
    assert [one["memory"] for one in spread.details["arenas"]] == ["fast", "slow"]
    np.testing.assert_array_equal(spread.run(images[:4]).output, probabilities[:4])


def test_a_board_chooses_its_target(digits):
    assert digits.compile(board="esp32-c3", build=False).target == "rv32imac"


def test_reports(artifact, digits, tmp_path):
    page = tmp_path / "report.html"
    artifact.report(page)
    artifact.report(page, measure=True)  # over the first
    text = page.read_text()
    assert '<meta name="generator" content="Mote">' in text and "CONV_2D #0 (conv1)" in text
    assert all(verdict.board in text for verdict in digits.fit()), "without the boards"


def test_fit_is_what_the_command_line_says(digits, digits_path, program):
    printed = json.loads(subprocess.run([program, "fit", digits_path, "--json"], capture_output=True, check=True).stdout)
    verdicts = digits.fit()
    assert [one.details for one in verdicts] == printed["boards"]
    one = digits.fit("esp32-c3")
    assert one == next(verdict for verdict in verdicts if verdict.board == "esp32-c3")
    assert one.verdict == "fits" and one.fits and not one.exact and one.milliseconds > 0
    assert [verdict.board for verdict in digits.fit(["esp32-c3", "microbit-v2"])] == ["esp32-c3", "microbit-v2"]
    with pytest.raises(mote.Error, match="esp32-c3"):
        digits.fit("esp32-c4")


def test_fit_measured(digits, artifact, images):
    fit = digits.fit("esp32-c3", measure=True)
    assert fit.exact and fit.details["code_bytes"] == artifact.sizes.code


def test_boards_and_targets_are_listed(program):
    for listed, command in ((mote.boards(), "boards"), (mote.targets(), "targets")):
        assert listed == json.loads(subprocess.run([program, command, "--json"], capture_output=True, check=True).stdout)
