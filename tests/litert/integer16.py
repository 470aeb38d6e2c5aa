# SPDX-License-Identifier: Apache-2.0
"""Convolutions, dense layers, pooling, matrix products, softmax and quantisation against LiteRT's reference kernels."""
import numpy as np

from harness import Model, Run, random_quantization, random_scale, random_shape, random_values, schema

ACTIVATIONS = (0, 1, 2, 3)
run = Run("integer16")


def pick(random, *choices):
    return choices[int(random.integers(0, len(choices)))]


def extent(random, kernel, dilation):
    return (kernel - 1) * dilation + int(random.integers(1, 8))


class Layer:
    """Types, scales and constants of one layer of weighted sums."""

    def __init__(self, random, kind, outputs, taps, per_channel):
        self.random, self.kind, self.outputs = random, kind, outputs
        self.integer = kind in ("i8", "i16")
        self.in_scale = random_scale(random, -8, -4) if kind == "i8" else random_scale(random, -15, -10)
        count = outputs if per_channel else 1
        self.scales = np.float32(2.0 ** random.uniform(-9, -5)) * random.uniform(0.3, 3, count).astype(np.float32)
        size = 74.0 if kind == "i8" else 19000.0
        self.usual = np.sqrt(taps) * size * 74
        span = random.uniform(20, 150) if kind == "i8" else random.uniform(1e3, 4e4)
        self.out_scale = float(self.in_scale * self.scales[0] * self.usual / span)

    def input(self, model, shape):
        if not self.integer:
            return model.input("f32", shape)
        zero = int(self.random.integers(-128, 128)) if self.kind == "i8" else 0
        return model.input(self.kind, shape, scale=self.in_scale, zero=zero)

    def weights(self, model, shape, axis=0, zero=0):
        if self.kind == "f32":
            return model.constant(self.random.uniform(-1, 1, shape).astype(np.float32))
        if self.kind == "i8i4":
            values = self.random.integers(-7, 8, shape)
            return model.constant(values, "i4", scale=self.scales, axis=axis)
        values = self.random.integers(-127, 128, shape).astype(np.int8)
        return model.constant(values, scale=self.scales, zero=zero, axis=axis)

    def bias(self, model, dtype=None):
        if not self.integer:
            return model.constant(self.random.uniform(-1, 1, self.outputs).astype(np.float32))
        kind = dtype or (np.int32 if self.kind == "i8" else np.int64)
        values = self.random.uniform(-self.usual, self.usual, self.outputs).astype(kind)
        return model.constant(values, scale=self.scales * np.float32(self.in_scale))

    def output(self, model, shape=None):
        if not self.integer:
            return model.output("f32", shape)
        zero = int(self.random.integers(-128, 128)) if self.kind == "i8" else 0
        return model.output(self.kind, shape, scale=self.out_scale, zero=zero)


def convolution(name, kind, depthwise):
    random = run.random(name)
    kernel = [int(n) for n in random.integers(1, 5, 2)]
    strides = [int(n) for n in random.integers(1, 4, 2)]
    dilations = [1, 1] if kind == "hybrid" or random.random() < 0.6 else [int(n) for n in random.integers(1, 4, 2)]
    channels = int(random.integers(1, 7))
    groups = pick(random, 1, 1, 2) if not depthwise and kind in ("i8", "i16") else 1
    multiplier = int(random.integers(1, 4))
    outputs = channels * multiplier if depthwise else groups * int(random.integers(1, 7))
    height, width = (extent(random, k, d) for k, d in zip(kernel, dilations))
    # LiteRT takes depthwise weights with real activations per channel only.
    per_channel = random.random() < 0.6 or (depthwise and kind == "hybrid")
    layer = Layer(random, kind, outputs, kernel[0] * kernel[1] * (1 if depthwise else channels), per_channel)
    model = Model()
    x = layer.input(model, (int(random.integers(1, 3)), height, width, channels * groups))
    common = {"padding": int(random.integers(0, 2)), "fusedActivationFunction": pick(random, *ACTIVATIONS),
              "strideH": strides[0], "strideW": strides[1], "dilationHFactor": dilations[0],
              "dilationWFactor": dilations[1]}
    if depthwise:
        common["strideW"] = common["strideH"]
        weights = layer.weights(model, (1, *kernel, outputs), axis=3)
        options = schema.DepthwiseConv2DOptionsT(depthMultiplier=multiplier, **common)
    else:
        weights = layer.weights(model, (outputs, *kernel, channels))
        options = schema.Conv2DOptionsT(**common)
    bias = layer.bias(model, np.int32 if kind == "i16" and not depthwise and random.random() < 0.3 else None)
    y = layer.output(model)
    model.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [x, weights, bias], [y], options, version=4)
    run.check(name, model)


def transpose_conv(name, kind):
    random = run.random(name)
    kernel = [int(n) for n in random.integers(1, 5, 2)]
    strides = [int(n) for n in random.integers(1, 4, 2)]
    padding = int(random.integers(0, 2))
    inputs = [int(n) for n in random.integers(1, 6, 2)]
    size = [(n - 1) * s + (k if padding else 1) + int(random.integers(0, s)) for n, s, k in zip(inputs, strides, kernel)]
    channels, outputs = (int(n) for n in random.integers(1, 6, 2))
    batches = int(random.integers(1, 3))
    layer = Layer(random, kind, outputs, kernel[0] * kernel[1] * channels, True)
    model = Model()
    x = layer.input(model, (batches, *inputs, channels))
    shape = model.constant(np.array([batches, *size, outputs], np.int32))
    weights = layer.weights(model, (outputs, *kernel, channels))
    bias = [layer.bias(model)] if random.random() < 0.7 else []
    y = layer.output(model, (batches, *size, outputs))
    options = schema.TransposeConvOptionsT(padding=padding, strideH=strides[0], strideW=strides[1])
    model.op("TRANSPOSE_CONV", [shape, weights, x, *bias], [y], options, version=3 if bias else 2)
    run.check(name, model)


def fully_connected(name, kind):
    random = run.random(name)
    keep = random.random() < 0.5
    depth, outputs = int(random.integers(1, 40)), int(random.integers(1, 12))
    shape = (*(int(n) for n in random.integers(1, 4, random.integers(1, 4))), depth)
    layer = Layer(random, kind, outputs, depth, kind in ("i8", "hybrid") and random.random() < 0.4)
    model = Model()
    x = layer.input(model, shape)
    runtime = kind == "i8" and random.random() < 0.2
    if runtime:
        layer.scales = layer.scales[:1]
        weights = model.input("i8", (outputs, depth), scale=layer.scales, zero=int(random.integers(-50, 50)))
    else:
        zero = int(random.integers(-20, 20)) if kind == "i8" and len(layer.scales) == 1 and random.random() < 0.2 else 0
        weights = layer.weights(model, (outputs, depth), zero=zero)
    bias = [layer.bias(model)] if random.random() < 0.8 else []
    y = layer.output(model)
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=pick(random, *ACTIVATIONS), keepNumDims=keep,
        asymmetricQuantizeInputs=kind == "hybrid" and random.random() < 0.5)
    model.op("FULLY_CONNECTED", [x, weights, *bias], [y], options, version=9)
    run.check(name, model)


def batch_matmul(name, kind):
    random = run.random(name)
    rows, depth, columns = (int(n) for n in random.integers(1, 9, 3))
    batches = [int(n) for n in random.integers(1, 4, random.integers(0, 3))]
    left = [1 if random.random() < 0.2 else n for n in batches]
    right = [1 if random.random() < 0.2 else n for n in batches][int(random.integers(0, len(batches) + 1)):]
    adj_x, adj_y = random.random() < 0.4, random.random() < 0.4
    a = (*left, *((depth, rows) if adj_x else (rows, depth)))
    b = (*right, *((columns, depth) if adj_y else (depth, columns)))
    model = Model()
    scales = [random_scale(random), random_scale(random)]
    size = {"i8": 74.0 * 74 / 60, "i16": 19000.0 * 19000 / 10000}.get(kind, 1)

    def quantisation(scale):
        if kind == "f32":
            return {}
        return {"scale": scale, "zero": 0 if kind == "i16" else int(random.integers(-128, 128))}

    x, y = (model.input(kind, shape, **quantisation(scale)) for shape, scale in zip((a, b), scales))
    out = model.output(kind, **quantisation(float(np.prod(scales) * size * np.sqrt(depth))))
    model.op("BATCH_MATMUL", [x, y], [out], schema.BatchMatMulOptionsT(adjX=adj_x, adjY=adj_y), version=4)
    run.check(name, model)


def pooling(name, operator, kind):
    random = run.random(name)
    filters = [int(n) for n in random.integers(1, 5, 2)]
    shape = (int(random.integers(1, 3)), *(n + int(random.integers(0, 6)) for n in filters), int(random.integers(1, 5)))
    quantisation = random_quantization(random, kind)
    model = Model()
    x = model.input(kind, shape, **quantisation)
    y = model.output(kind, **quantisation)
    options = schema.Pool2DOptionsT(
        padding=int(random.integers(0, 2)), strideH=int(random.integers(1, 4)), strideW=int(random.integers(1, 4)),
        filterHeight=filters[0], filterWidth=filters[1], fusedActivationFunction=pick(random, *ACTIVATIONS))
    model.op(operator, [x], [y], options, version=3)
    run.check(name, model)


def softmax(name, kind, out):
    random = run.random(name)
    model = Model()
    quantisation = random_quantization(random, kind)
    if kind == "i16":
        quantisation["scale"] = random_scale(random, -16, -7)
    shape = random_shape(random, 1, 4, 40)
    x = model.input(kind, shape, **quantisation)
    y = model.output(out, **{"i8": {"scale": 1 / 256, "zero": -128}, "f32": {},
                             "i16": {"scale": 1 / 32768 if kind == "i16" else 1 / 65536,
                                     "zero": 0 if kind == "i16" else -32768}}[out])
    model.op("SOFTMAX", [x], [y], schema.SoftmaxOptionsT(beta=pick(random, 1.0, 1.0, 0.5)), version=3)
    run.check(name, model)


def quantize(name, kind, out):
    random = run.random(name)
    model = Model()
    described = {"i32": {"scale": random_scale(random, -20, -12), "zero": 0}}
    source = described.get(kind) or random_quantization(random, kind)
    target = described.get(out) or random_quantization(random, out)
    shape = random_shape(random)
    x = model.input(kind, shape, **source)
    y = model.output(out, **target)
    limit = 1 << 24
    inputs = (lambda r: [random_values(r, "i32", shape, -limit, limit)]) if kind == "i32" else None
    model.op("QUANTIZE", [x], [y], schema.QuantizeOptionsT(), version=3)
    run.check(name, model, make_inputs=inputs)


def dequantize(name, kind):
    random = run.random(name)
    model = Model()
    x = model.input(kind, random_shape(random), **random_quantization(random, kind))
    model.op("DEQUANTIZE", [x], [model.output("f32")], schema.DequantizeOptionsT(), version=3)
    run.check(name, model)


def every(count, function, label, *arguments):
    for i in range(count):
        if run.wants(f"{label} {i}"):
            function(f"{label} {i}", *arguments)


for kind in ("i8", "i16", "f32", "hybrid"):
    every(20, convolution, f"conv {kind}", kind, False)
    every(20, convolution, f"depthwise {kind}", kind, True)
    every(20, fully_connected, f"dense {kind}", kind)
for kind in ("i8", "i16", "f32"):
    every(20, transpose_conv, f"transpose conv {kind}", kind)
    every(12, batch_matmul, f"matmul {kind}", kind)
    every(8, pooling, f"average {kind}", "AVERAGE_POOL_2D", kind)
    every(8, pooling, f"max {kind}", "MAX_POOL_2D", kind)
every(8, pooling, "l2 f32", "L2_POOL_2D", "f32")
for kind, out in (("i8", "i8"), ("i8", "i16"), ("i16", "i16"), ("f32", "f32")):
    every(8, softmax, f"softmax {kind} {out}", kind, out)
for kind, out in (("f32", "i8"), ("f32", "u8"), ("f32", "i16"), ("i8", "i8"), ("i8", "u8"), ("i8", "i16"), ("i8", "i32"),
                  ("u8", "i8"), ("u8", "u8"), ("i16", "i8"), ("i16", "i16"), ("i16", "i32"), ("i32", "i8"),
                  ("i32", "i16")):
    every(4, quantize, f"quantize {kind} {out}", kind, out)
for kind in ("i8", "u8", "i16"):
    every(3, dequantize, f"dequantize {kind}", kind)
run.finish()
