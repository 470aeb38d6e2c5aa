# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators: random shapes, broadcasts, data types, activations."""
import numpy as np

from harness import (Model, Run, broadcastable, random_quantization, random_scale, random_shape, random_values,
                     schema)

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
             __import__("harness").DTYPES.items()}
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

run.finish()
