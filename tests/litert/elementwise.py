# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators: random shapes, broadcasts, data types, activations."""
import numpy as np

from harness import (DTYPES, Model, Run, broadcastable, random_quantization, random_scale, random_shape,
                     random_values, schema)

run = Run("element-wise")


def operands(random, model, dtype, quantization=None, low=None, high=None):
    """Two inputs that broadcast; sometimes the second is constant, now and then of one element."""
    shape = random_shape(random, 1, 4)
    first, second = (broadcastable(random, shape), shape)[::1 if random.random() < 0.5 else -1]
    if random.random() < 0.2:
        second = random_shape(random, 0, 1, 1)
    a = model.input(dtype, first, **(quantization or random_quantization(random, dtype)))
    described = quantization or random_quantization(random, dtype)
    if random.random() < 0.4:
        return a, model.constant(random_values(random, dtype, second, low, high), dtype, **described)
    return a, model.input(dtype, second, **described)


def inputs_of(model, low=None, high=None):
    """make_inputs for values within bounds."""
    types = {getattr(schema.TensorType, file): dtype for dtype, (_, file) in
             DTYPES.items()}
    return lambda random: [random_values(random, types[model.tensors[i].type], model.tensors[i].shape, low, high)
                           for i in model.inputs]


def related_quantization(random, scale):
    """Scales whose ratios are powers of two: TFLM derives the multipliers of SUB in float, LiteRT in double."""
    return {"scale": scale * 2.0 ** int(random.integers(0, 4)), "zero": 0}


def binary(name, dtype, i, options=None, result=None, same=False, low=None, high=None):
    case = f"{name} {dtype} {i}"
    if not run.wants(case):
        return
    random = run.random(case)
    model = Model()
    quantization = random_quantization(random, dtype) if same else None
    described = {} if result else quantization or random_quantization(random, dtype)
    fused = options(fusedActivationFunction=int(random.integers(0, 4))) if options else None
    if name == "SUB" and dtype == "i16":
        fused.potScaleInt16 = False
        scale = random_scale(random)
        quantization, described = related_quantization(random, scale), related_quantization(random, scale)
    a, b = operands(random, model, dtype, quantization, low, high)
    y = model.output(result or dtype, **described)
    model.op(name, [a, b], [y], fused)
    run.check(case, model, make_inputs=inputs_of(model, low, high))


for i in range(30):
    for name, options in (("ADD", schema.AddOptionsT), ("SUB", schema.SubOptionsT), ("MUL", schema.MulOptionsT)):
        for dtype in ("i8", "i16", "f32", "i32"):
            binary(name, dtype, i, options)
for i in range(6):
    for name, options in (("ADD", schema.AddOptionsT), ("SUB", schema.SubOptionsT), ("MUL", schema.MulOptionsT)):
        binary(name, "i64", i, options)
    for name in ("MAXIMUM", "MINIMUM"):
        for dtype in ("i8", "i16", "f32", "i32", "i64"):
            binary(name, dtype, i, same=True)
    for name in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
        for dtype in ("f32", "i32", "i64"):
            binary(name, dtype, i, result="boolean", low=-3, high=3)
        binary(name, "i8", i, result="boolean")
    for name in ("LOGICAL_AND", "LOGICAL_OR"):
        binary(name, "boolean", i)
    binary("DIV", "f32", i, schema.DivOptionsT)
    binary("DIV", "i32", i, schema.DivOptionsT, low=1)
    binary("POW", "f32", i, low=0.1, high=4)
    for name in ("FLOOR_DIV", "FLOOR_MOD"):
        binary(name, "f32", i, low=0.5)
        for dtype in ("i8", "i16", "i32"):
            binary(name, dtype, i, low=1)
for i in range(20):
    for dtype in ("i8", "f32", "i32"):
        binary("SQUARED_DIFFERENCE", dtype, i)

def unary(name, dtype, i, options=None, result=None, low=None, high=None, quantization=None, output=None):
    case = f"{name} {dtype} {result or ''}{i}"
    if not run.wants(case):
        return
    random = run.random(case)
    model = Model()
    described = random_quantization(random, dtype) if quantization is None else quantization
    x = model.input(dtype, random_shape(random), **described)
    if output is None:
        output = described if random.random() < 0.4 else random_quantization(random, dtype)
    model.op(name, [x], [model.output(result or dtype, **output)], options)
    run.check(case, model, make_inputs=inputs_of(model, low, high))


def positive(random):
    """i8 without numbers below 0."""
    return {"scale": random_scale(random), "zero": -128}


for i in range(20):
    random = run.random(str(i))
    for dtype in ("i8", "i16", "f32"):
        unary("LEAKY_RELU", dtype, i, schema.LeakyReluOptionsT(alpha=float(random.random())))
        unary("RELU", dtype, i)
        wide = {"scale": 1 / 32768, "zero": 0}
        unary("TANH", dtype, i, output={"i8": {"scale": 1 / 128, "zero": 0}, "i16": wide}.get(dtype, {}))
        unary("LOGISTIC", dtype, i, output={"i8": {"scale": 1 / 256, "zero": -128}, "i16": wide}.get(dtype, {}))
        unary("ABS", dtype, i)
    for dtype in ("i8", "f32"):
        for name in ("RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "ELU"):
            unary(name, dtype, i)
        unary("GELU", dtype, i, schema.GeluOptionsT(approximate=i % 2 == 1), low=None if dtype == "i8" else -2)
        unary("EXP", dtype, i, quantization={"scale": 0.02, "zero": 3} if dtype == "i8" else None)
    unary("LOG", "i8", i, low=-127, quantization=positive(random))
    unary("RSQRT", "i8", i, low=-127, quantization=positive(random))
for i in range(4):
    for name in ("LOG", "SQRT", "RSQRT"):
        unary(name, "f32", i, low=0.01)
    for name in ("SQUARE", "SIN", "COS", "FLOOR", "CEIL", "ROUND"):
        unary(name, "f32", i)
    for dtype in ("f32", "i32", "i64"):
        unary("NEG", dtype, i)
    unary("ABS", "i32", i)
    unary("LOGICAL_NOT", "boolean", i)
def prelu(case, dtype):
    random = run.random(case)
    shape = random_shape(random, 1, 4)
    model = Model()
    x = model.input(dtype, shape, **random_quantization(random, dtype))
    slopes = broadcastable(random, shape)
    described = random_quantization(random, dtype)
    alpha = (model.constant(random_values(random, dtype, slopes), dtype, **described) if random.random() < 0.6
             else model.input(dtype, slopes, **described))
    model.op("PRELU", [x, alpha], [model.output(dtype, **random_quantization(random, dtype))])
    run.check(case, model)


def add_n(case, dtype):
    random = run.random(case)
    shape, model, described = random_shape(random, 1, 4), Model(), random_quantization(random, dtype)
    inputs = [model.input(dtype, shape, **described) for _ in range(int(random.integers(2, 6)))]
    model.op("ADD_N", inputs, [model.output(dtype, **random_quantization(random, dtype))], schema.AddNOptionsT())
    run.check(case, model, make_inputs=inputs_of(model, -1000, 1000) if dtype == "i32" else None)


def l2_normalization(case, dtype):
    random = run.random(case)
    model = Model()
    x = model.input(dtype, random_shape(random, 1, 4, 20), **random_quantization(random, dtype))
    described = {"scale": 1 / 128, "zero": 0} if dtype == "i8" else {}
    model.op("L2_NORMALIZATION", [x], [model.output(dtype, **described)], schema.L2NormOptionsT(), version=2)
    run.check(case, model)


def arc_tangent(case):
    random = run.random(case)
    model = Model()
    shape = random_shape(random, 1, 4, 20)
    # LiteRT does not broadcast here: it would read beyond the smaller operand.
    a, b = (model.input("f32", shape) for _ in range(2))
    model.op("ATAN2", [a, b], [model.output("f32")])
    run.check(case, model)


for i in range(30):
    for function, name in ((prelu, "PRELU"), (add_n, "ADD_N"), (l2_normalization, "L2_NORMALIZATION")):
        for dtype in ("f32", "i32") if name == "ADD_N" else ("i8", "f32"):
            if run.wants(f"{name} {dtype} {i}"):
                function(f"{name} {dtype} {i}", dtype)
for i in range(6):
    for dtype in ("f32", "i32"):
        unary("SIGN", dtype, i, schema.SignOptionsT(), low=-2, high=2)
    if run.wants(f"ATAN2 f32 {i}"):
        arc_tangent(f"ATAN2 f32 {i}")
    for dtype in ("i8", "u8", "i16", "i32"):
        binary("BITWISE_XOR", dtype, i)
    for dtype in ("i8", "i16", "i32"):
        binary("RIGHT_SHIFT", dtype, i)
CASTS = ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "f32", "boolean")
for source in CASTS:
    for target in CASTS:
        bounds = {"low": 0 if target.startswith("u") else -100, "high": 100} if source == "f32" else {}
        unary("CAST", source, 0, schema.CastOptionsT(), target, quantization={}, output={}, **bounds)

run.finish()
