# SPDX-License-Identifier: Apache-2.0
"""Resource variables: running sums and delays over runs, with first contents and without."""
from harness import Model, Run, random_quantization, random_shape, random_values, schema

run = Run("variables")


def accumulator(name):
    random = run.random(name)
    dtype, shape, model = ("f32", "i32")[int(random.integers(0, 2))], random_shape(random, 1, 3), Model()
    # LiteRT refuses to read what nothing has assigned.
    handle = model.variable("sum", random_values(random, dtype, shape, -50, 50))
    x, before = model.input(dtype, shape), model.tensor(dtype, shape)
    after = model.output(dtype, shape)
    model.op("READ_VARIABLE", [handle], [before], schema.ReadVariableOptionsT())
    model.op("ADD", [before, x], [after], schema.AddOptionsT())
    model.op("ASSIGN_VARIABLE", [handle, after], [], schema.AssignVariableOptionsT())
    run.check(name, model, cases=4, make_inputs=lambda random: [random_values(random, dtype, shape, -100, 100)])


def delays(name):
    """Two variables in a row: the output is the input of two runs before."""
    random = run.random(name)
    dtype = ("i8", "i16", "f32")[int(random.integers(0, 3))]
    shape, model, quantization = random_shape(random, 1, 3), Model(), random_quantization(random, dtype)
    handles = [model.variable(f"delay{i}", random_values(random, dtype, shape)) for i in range(2)]
    x, y = model.input(dtype, shape, **quantization), model.output(dtype, shape, **quantization)
    middle = model.tensor(dtype, shape, **quantization)
    model.op("READ_VARIABLE", [handles[1]], [y], schema.ReadVariableOptionsT())
    model.op("READ_VARIABLE", [handles[0]], [middle], schema.ReadVariableOptionsT())
    model.op("ASSIGN_VARIABLE", [handles[1], middle], [], schema.AssignVariableOptionsT())
    model.op("ASSIGN_VARIABLE", [handles[0], x], [], schema.AssignVariableOptionsT())
    run.check(name, model, cases=5, make_inputs=lambda random: [random_values(random, dtype, shape)])


for i in range(15):
    for function, label in ((accumulator, "sum"), (delays, "delay")):
        if run.wants(f"{label} {i}"):
            function(f"{label} {i}")
run.finish()
