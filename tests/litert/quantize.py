# SPDX-License-Identifier: Apache-2.0
"""Float models that `mote quantize` made integer: TensorFlow Lite Micro and LiteRT's reference kernels run the file and
give Mote's bytes; behind dense layers LiteRT's may differ, because it multiplies their sums by a float (SPEC.md)."""
import pathlib
import subprocess
import tempfile

import numpy as np

from harness import Model, OpResolverType, Run, interpreter_of, invoke, problem_of, schema
from tflite_micro.python.tflite_micro import runtime

SAMPLES = 16
run = Run("quantize")


def micro_outputs(content, inputs):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 24)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    count = len(schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0].outputs)
    return [np.array(interpreter.get_output(i)) for i in range(count)]


def float_samples(content, random):
    """By input; read from the file, because LiteRT may not know its operators."""
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    inputs = [graph.tensors[i] for i in graph.inputs]
    return {tensor.name.decode(): random.normal(0, 1, (SAMPLES, *tensor.shape)).astype(np.float32) for tensor in inputs}


def input_quantization(content):
    """(name, dtype, scale, zero point) of each input."""
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    kinds = {schema.TensorType.INT8: np.int8, schema.TensorType.INT16: np.int16, schema.TensorType.FLOAT32: np.float32}
    result = []
    for tensor in (graph.tensors[i] for i in graph.inputs):
        quantization = tensor.quantization
        scaled = quantization is not None and quantization.scale is not None
        result.append((tensor.name.decode(), kinds[tensor.type], quantization.scale[0] if scaled else 1,
                       quantization.zeroPoint[0] if scaled else 0))
    return result


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


def as_input(dtype, scale, zero, values):
    """What the integer model takes for a float input."""
    if dtype == np.float32:
        return values
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / np.float32(scale)) + zero, limits.min, limits.max).astype(dtype)


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
    described = input_quantization(integer)
    inputs = [[as_input(*rest, samples[key][i]) for key, *rest in described] for i in range(3)]
    try:
        exact = [(f"case{i}", one, micro_outputs(integer, one)) for i, one in enumerate(inputs)] if micro else None
    except RuntimeError as error:
        run.failed.append(f"{name}: TFLM: {error}")
        print(f"FAILED   {run.failed[-1]}", flush=True)
        return
    if micro:
        run.verify(f"{name} (TFLM)", integer, exact)
    try:
        resolver = resolver_of(integer)
        interpreter = interpreter_of(integer, resolver)
        runs = [(f"case{i}", one, invoke(interpreter_of(integer, resolver), one)) for i, one in enumerate(inputs)]
    except (RuntimeError, ValueError) as error:
        run.refused.append(f"{name}: LiteRT: {error}")
        print(f"refused  {name}: {str(error).splitlines()[0]}")
        return
    if micro and uses(interpreter, "FULLY_CONNECTED"):  # a multiplier of its own: a step a layer may differ
        count_steps(name, runs, exact)
    else:
        run.verify(name, integer, runs)


def resolver_of(content):
    """LiteRT's reference resolver has depthwise convolutions up to version 6, INT4 weights came with 7; its kernel is not
    another one for that, but only the usual resolver gives it."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    newer = any(code.builtinCode == schema.BuiltinOperator.DEPTHWISE_CONV_2D and code.version > 6 for code in model.operatorCodes)
    return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if newer else OpResolverType.BUILTIN_REF


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


def single(name, build):
    """A convolution and one more operator behind it."""
    net = Net(name)
    x = net.conv(net.image(1, 6, 6, 4), 4, activation=0)
    build(net, x)
    return net.serialize()


def unary(operator, options=None):
    return lambda net, x: net.same(operator, [x], options, output=True)


def ints(net, *values):
    return net.constant(np.array(values, np.int32))


def shaped(operator, shape, options=None, constants=()):
    """An operator with another output shape; its constants follow the input."""
    def build(net, x):
        net.op(operator, [x, *(net.constant(np.array(one, np.int32)) for one in constants)], [net.made(shape, True)], options)
    return build


def with_reals(operator, shape, options=None):
    return lambda net, x: net.same(operator, [x, net.reals(*shape)], options, output=True)


def transposed(net, x):
    y = net.made((1, 12, 12, 3), True)
    net.op("TRANSPOSE_CONV", [ints(net, 1, 12, 12, 3), net.reals(3, 3, 3, 4), x, net.reals(3)], [y],
           schema.TransposeConvOptionsT(padding=0, strideH=2, strideW=2), version=3)


def product(net, x):
    y = net.made((1, 6, 6, 6), True)
    net.op("BATCH_MATMUL", [x, net.same("RELU", [x])], [y], schema.BatchMatMulOptionsT(adjY=True))


def chosen(net, x):
    mask = net.tensor("boolean", (1, 6, 6, 4))
    other = net.same("RELU", [x])
    net.op("LESS", [x, other], [mask], schema.LessOptionsT())
    net.op("SELECT_V2", [mask, x, other], [net.made((1, 6, 6, 4), True)], schema.SelectV2OptionsT())


def parts(net, x):
    halves = [net.made((1, 6, 6, 2)) for _ in range(2)]
    net.op("SPLIT", [net.constant(np.int32(3)), x], halves, schema.SplitOptionsT(numSplits=2))
    net.op("PACK", halves, [net.made((1, 6, 6, 2, 2), True)], schema.PackOptionsT(valuesCount=2, axis=3))


PLAIN = [  # name, builder, whether TensorFlow Lite Micro has it
    ("elu", unary("ELU"), True), ("gelu", unary("GELU", schema.GeluOptionsT()), False), ("abs", unary("ABS"), True),
    ("relu6", unary("RELU6"), True), ("relu n1", unary("RELU_N1_TO_1"), False), ("tanh", unary("TANH"), True),
    ("exp", unary("EXP"), True), ("prelu", with_reals("PRELU", (1, 1, 4)), True),
    ("squared difference", with_reals("SQUARED_DIFFERENCE", (1, 1, 1, 4), schema.SquaredDifferenceOptionsT()), True),
    ("minimum", with_reals("MINIMUM", (1, 1, 1, 4), schema.MaximumMinimumOptionsT()), True),
    ("l2 norm", unary("L2_NORMALIZATION", schema.L2NormOptionsT()), True),
    ("log softmax", unary("LOG_SOFTMAX", schema.LogSoftmaxOptionsT()), True),
    ("mean", shaped("MEAN", (1, 1, 1, 4), schema.ReducerOptionsT(keepDims=True), [[1, 2]]), True),
    ("reduce max", shaped("REDUCE_MAX", (1, 4), schema.ReducerOptionsT(), [[1, 2]]), True),
    ("bilinear", shaped("RESIZE_BILINEAR", (1, 12, 9, 4), schema.ResizeBilinearOptionsT(halfPixelCenters=True), [[12, 9]]),
     True),
    ("nearest", shaped("RESIZE_NEAREST_NEIGHBOR", (1, 12, 9, 4), schema.ResizeNearestNeighborOptionsT(), [[12, 9]]), True),
    ("pad", shaped("PAD", (1, 8, 7, 4), schema.PadOptionsT(), [[[0, 0], [1, 1], [0, 1], [0, 0]]]), True),
    ("mirror pad", shaped("MIRROR_PAD", (1, 8, 7, 4), schema.MirrorPadOptionsT(mode=0),
                          [[[0, 0], [1, 1], [0, 1], [0, 0]]]), True),
    ("transpose", shaped("TRANSPOSE", (1, 4, 6, 6), schema.TransposeOptionsT(), [[0, 3, 1, 2]]), True),
    ("slice", shaped("STRIDED_SLICE", (1, 3, 2, 4), schema.StridedSliceOptionsT(),
                     [[0, 0, 1, 0], [1, 6, 5, 4], [1, 2, 2, 1]]), True),
    ("space to depth", shaped("SPACE_TO_DEPTH", (1, 3, 3, 16), schema.SpaceToDepthOptionsT(blockSize=2)), False),
    ("space to batch", shaped("SPACE_TO_BATCH_ND", (4, 3, 3, 4), schema.SpaceToBatchNDOptionsT(),
                              [[2, 2], [[0, 0], [0, 0]]]), True),
    ("gather", shaped("GATHER", (1, 6, 2, 4), schema.GatherOptionsT(axis=2), [[4, 1]]), True),
    ("arg max", lambda net, x: net.op("ARG_MAX", [x, net.constant(np.int32(3))], [net.output("i32", (1, 6, 6))],
                                      schema.ArgMaxOptionsT(outputType=2)), True),
    ("transpose conv", transposed, True), ("batch matmul", product, True), ("select", chosen, True),
    ("split and pack", parts, True),
]

for label, build, micro in PLAIN:
    if run.wants(label):
        check(label, single(label, build), micro=micro)
for label, build, micro in PLAIN:
    if run.wants(f"int16 {label}"):
        check(f"int16 {label}", single(f"int16 {label}", build), options=["--activations", "int16"], micro=micro)
for number in range(4):
    for make in (mobile, plain, gates, mixed):
        label = f"{make.__name__} {number}"
        if run.wants(label):
            check(label, make(label))
for label, options in (("float io", ["--keep-float-io"]), ("per channel dense", ["--per-channel-dense"]),
                       ("percentile", ["--range", "percentile"]), ("mse", ["--range", "mse"]),
                       ("entropy", ["--range", "entropy"]), ("equalize", ["--equalize", "--correct-bias"]),
                       ("4 bits", ["--weights", "4bit:*"]),
                       ("4 bits in bytes", ["--weights", "4bit:*", "--int4-tensors", "none"]),
                       ("calibrated", ["--rounding", "calibrated"]), ("ternary", ["--weights", "ternary:*"]),
                       ("power of two", ["--power-of-two"]), ("int16", ["--activations", "int16"])):
    check(label, plain(label), options=options)
    check(f"{label}, mobile", mobile(label), options=options)
    check(f"{label}, gates", gates(label), options=options)



def narrow(name, layers):
    """One narrow layer after another; an odd number of weights each."""
    net = Net(name)
    layers(net, net.image(1, 5, 5, 3))
    return net.serialize()


def check_wide_dense(kind):
    """INT4 beside a scale a channel in a dense layer: TensorFlow Lite Micro refuses it, so its integers are those of the same
    weights in bytes; LiteRT's are its own, and equal in both files."""
    name = f"{kind} dense, litert"
    if not run.wants(name):
        return
    content = narrow(name, lambda net, x: net.dense(net.flat(x), 3, output=True))
    samples = float_samples(content, run.random(name))
    files = [quantized(content, samples, ["--weights", f"{kind}:*", "--int4-tensors", where]) for where in ("none", "litert")]
    assert len(files[1]) < len(files[0]), "no smaller"
    (key, *rest), = input_quantization(files[0])
    inputs = [[as_input(*rest, samples[key][i])] for i in range(3)]
    run.verify(name, files[1], [(f"case{i}", one, micro_outputs(files[0], one)) for i, one in enumerate(inputs)])
    for one in inputs:
        if not np.array_equal(*(invoke(interpreter_of(file), one)[0] for file in files)):
            run.failed.append(f"{name}: LiteRT gives other integers than for bytes")


for kind in ("4bit", "ternary"):
    for label, layers in (("convolution", lambda net, x: net.conv(x, 5, output=True)),
                          ("depthwise", lambda net, x: net.conv(net.depthwise(x), 5, kernel=1, output=True))):
        title = f"{kind} {label}"
        check(title, narrow(title, layers), options=["--weights", f"{kind}:*"])
    check_wide_dense(kind)
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
