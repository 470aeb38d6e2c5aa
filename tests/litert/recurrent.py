# SPDX-License-Identifier: Apache-2.0
"""LSTM in float with every option, and SVDF, against LiteRT's reference kernels.

The int8 LSTM is not here: LiteRT's arithmetic differs from TensorFlow Lite Micro's, which Mote follows (SPEC.md).
"""
import numpy as np

from harness import Model, Run, schema

TANH = 4
run = Run("recurrent")


def floats(random, shape, magnitude=1.0):
    return random.uniform(-magnitude, magnitude, shape).astype(np.float32)


def lstm(name):
    random = run.random(name)
    time_major, coupled, peephole, norm, projection = (random.random() < p for p in (0.3, 0.3, 0.4, 0.4, 0.5))
    batches, steps, depth, units = (int(n) for n in random.integers(1, (4, 5, 9, 9)))
    outputs = int(random.integers(1, 9)) if projection else units
    model = Model()
    shape = (steps, batches) if time_major else (batches, steps)
    inputs = [model.input("f32", shape + (depth,))] + [None] * 23
    for gate in range(1 if coupled else 0, 4):
        inputs[1 + gate] = model.constant(floats(random, (units, depth)))
        inputs[5 + gate] = model.constant(floats(random, (units, outputs), 0.5))
        inputs[12 + gate] = model.constant(floats(random, (units,)))
        if norm:
            inputs[20 + gate] = model.constant(floats(random, (units,)))
    for gate in range(1 if coupled else 0, 3) if peephole else ():
        inputs[9 + gate] = model.constant(floats(random, (units,)))
    if projection:
        inputs[16] = model.constant(floats(random, (outputs, units)))
        if random.random() < 0.5:
            inputs[17] = model.constant(floats(random, (outputs,)))
    inputs[18] = model.state("f32", (batches, outputs))
    inputs[19] = model.state("f32", (batches, units))
    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = TANH
    options.cellClip = float(random.uniform(0.3, 3)) if random.random() < 0.5 else 0.0
    options.projClip = float(random.uniform(0.2, 1)) if random.random() < 0.5 else 0.0
    options.timeMajor = time_major
    result = model.output("f32", shape + (outputs,))
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [result], options)
    run.check(name, model, make_inputs=lambda r: [r.uniform(-2, 2, shape + (depth,)).astype(np.float32)])


def svdf(name, integer):
    random = run.random(name)
    batches, depth, units, rank, memory = (int(n) for n in random.integers(1, (4, 20, 8, 4, 10)))
    filters = units * rank
    model = Model()
    options = schema.SVDFOptionsT()
    options.rank = rank
    if integer:
        state_scale, time_scale = 2.0 ** -10, 2.0 ** -14
        x = model.input("i8", (batches, depth), scale=0.03, zero=int(random.integers(-128, 128)))
        features = model.constant(random.integers(-127, 128, (filters, depth)).astype(np.int8), scale=0.008, zero=0)
        times = model.constant(random.integers(-9000, 9000, (filters, memory)).astype(np.int16), scale=time_scale, zero=0)
        bias = model.constant(random.integers(-2**22, 2**22, units).astype(np.int32), scale=state_scale * time_scale, zero=0)
        state = model.state("i16", (batches, memory * filters), scale=state_scale, zero=0)
        y = model.output("i8", (batches, units), scale=float(random.uniform(0.02, 0.1)), zero=-128)
        options.fusedActivationFunction = 1
    else:
        x = model.input("f32", (batches, depth))
        features = model.constant(floats(random, (filters, depth)))
        times = model.constant(floats(random, (filters, memory)))
        bias = model.constant(floats(random, (units,))) if random.random() < 0.7 else None
        state = model.state("f32", (batches, memory * filters))
        y = model.output("f32", (batches, units))
        options.fusedActivationFunction = int(random.integers(0, 4))
    model.op("SVDF", [x, features, times, bias, state], [y], options, version=3)
    run.check(name, model, cases=5)


for number in range(60):
    lstm(f"lstm {number}")
for number in range(40):
    svdf(f"svdf i8 {number}", True)
    svdf(f"svdf f32 {number}", False)
run.finish()
