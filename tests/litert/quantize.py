# SPDX-License-Identifier: Apache-2.0
"""Float models that `mote quantize` made integer: TensorFlow Lite Micro and LiteRT's reference kernels run the file and
give Mote's bytes. Where dense layers are deep, LiteRT's differ: it multiplies their sums by a float (SPEC.md)."""
import pathlib
import subprocess
import tempfile

import numpy as np

from harness import DTYPES, Model, Run, interpreter_of, invoke, problem_of, schema
from tflite_micro.python.tflite_micro import runtime

SAMPLES = 16
run = Run("quantize")


def micro_outputs(content, inputs):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 24)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    count = len(interpreter_of(content).get_output_details())
    return [np.array(interpreter.get_output(i)) for i in range(count)]


def float_samples(content, random):
    details = interpreter_of(content).get_input_details()
    return {detail["name"]: random.normal(0, 1, (SAMPLES, *detail["shape"])).astype(np.float32) for detail in details}


def quantized(content, samples, options):
    """The integer file, or the program's message."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "float.tflite").write_bytes(content)
        np.savez(folder / "samples.npz", **samples)
        command = [str(run.options.mote), "quantize", str(folder / "float.tflite"), "--calib",
                   str(folder / "samples.npz"), "-o", str(folder / "int8.tflite"), "--json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (folder / "int8.tflite").read_bytes() if done.returncode == 0 else problem_of(done)


def as_input(detail, values):
    """What the integer model takes for a float input."""
    if np.dtype(detail["dtype"]) == values.dtype:
        return values
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(values / np.float32(scale)) + zero, limits.min, limits.max).astype(detail["dtype"])


def check(name, content, samples=None, options=(), micro=True):
    """`micro`: all of its operators are in TensorFlow Lite Micro, too."""
    if not run.wants(name):
        return
    samples = samples or float_samples(content, run.random(name))
    integer = quantized(content, samples, options)
    if isinstance(integer, str):
        run.failed.append(f"{name}: {integer}")
        print(f"FAILED   {run.failed[-1]}", flush=True)
        return
    try:
        interpreter = interpreter_of(integer)
    except (RuntimeError, ValueError) as error:
        run.failed.append(f"{name}: LiteRT: {error}")
        print(f"FAILED   {run.failed[-1]}", flush=True)
        return
    details = interpreter.get_input_details()
    inputs = [[as_input(detail, samples[detail["name"]][i]) for detail in details] for i in range(3)]
    runs = [(f"case{i}", one, invoke(interpreter_of(integer), one)) for i, one in enumerate(inputs)]
    if not micro:
        run.verify(name, integer, runs)
        return
    exact = [(case, one, micro_outputs(integer, one)) for case, one, _ in runs]
    run.verify(f"{name} (TFLM)", integer, exact)
    if uses(interpreter, "FULLY_CONNECTED"):  # a multiplier of its own: a step a layer may differ
        count_steps(name, runs, exact)
    else:
        run.verify(name, integer, runs)


def uses(interpreter, operator):
    return any(one["op_name"] == operator for one in interpreter._get_ops_details())


def count_steps(name, runs, exact):
    """LiteRT's outputs beside TensorFlow Lite Micro's: near, and nearly all equal where there is one dense layer."""
    pairs = [(a, b) for (_, _, found), (_, _, wanted) in zip(runs, exact) for a, b in zip(found, wanted)]
    apart = np.concatenate([np.abs(a.astype(np.float64) - b.astype(np.float64)).ravel() for a, b in pairs])
    spread = max(float(np.ptp(b.astype(np.float64))) for _, b in pairs)
    print(f"steps    {name}: LiteRT differs from TFLM in {np.count_nonzero(apart)} of {apart.size} outputs, at most by "
          f"{apart.max():g} of {spread:g}")
    if apart.max() > max(0.05 * spread, 1):
        run.failed.append(f"{name}: LiteRT and TFLM differ by {apart.max():g} of {spread:g}")


class Net(Model):
    """A float network, a line a layer; weights are random."""

    def __init__(self, name):
        super().__init__()
        self.draw = run.random(name)
        self.shapes = {}

    def made(self, shape, output=False):
        index = self.output("f32", shape) if output else self.tensor("f32", shape)
        self.shapes[index] = tuple(shape)
        return index

    def image(self, *shape):
        index = self.input("f32", shape)
        self.shapes[index] = shape
        return index

    def reals(self, *shape, low=-0.5, high=0.5):
        return self.constant(self.draw.uniform(low, high, shape).astype(np.float32))

    def conv(self, x, channels, kernel=3, stride=1, activation=1, output=False):
        n, h, w, c = self.shapes[x]
        y = self.made((n, -(-h // stride), -(-w // stride), channels), output)
        options = schema.Conv2DOptionsT(padding=0, strideH=stride, strideW=stride, fusedActivationFunction=activation,
                                        dilationHFactor=1, dilationWFactor=1)
        self.op("CONV_2D", [x, self.reals(channels, kernel, kernel, c), self.reals(channels)], [y], options)
        return y

    def depthwise(self, x, kernel=3, stride=1, activation=3):
        n, h, w, c = self.shapes[x]
        y = self.made((n, -(-h // stride), -(-w // stride), c))
        options = schema.DepthwiseConv2DOptionsT(padding=0, strideH=stride, strideW=stride, depthMultiplier=1,
                                                 fusedActivationFunction=activation, dilationHFactor=1, dilationWFactor=1)
        self.op("DEPTHWISE_CONV_2D", [x, self.reals(1, kernel, kernel, c), self.reals(c)], [y], options)
        return y

    def pool(self, x, name, kernel=2):
        n, h, w, c = self.shapes[x]
        y = self.made((n, h // kernel, w // kernel, c))
        self.op(name, [x], [y], schema.Pool2DOptionsT(padding=1, strideH=kernel, strideW=kernel, filterHeight=kernel,
                                                      filterWidth=kernel))
        return y

    def dense(self, x, outputs, activation=0, output=False):
        depth = self.shapes[x][-1]
        y = self.made((self.shapes[x][0], outputs), output)
        self.op("FULLY_CONNECTED", [x, self.reals(outputs, depth), self.reals(outputs)], [y],
                schema.FullyConnectedOptionsT(fusedActivationFunction=activation))
        return y

    def flat(self, x):
        shape = (self.shapes[x][0], int(np.prod(self.shapes[x][1:])))
        y = self.made(shape)
        self.op("RESHAPE", [x, self.constant(np.array(shape, np.int32))], [y], schema.ReshapeOptionsT(newShape=list(shape)))
        return y

    def mean(self, x):
        y = self.made((self.shapes[x][0], self.shapes[x][3]))
        self.op("MEAN", [x, self.constant(np.array([1, 2], np.int32))], [y], schema.ReducerOptionsT(keepDims=False))
        return y

    def softmax(self, x):
        y = self.made(self.shapes[x], True)
        self.op("SOFTMAX", [x], [y], schema.SoftmaxOptionsT(beta=1.0))
        return y

    def same(self, name, inputs, options=None, output=False):
        """An operator whose output has its first input's shape."""
        y = self.made(self.shapes[inputs[0]], output)
        self.op(name, inputs, [y], options)
        return y


def mobile(name):
    net = Net(name)
    x = net.conv(net.image(1, 12, 12, 3), 8, stride=2)
    x = net.conv(net.depthwise(x), 12, kernel=1)
    y = net.conv(net.depthwise(x, stride=2), 12, kernel=1, activation=0)
    z = net.conv(net.pool(x, "MAX_POOL_2D"), 12, kernel=1, activation=0)
    x = net.same("ADD", [y, z], schema.AddOptionsT(fusedActivationFunction=1))
    net.softmax(net.dense(net.mean(x), 5))
    return net.serialize()


def plain(name):
    net = Net(name)
    x = net.pool(net.conv(net.image(1, 9, 9, 2), 6), "AVERAGE_POOL_2D")
    net.dense(net.dense(net.flat(x), 20, activation=1), 4, output=True)
    return net.serialize()


def gates(name):
    """Functions with fixed scales, joined and multiplied."""
    net = Net(name)
    x = net.image(1, 6, 6, 4)
    left, right = net.conv(x, 4, activation=0), net.conv(x, 4, activation=0)
    gate = net.same("LOGISTIC", [left])
    shape = net.same("TANH", [right])
    x = net.same("MUL", [gate, shape], schema.MulOptionsT())
    x = net.same("SUB", [x, net.reals(1, 1, 1, 4)], schema.SubOptionsT())
    x = net.same("LEAKY_RELU", [x], schema.LeakyReluOptionsT(alpha=0.2))
    x = net.same("HARD_SWISH", [x], schema.HardSwishOptionsT())
    joined = net.made((1, 6, 6, 12))
    net.op("CONCATENATION", [x, shape, left], [joined], schema.ConcatenationOptionsT(axis=3))
    x = net.same("RELU", [joined])
    net.conv(net.same("MAXIMUM", [x, net.reals(1, 1, 1, 12)], schema.MaximumMinimumOptionsT()), 3, activation=0,
             output=True)
    return net.serialize()


def mixed(name):
    """SQRT has no integer form."""
    net = Net(name)
    x = net.dense(net.image(1, 10), 8, activation=1)
    net.dense(net.same("SQRT", [x]), 4, output=True)
    return net.serialize()


for number in range(4):
    for make in (mobile, plain, gates, mixed):
        label = f"{make.__name__} {number}"
        if run.wants(label):
            check(label, make(label))
for label, options in (("float io", ["--keep-float-io"]), ("per channel dense", ["--per-channel-dense"]),
                       ("percentile", ["--range", "percentile"]), ("mse", ["--range", "mse"]),
                       ("entropy", ["--range", "entropy"])):
    check(label, plain(label), options=options)
    check(f"{label}, mobile", mobile(label), options=options)

models = pathlib.Path(__file__).parents[3] / "shared" / "models"
for stem in ("ad01_fp32", "emlearn_mnist_fp32", "resnet_fp32", "vww_96_fp32"):
    path = models / f"{stem}.tflite"
    if not run.wants(f"model {stem}"):
        continue
    if path.exists():
        check(f"model {stem}", path.read_bytes())
    else:
        print(f"skipped  model {stem}: {path} is not there")
run.finish()
