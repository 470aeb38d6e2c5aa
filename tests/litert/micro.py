# SPDX-License-Identifier: Apache-2.0
"""Operators and data types that TensorFlow Lite Micro has and LiteRT has not, against TFLM's own interpreter."""
import numpy as np

from harness import Model, Run, broadcastable, random_scale, random_shape, random_values, schema
from tflite_micro.python.tflite_micro import runtime

CASES = 40
run = Run("micro")


def outputs_of(content, inputs):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    return [np.array(interpreter.get_output(0))]


def check(name, make):
    """make(random): a model, and a function that makes its input arrays."""
    if not run.wants(name):
        return
    random = run.random(name)
    for index in range(CASES):
        model, make_inputs = make(random)
        content = model.serialize()
        runs = [(f"case{i}", one, outputs_of(content, one)) for i, one in enumerate(make_inputs(random) for _ in range(3))]
        run.verify(f"{name} {index}", content, runs)


def zero_point(random):
    return int(random.integers(-128, 128))


def divide(random):
    model = Model()
    shape = random_shape(random)
    divisor_shape = broadcastable(random, shape) if random.random() < 0.5 else shape
    zero = zero_point(random)
    scales = [random_scale(random) for _ in range(3)]
    a = model.input("i8", shape, scale=scales[0], zero=zero_point(random))
    b = model.input("i8", divisor_shape, scale=scales[1], zero=zero)
    multiplier = 2.0 ** random.uniform(0.1, 7)
    dividend_zero = model.tensors[a].quantization.zeroPoint[0]
    y = model.output("i8", shape, scale=float(np.float32(scales[0] / scales[1] / multiplier)), zero=zero_point(random))
    model.op("DIV", [a, b], [y], schema.DivOptionsT(fusedActivationFunction=int(random.integers(0, 4))))

    def inputs(random):
        divisors = random_values(random, "i8", divisor_shape)
        divisors[divisors == zero] = zero + (1 if zero < 127 else -1)  # TFLM's kernel does not define x / 0
        # Smaller dividends are shifted by more than 31 bits, which TFLM's kernel does not define either.
        least = max(1, 2 ** (7 - int(np.floor(np.log2(multiplier)))))
        dividends = random_values(random, "i8", shape).astype(np.int32) - dividend_zero
        dividends[np.abs(dividends) < least] = least if dividend_zero + least <= 127 else -least
        return [(dividends + dividend_zero).astype(np.int8), divisors]

    return model, inputs


def running_sum(random):
    model = Model()
    shape = random_shape(random, largest=9)
    scale = random_scale(random)
    x = model.input("i8", shape, scale=scale, zero=0)
    axis = int(random.integers(-len(shape), len(shape)))
    y = model.output("i8", shape, scale=float(np.float32(scale * 2.0 ** random.uniform(-0.5, 3))), zero=zero_point(random))
    options = schema.CumsumOptionsT(exclusive=bool(random.integers(0, 2)), reverse=bool(random.integers(0, 2)))
    model.op("CUMSUM", [x, model.constant(np.int32(axis))], [y], options)
    return model, lambda random: [random_values(random, "i8", shape)]


def rectifier(random):
    model = Model()
    shape = random_shape(random)
    scale = random_scale(random)
    x = model.input("i16", shape, scale=scale, zero=0)
    slopes = model.constant(random_values(random, "i8", broadcastable(random, shape)), scale=random_scale(random),
                            zero=zero_point(random))
    y = model.output("i16", shape, scale=float(np.float32(scale * 2.0 ** random.uniform(-1, 3))), zero=0)
    model.op("PRELU", [x, slopes], [y])
    return model, lambda random: [random_values(random, "i16", shape)]


check("div i8", divide)
check("cumsum i8", running_sum)
check("prelu i16", rectifier)
run.finish()
