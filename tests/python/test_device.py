# SPDX-License-Identifier: Apache-2.0
"""Models on an emulated board that runs Mote's agent: loaded, called, checked, cancelled, unloaded."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import mote


@pytest.fixture(scope="module")
def device():
    with mote.Device("qemu:rv32imac") as device:
        yield device


@pytest.fixture(scope="module")
def digits(digits_path):
    return mote.load(digits_path)


@pytest.fixture
def loaded(device, digits):
    """digits on the device, taken away afterwards."""
    model = device.load(digits)
    yield model
    if any(one.name == model.name for one in device.models()):
        device.unload(model.name)


@pytest.fixture
def slow(device):
    """A layer of 59 million multiply-accumulates: seconds."""
    net = mote.Sequential([8, 96, 96])
    rng = np.random.default_rng(1)
    net.conv2d(rng.integers(-127, 128, (32, 8, 5, 5), np.int8), np.zeros(32, np.int32), (5, 5), padding=2, multiplier=200,
               shift=20)
    model = device.load(net, name="slow")
    yield model
    model.unload()


def test_what_the_device_is(device):
    info = device.info
    assert info.target == "rv32imac" and info.board == "qemu-virt" and info.protects and not info.keyed
    assert len(info.firmware_id) == 40 and len(info.regions) == 1
    region = device.heap()[0]
    assert region.bytes == info.regions[0].bytes == region.free and region.executable
    assert device.models() == []
    assert "qemu-virt" in repr(device)


def test_200_images_give_the_bytes_of_the_host(device, loaded, digits, images, probabilities):
    before = device.link
    scores = loaded(images[:200])
    after = device.link
    np.testing.assert_array_equal(scores, probabilities[:200])
    np.testing.assert_array_equal(scores, digits.run(images[:200]))
    spent = after.bytes_out - before.bytes_out + after.bytes_in - before.bytes_in
    if after.repeated == before.repeated:  # a machine that was held up may have sent a request twice
        assert 200 * (64 + 10) < spent <= 200 * (64 + 10 + 64)
    entry, = device.models()
    assert entry == mote.LoadedModel("digits", entry.id, True, loaded.bytes, 64, 10, entry.calls, 0)
    assert entry.calls >= 200
    assert sum(loaded.memory.values()) == loaded.bytes
    region = device.heap()[0]
    assert loaded.bytes <= region.bytes - region.free <= loaded.bytes + 64 * region.blocks  # blocks have whole steps
    pixels = (images[:3].astype(np.float32) + 128) / 16
    np.testing.assert_array_equal(loaded.run(pixels, dequantize=True), digits.run(pixels, dequantize=True))


FIR = """
#include <stddef.h>
#include <stdint.h>
static const int16_t taps[4] = {3, -9, 25, 110};
int64_t fir(const int16_t *x, size_t n, int16_t *y) {
  int64_t sum = 0;
  for (size_t i = 0; i + 4 <= n; ++i) {
    int32_t acc = 0;
    for (size_t t = 0; t < 4; ++t) acc += x[i + t] * taps[t];
    sum += y[i] = (int16_t)(acc >> 8);
  }
  return sum;
}
"""


def test_a_c_function(device, tmp_path):
    (tmp_path / "fir.c").write_text(FIR)
    fir = device.load_function(tmp_path / "fir.c", "fir", flags="-O3", out=["y"], frame_bytes=4096)
    x = (np.arange(500) * 7919).astype(np.int16)
    y = np.zeros(497, np.int16)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int64), 4)
    wanted = ((windows * [3, -9, 25, 110]).sum(1) >> 8).astype(np.int16)
    assert fir(x, len(x), y) == wanted.sum(dtype=np.int64)
    np.testing.assert_array_equal(y, wanted)
    assert fir.name == "fir" and fir.result == np.int64 and fir.stack_bound is not None
    assert [one.name for one in fir.parameters] == ["x", "n", "y"]
    assert fir.profile().instructions > 4 * 497
    with pytest.raises(mote.DTypeError, match="'x' needs int16, the array has float64"):
        fir(x.astype(np.float64), 500, y)
    with pytest.raises(mote.Error, match="contiguous"):
        fir(x, 500, np.zeros(1000, np.int16)[::2])
    with pytest.raises(mote.Error, match="takes 3 arguments"):
        fir(x, 500)
    with pytest.raises(mote.Error, match="does not fit"):
        fir(x, -1, y)
    with pytest.raises(mote.Error, match="load it again with a frame of"):
        fir(np.zeros(5000, np.int16), 5000, y)
    assert device.load_function(tmp_path / "fir.c", "fir", flags="-O3", out=["y"], frame_bytes=4096).already_there
    fir.unload()


def test_cpp_functions_and_their_failures(device, tmp_path):
    (tmp_path / "user.cpp").write_text("""
#include <stdint.h>
#include "mote/services.h"
namespace dsp {
struct Bank { int calls; Bank() : calls(40) {} };
static Bank bank;
double scale(float *values, uint32_t n, bool twice, double by) {
  mote_log("scaling\\n");
  for (uint32_t i = 0; i < n; ++i) values[i] *= twice ? 2 * by : by;
  return ++bank.calls;
}
void endless() { for (volatile int i = 0;; ++i) {} }
int wild(uint32_t address) { return *(volatile int *)address; }
}
""")
    source = tmp_path / "user.cpp"
    scale = device.load_function(source, "dsp::scale")
    values = np.float32([1, 2, 3])
    device.log()
    assert scale(values, 3, True, 0.25) == 41.0 and scale(None, 0, False, 1) == 42.0
    np.testing.assert_array_equal(values, np.float32([0.5, 1, 1.5]))
    assert device.log() == "scaling\nscaling\n"
    with pytest.raises(mote.CallError) as raised:
        device.load_function(source, "dsp::endless")(deadline=0.05)
    assert raised.value.status == "deadline"
    with pytest.raises(mote.CallError, match="load") as raised:
        device.load_function(source, "dsp::wild")(0x80000000)
    assert raised.value.status == "fault" and raised.value.address == 0x80000000 and raised.value.cause == 5
    assert scale(None, 0, False, 1) == 43.0 and device.log() == "scaling\n"
    with pytest.raises(mote.Error, match="scale"):
        device.load_function(source, "dsp::scales")
    for name in ("scale", "endless", "wild"):
        device.unload(name)


def test_what_is_there_is_not_sent_again(device, digits, loaded):
    assert not loaded.already_there and loaded.sent_bytes > 5000 and loaded.kept_bytes == 0
    again = device.load(digits)
    assert again.already_there and again.sent_bytes == 0
    other = device.load(digits, name="other")  # the same weights under another name
    assert other.kept_bytes > 2000 and other.sent_bytes + other.kept_bytes / 2 < loaded.sent_bytes
    assert sorted(one.name for one in device.models()) == ["digits", "other"]
    other.unload()
    with pytest.raises(mote.Error, match="no model 'other' is on the device; there are: digits"):
        device.unload("other")
    with pytest.raises(mote.Error, match="no such model"):
        other(np.zeros((8, 8, 1), np.int8))


def test_a_profile(loaded, digits, images):
    loaded(images[0], paint_stack=True)
    profile = loaded.profile()
    alone = digits.compile("rv32imac").run(images[0], profile=False)
    # Entering and leaving costs some two hundred instructions.
    assert alone.instructions[0] <= profile.instructions <= alone.instructions[0] + 2000
    assert 0 < profile.stack_bytes <= loaded.memory["stack"]
    loaded(images[0])
    assert loaded.profile().stack_bytes == 0


def test_the_older_model_stays_when_the_check_fails(device, digits, loaded, images, probabilities):
    free = device.heap()[0].free
    wrong = probabilities[:2].copy()
    wrong[1, 3] ^= 1
    with pytest.raises(mote.Error, match="digits: 1 of 10 bytes of output 1 are not those that are expected"):
        device.load(digits, check=(images[:2], wrong), again=True)
    assert device.heap()[0].free == free
    np.testing.assert_array_equal(loaded(images[0]), probabilities[0])
    taken = device.load(digits, check=(images[:2], probabilities[:2]), again=True)
    np.testing.assert_array_equal(taken(images[0]), probabilities[0])
    with pytest.raises(mote.Error, match="no such model"):  # the other has taken its place
        loaded(images[0])
    assert not device.load(digits, check=True, again=True).already_there
    with pytest.raises(mote.ShapeError, match="2 inputs and 1 outputs"):
        device.load(digits, check=(images[:2], probabilities[:1]), again=True)


def test_several_inputs_and_outputs(device, write_onnx):
    path = write_onnx("two", [("Sub", ["left", "right"], ["difference"]), ("Mul", ["left", "right"], ["product"])],
                      [("left", [1, 3]), ("right", [1, 3])], [("difference", [1, 3]), ("product", [1, 3])], {})
    model = device.load(path, name="pair", check=True)
    left = np.arange(12, dtype=np.float32).reshape(4, 3)
    right = np.float32([[2, 3, 4]] * 4)
    for given in ([left, right], {"right": right, "left": left}):
        difference, product = model(given)
        np.testing.assert_array_equal(difference, left - right)
        np.testing.assert_array_equal(product, left * right)
    with pytest.raises(mote.ShapeError):
        model([left])
    with pytest.raises(mote.DTypeError):
        model([left.astype(np.int32), right])
    model.unload()


def test_states(device, shared):
    for manifest in sorted((shared / "golden").glob("*/manifest.json")):
        path = shared / "models" / f"{manifest.parent.name}.tflite"
        if json.loads(manifest.read_text()).get("stateful") and path.exists():
            break
    else:
        pytest.skip("no stateful model in ../shared")
    model = mote.load(path)
    rng = np.random.default_rng(1)
    inputs = [(rng.integers(-128, 128, (4, *tensor.shape)) if tensor.dtype.kind == "i" else
               rng.standard_normal((4, *tensor.shape))).astype(tensor.dtype) for tensor in model.inputs]
    expected = model.run(inputs, sequence=True)
    on_device = device.load(model, name="states", check=True)  # which leaves no state behind
    for _ in range(2):
        got = on_device.run(inputs)
        for one, wanted in zip(*([x] if isinstance(x, np.ndarray) else x for x in (got, expected))):
            np.testing.assert_array_equal(one, wanted)
        on_device.reset()
    on_device.unload()


def test_deadlines(slow):
    x = np.ones((96, 96, 8), np.int8)
    with pytest.raises(mote.CallError, match="deadline") as raised:
        slow(x, deadline=0.05)
    assert raised.value.status == "deadline" and raised.value.pc != 0 and isinstance(raised.value, mote.Error)
    for wrong in (0, -1, float("nan"), "1"):
        with pytest.raises(mote.Error, match="positive number of seconds"):
            slow(x, deadline=wrong)


def test_ctrl_c_cancels_the_call_and_the_next_one_is_as_any_other(device, slow, loaded, images, probabilities):
    main = threading.get_ident()
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    begun = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        slow(np.ones((50, 96, 96, 8), np.int8), deadline=1000)
    assert time.monotonic() - begun < 30  # all of them would take minutes
    timer.join()
    calls = {one.name: one for one in device.models()}["slow"]
    assert calls.faults >= 1 and calls.calls < 50
    np.testing.assert_array_equal(loaded(images[:20]), probabilities[:20])


def test_the_interpreter_goes_on_and_threads_wait_for_each_other(loaded, images, probabilities):
    results = {}

    def work(who):
        results[who] = loaded(images[who:who + 30])

    threads = [threading.Thread(target=work, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    turns = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.001)
        turns += 1
    assert turns > 10
    for who, result in results.items():
        np.testing.assert_array_equal(result, probabilities[who:who + 30])


def test_memory(device):
    values = np.arange(3000, dtype=np.float64).reshape(30, 100)
    free = device.heap()[0].free
    address = device.allocate(values.nbytes)
    assert address % 64 == 0 and device.heap()[0].free <= free - values.nbytes
    device.write(address, values.T)
    np.testing.assert_array_equal(device.read(address, (100, 30), np.float64), values.T)
    assert device.read(address + 8, 1, np.float64)[0] == values[1, 0]
    device.release(address)
    assert device.heap()[0].free == free
    with pytest.raises(mote.Error, match="is not this session's"):
        device.write(address, values)
    with pytest.raises(mote.Error, match="B are missing"):
        device.allocate(1 << 30)
    with pytest.raises(mote.Error, match="'stack' is no kind of memory"):
        device.allocate(64, "stack")
    with pytest.raises(mote.Error, match="has no memory 'sram'"):
        device.allocate(64, region="sram")
    assert device.log() == ""


def test_the_end_of_a_connection(digits, images):
    with mote.Device("qemu:rv32imac") as device:
        model = device.load(digits)
        assert isinstance(device.heap(), tuple)
    for use in (device.heap, lambda: model(images[0]), lambda: device.load(digits)):
        with pytest.raises(mote.Error, match="the connection is closed"):
            use()
    device.close()
    assert "closed" in repr(device)
    children = [pid for pid in os.listdir("/proc") if pid.isdigit() and _parent(pid) == os.getpid()]
    assert len(children) <= 1  # the emulator of the other tests


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def test_addresses_and_models_that_are_none(device, digits):
    for address in ("COM3", "tcp://127.0.0.1:1", "qemu:z80"):
        with pytest.raises(mote.Error):
            mote.Device(address)
    with pytest.raises(mote.Error, match="int is no model"):
        device.load(3)
    with pytest.raises(mote.Error, match="1 to 23"):
        device.load(digits, name="x" * 24)
    with pytest.raises(mote.Error, match="fast"):
        device.load(digits, optimize="fast")


def test_a_device_with_an_owner(digits, images, probabilities, program, tmp_path):
    key = tmp_path / "owner.pem"
    subprocess.run([program, "device", "key", "new", key], check=True, capture_output=True)
    try:
        device = mote.Device("qemu:rv32imac", key=key)
    except mote.Error as error:
        if "needs Monocypher" not in str(error):
            raise
        pytest.skip("built without Monocypher: no keyed devices")
    with device:
        assert device.info.keyed
        np.testing.assert_array_equal(device.load(digits, check=True)(images[:5]), probabilities[:5])
    with pytest.raises(mote.Error, match="missing.pem"):
        mote.Device("qemu:rv32imac", key=tmp_path / "missing.pem")


def test_the_example_counts_what_is_equal(shared, tmp_path):
    script = pathlib.Path(__file__).resolve().parents[2] / "examples" / "device" / "mnist.py"
    done = subprocess.run([sys.executable, script, "--model", shared / "models" / "emlearn_mnist_int8.tflite", "--data",
                           shared / "data" / "mnist", "--device", "qemu:rv32imac", "--count", "30", "--json",
                           tmp_path / "figures.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["images"] == figures["equal_to_the_host"] == 30 and figures["accuracy_percent"] > 90
    assert "30 of 30 outputs are the host's, byte for byte" in done.stdout
