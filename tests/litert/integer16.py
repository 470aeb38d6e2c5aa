# SPDX-License-Identifier: Apache-2.0
"""Weighted sums, pooling, matrix products, softmax and quantisation against LiteRT's reference kernels."""
import math
import pathlib

import numpy as np

from harness import (Model, Run, interpreter_of, invoke, random_quantization, random_scale, random_shape,
                     random_values, schema)

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
        self.integer = kind in ("i8", "i16", "u8")
        self.in_zero = self.out_zero = 0
        self.values = {}  # of the integer constants
        self.in_scale = random_scale(random, -8, -4) if kind in ("i8", "u8") else random_scale(random, -15, -10)
        count = outputs if per_channel else 1
        self.scales = np.float32(2.0 ** random.uniform(-9, -5)) * random.uniform(0.3, 3, count).astype(np.float32)
        size = 74.0 if kind in ("i8", "u8") else 19000.0
        self.usual = np.sqrt(taps) * size * 74
        span = random.uniform(20, 150) if kind in ("i8", "u8") else random.uniform(1e3, 4e4)
        self.out_scale = float(self.in_scale * self.scales[0] * self.usual / span)

    def zero_point(self):
        low = {"i8": -128, "u8": 0, "i16": None}[self.kind]
        return 0 if low is None else int(self.random.integers(low, low + 256))

    def input(self, model, shape):
        if not self.integer:
            return model.input("f32", shape)
        self.in_zero = self.zero_point()
        return model.input(self.kind, shape, scale=self.in_scale, zero=self.in_zero)

    def weights(self, model, shape, axis=0, zero=0, four_bits=False):
        if self.kind == "f32":
            return model.constant(self.random.uniform(-1, 1, shape).astype(np.float32))
        if four_bits:
            self.values["weights"] = self.random.integers(-7, 8, shape)
            return model.constant(self.values["weights"], "i4", scale=self.scales, axis=axis)
        if self.kind == "u8":
            values = self.random.integers(0, 256, shape).astype(np.uint8)
            return model.constant(values, scale=self.scales, zero=int(self.random.integers(100, 150)))
        self.values["weights"] = values = self.random.integers(-127, 128, shape).astype(np.int8)
        return model.constant(values, scale=self.scales, zero=zero, axis=axis)

    def bias(self, model, dtype=None):
        if not self.integer:
            return model.constant(self.random.uniform(-1, 1, self.outputs).astype(np.float32))
        kind = dtype or (np.int64 if self.kind == "i16" else np.int32)
        self.values["bias"] = values = self.random.uniform(-self.usual, self.usual, self.outputs).astype(kind)
        return model.constant(values, scale=self.scales * np.float32(self.in_scale))

    def output(self, model, shape=None):
        if not self.integer:
            return model.output("f32", shape)
        self.out_zero = self.zero_point()
        return model.output(self.kind, shape, scale=self.out_scale, zero=self.out_zero)


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
    per_channel = kind != "u8" and (random.random() < 0.6 or (depthwise and kind == "hybrid"))
    layer = Layer(random, kind, outputs, kernel[0] * kernel[1] * (1 if depthwise else channels), per_channel)
    model = Model()
    x = layer.input(model, (int(random.integers(1, 3)), height, width, channels * groups))
    common = {"padding": int(random.integers(0, 2)), "fusedActivationFunction": pick(random, *ACTIVATIONS),
              "strideH": strides[0], "strideW": strides[1], "dilationHFactor": dilations[0],
              "dilationWFactor": dilations[1]}
    bias32 = kind == "i16" and not depthwise and random.random() < 0.3
    if depthwise:
        common["strideW"] = common["strideH"]
        weights = layer.weights(model, (1, *kernel, outputs), axis=3)
        options = schema.DepthwiseConv2DOptionsT(depthMultiplier=multiplier, **common)
    else:
        four_bits = kind == "i8" and random.random() < 0.2
        weights = layer.weights(model, (outputs, *kernel, channels), four_bits=four_bits)
        options = schema.Conv2DOptionsT(
            quantizedBiasType=getattr(schema.TensorType, "INT32" if bias32 else "INT64"), **common)
    bias = layer.bias(model, np.int32 if bias32 else None)
    y = layer.output(model)
    model.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [x, weights, bias], [y], options, version=4)
    run.check(name, model)


def transpose_conv(name, kind):
    random = run.random(name)
    kernel = [int(n) for n in random.integers(1, 5, 2)]
    strides = [int(n) for n in random.integers(1, 4, 2)]
    padding = int(random.integers(0, 2))
    inputs = [int(n) for n in random.integers(1, 6, 2)]
    size = [(n - 1) * s + (k if padding else 1) + int(random.integers(0, s))
            for n, s, k in zip(inputs, strides, kernel)]
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


def multiplier_of(real):
    """A real multiplier as 31 bits and an exponent."""
    fraction, exponent = math.frexp(real)
    return round(fraction * 2 ** 31), exponent


def dense(sums, real, activation, out_scale, out_zero, wide):
    """TFLM's arithmetic, where LiteRT's reference kernel multiplies sums by a float. `wide`: 16 bits of the
    multiplier and one rounding of the 64-bit product; else gemmlowp's two roundings. `real`: the multiplier of
    each column."""
    columns = []
    for column, factor in zip(sums.T, np.broadcast_to(real, sums.shape[1])):
        multiplier, exponent = multiplier_of(float(factor))
        if wide:
            reduced = min((multiplier + (1 << 15)) >> 16, 0x7FFF)
            columns.append((column * reduced + (1 << (14 - exponent))) >> (15 - exponent))
        else:
            high = ((column << max(exponent, 0)) * multiplier + (1 << 30)) >> 31
            right = max(-exponent, 0)
            rest = high & ((1 << right) - 1)
            columns.append((high >> right) + (rest > ((1 << right) - 1 >> 1) + (high < 0)))
    kind = np.int16 if wide else np.int8
    limits = np.iinfo(kind)
    low, high = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}[activation]
    low, high = (np.clip(out_zero + np.round(limit / float(out_scale)), limits.min, limits.max)
                 for limit in (low, high))
    return np.clip(np.stack(columns, 1) + out_zero, int(low), int(high)).astype(kind)


def softmax16(values, scale, beta):
    """TFLM's tables are computed in float, LiteRT's in double: results differ by one now and then."""
    def half_away(x):
        return np.trunc(x + np.copysign(np.float32(0.5), x))

    def table(function, low, high):
        step = np.float32((high - low) / 512)
        at = np.float32(low) + np.arange(513, dtype=np.float32) * step
        exact = function(at) * np.float32(32768)
        sample = half_away(exact[:-1])
        middle = half_away(function(at[:-1] + step / np.float32(2)) * np.float32(32768))
        error = half_away((exact[1:] + sample) / np.float32(2)) - middle
        return np.clip(np.append(sample - half_away(error / np.float32(2)), half_away(exact[-1])), -32768,
                       32767).astype(np.int64)

    def look_up(table, at):
        index = 256 + (at >> 7)
        return table[index] + (((table[index + 1] - table[index]) * (at & 127) + 64) >> 7)

    exponential = table(np.exp, -10, 0)
    reciprocal = table(lambda x: np.float32(1) / (np.float32(1) + x), 0, 1)
    multiplier, exponent = multiplier_of(float(np.float32(scale)) * beta / (10.0 / 65535))
    rows = values.astype(np.int64).reshape(-1, values.shape[-1])
    steps = ((rows - rows.max(1, keepdims=True)) << max(exponent, 0)) * multiplier + (1 << 30) >> 31
    right = max(-exponent, 0)
    rest = steps & ((1 << right) - 1)
    steps = (steps >> right) + (rest > ((1 << right) - 1 >> 1) + (steps < 0))
    shares = look_up(exponential, np.clip(steps + 32767, -32768, 32767))
    result = []
    for row in shares:
        right = int(row.sum()).bit_length() - 1
        over_one = (((int(row.sum()) << (30 - right)) + (1 << 13)) >> 14) - (1 << 15) - (1 << 16)
        factor = look_up(reciprocal, np.array(np.clip(over_one, -32768, 32767)))
        result.append(np.clip((row * factor + (1 << (right - 1))) >> right, 0, 32767))
    return np.array(result, np.int16).reshape(values.shape)


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
        zero = int(random.integers(-50, 50))
        weights = model.input("i8", (outputs, depth), scale=layer.scales, zero=zero)
    else:
        shifted = kind == "i8" and len(layer.scales) == 1 and random.random() < 0.2
        zero = int(random.integers(-20, 20)) if shifted else 0
        weights = layer.weights(model, (outputs, depth), zero=zero,
                                four_bits=kind == "i8" and zero == 0 and random.random() < 0.3)
    bias = [layer.bias(model)] if random.random() < 0.8 else []
    y = layer.output(model)
    activation = pick(random, *ACTIVATIONS)
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=activation, keepNumDims=keep,
        asymmetricQuantizeInputs=kind == "hybrid" and random.random() < 0.5,
        quantizedBiasType=schema.TensorType.INT64)
    model.op("FULLY_CONNECTED", [x, weights, *bias], [y], options, version=9)

    def expected(arrays, outputs_of_litert):
        rows = arrays[0].astype(np.int64).reshape(-1, depth) - layer.in_zero
        columns = (arrays[1] if runtime else layer.values["weights"]).astype(np.int64) - zero
        sums = rows @ columns.T + (layer.values["bias"] if bias else 0)
        # One scale: its product with the input's is rounded to float.
        scales = layer.scales if len(layer.scales) == 1 else layer.scales.astype(np.float64)
        real = (np.float32(layer.in_scale) * scales).astype(np.float64) / float(np.float32(layer.out_scale))
        return [dense(sums, real, activation, layer.out_scale, layer.out_zero, kind == "i16")
                .reshape(outputs_of_litert[0].shape)]

    run.check(name, model, expected=expected if layer.integer else None)


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
    extents = [n + int(random.integers(0, 6)) for n in filters]
    shape = (int(random.integers(1, 3)), *extents, int(random.integers(1, 5)))
    quantisation = random_quantization(random, kind)
    model = Model()
    x = model.input(kind, shape, **quantisation)
    y = model.output(kind, **quantisation)
    options = schema.Pool2DOptionsT(
        padding=int(random.integers(0, 2)), strideH=int(random.integers(1, 4)), strideW=int(random.integers(1, 4)),
        filterHeight=filters[0], filterWidth=filters[1], fusedActivationFunction=pick(random, *ACTIVATIONS))
    model.op(operator, [x], [y], options, version=1 if operator == "L2_POOL_2D" else 3)
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
    beta = pick(random, 1.0, 1.0, 0.5)
    model.op("SOFTMAX", [x], [y], schema.SoftmaxOptionsT(beta=beta), version=3)
    expected = (lambda arrays, _: [softmax16(arrays[0], quantisation["scale"], beta)]) if kind == "i16" else None
    run.check(name, model, expected=expected)


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


def whole_model(path):
    """A hybrid model that TFLM refuses, with inputs like features."""
    name = f"model {path.stem}"
    if not path.exists():
        print(f"skipped  {name}: {path} is not there")
        return
    content = path.read_bytes()
    random = run.random(name)
    shapes = [detail["shape"] for detail in interpreter_of(content).get_input_details()]
    inputs = [[random.normal(0, 1, shape).astype(np.float32) for shape in shapes] for _ in range(4)]
    outputs = [invoke(interpreter_of(content), one) for one in inputs]
    run.verify(name, content, [(f"case{i}", one, out) for i, (one, out) in enumerate(zip(inputs, outputs))])


def every(count, function, label, *arguments):
    for i in range(count):
        if run.wants(f"{label} {i}"):
            function(f"{label} {i}", *arguments)


for kind in ("i8", "i16", "f32", "hybrid"):
    every(20, convolution, f"conv {kind}", kind, False)
    every(20, convolution, f"depthwise {kind}", kind, True)
    every(20, fully_connected, f"dense {kind}", kind)
every(10, convolution, "conv u8", "u8", False)
every(10, convolution, "depthwise u8", "u8", True)
for kind in ("i8", "i16", "f32"):
    every(20, transpose_conv, f"transpose conv {kind}", kind)
    every(12, batch_matmul, f"matmul {kind}", kind)
    every(8, pooling, f"average {kind}", "AVERAGE_POOL_2D", kind)
    every(8, pooling, f"max {kind}", "MAX_POOL_2D", kind)
every(8, pooling, "l2 f32", "L2_POOL_2D", "f32")
for kind, out in (("i8", "i8"), ("i8", "i16"), ("i16", "i16"), ("f32", "f32")):
    every(8, softmax, f"softmax {kind} {out}", kind, out)
for kind, out in (("f32", "i8"), ("f32", "u8"), ("f32", "i16"), ("i8", "i8"), ("i8", "u8"), ("i8", "i16"),
                  ("u8", "i8"), ("u8", "u8"), ("i16", "i8"), ("i16", "i16"), ("i16", "i32"), ("i32", "i8"),
                  ("i32", "i16")):
    every(4, quantize, f"quantize {kind} {out}", kind, out)
for kind in ("i8", "u8", "i16"):
    every(3, dequantize, f"dequantize {kind}", kind)
for name in ("kws_fp32", "toycar_quant"):
    if run.wants(f"model {name}"):
        whole_model(pathlib.Path(__file__).parents[3] / "shared" / "models" / "no_golden" / f"{name}.tflite")
run.finish()
