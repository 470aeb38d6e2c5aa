# SPDX-License-Identifier: Apache-2.0
"""Small .tflite models from short descriptions, run by LiteRT's reference kernels and then by `mote verify`.

    run = Run("elementwise")                       # reads --mote, --seed, --only, --keep, --list
    model = Model()
    a = model.input("i8", (1, 4, 8), scale=0.1, zero=3)
    b = model.constant(array_of_i8, scale=0.2, zero=0)
    y = model.output("i8", scale=0.3, zero=-1)     # no shape: LiteRT's is taken
    model.op("ADD", [a, b], [y], schema.AddOptionsT(fusedActivationFunction=1))
    run.check("add i8 1x4x8 + 8", model)
    run.finish()                                   # prints a summary; exit status 1 when anything differs

Data types are Mote's names: i8 u8 i16 u16 i32 u32 i64 u64 f32 boolean i4 (f16 in weights).
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

DTYPES = {  # numpy's type and the file's
    "i8": (np.int8, "INT8"), "i16": (np.int16, "INT16"), "i32": (np.int32, "INT32"), "i64": (np.int64, "INT64"),
    "u8": (np.uint8, "UINT8"), "u16": (np.uint16, "UINT16"), "u32": (np.uint32, "UINT32"), "u64": (np.uint64, "UINT64"),
    "f32": (np.float32, "FLOAT32"), "f16": (np.float16, "FLOAT16"), "boolean": (np.bool_, "BOOL"),
    "i4": (np.int8, "INT4"),
}
NAMES = {np.dtype(kind): name for name, (kind, _) in reversed(DTYPES.items())}


class Model:
    """One subgraph, built call by call. Every method that makes a tensor returns its number."""

    def __init__(self):
        self.tensors, self.buffers, self.operators, self.codes = [], [schema.BufferT()], [], []
        self.inputs, self.outputs, self.states = [], [], []
        self.first_contents = {}  # of variables
        self.open_shapes = False

    def tensor(self, dtype, shape=None, scale=None, zero=0, axis=0, data=None, state=False):
        """`scale` and `zero`: a number, or one each index of `axis`. `shape` None: LiteRT computes it."""
        tensor = schema.TensorT()
        tensor.name = f"tensor{len(self.tensors)}"
        tensor.type = getattr(schema.TensorType, DTYPES[dtype][1])
        tensor.shape = [int(extent) for extent in shape or ()]
        tensor.isVariable = state
        self.open_shapes |= shape is None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = np.broadcast_to(np.asarray(zero, np.int64), scales.shape).copy()
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.frombuffer(data, np.uint8)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def input(self, dtype, shape, **quantization):
        self.inputs.append(self.tensor(dtype, shape, **quantization))
        return self.inputs[-1]

    def output(self, dtype, shape=None, **quantization):
        self.outputs.append(self.tensor(dtype, shape, **quantization))
        return self.outputs[-1]

    def constant(self, values, dtype=None, **quantization):
        """`values`: an array; its type says which, unless `dtype` does (i4: one value a byte, packed here)."""
        values = np.asarray(values)
        dtype = dtype or NAMES[values.dtype]
        data = values.astype(DTYPES[dtype][0])
        if dtype == "i4":
            nibbles = np.append(data.ravel(), np.int8(0))[:data.size + data.size % 2].view(np.uint8) & 15
            data = nibbles[0::2] | nibbles[1::2] << 4
        return self.tensor(dtype, values.shape, data=data.tobytes(), **quantization)

    def state(self, dtype, shape, **quantization):
        """A variable: kept from run to run, so that check() also runs the cases in a row."""
        self.states.append(self.tensor(dtype, shape, state=True, **quantization))
        return self.states[-1]

    def variable(self, name, first=None):
        """The handle of a resource variable. `first`: its content at the beginning, an array."""
        handle = self.tensor("i32", ())
        self.tensors[handle].type = schema.TensorType.RESOURCE
        options = schema.VarHandleOptionsT()
        options.sharedName = name
        self.op("VAR_HANDLE", [], [handle], options)
        if first is not None:
            self.first_contents[name] = first
        self.states.append(handle)
        return handle

    def first_subgraph(self):
        """Assigns the first contents of variables; None when there are none."""
        if not self.first_contents:
            return None
        init = Model()
        init.buffers, init.codes = self.buffers, self.codes
        for name, values in self.first_contents.items():
            handle = init.variable(name)
            init.op("ASSIGN_VARIABLE", [handle, init.constant(values)], [], schema.AssignVariableOptionsT())
        return init.subgraph("init")

    def subgraph(self, name):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.name = self.tensors, self.operators, name
        graph.inputs, graph.outputs = self.inputs, self.outputs
        return graph

    def op(self, name, inputs, outputs, options=None, intermediates=(), custom=None, version=1):
        """`options`: an object of schema (AddOptionsT). `custom`: option bytes of a custom operator, called `name`."""
        code = schema.OperatorCodeT()
        code.version = version
        code.builtinCode = getattr(schema.BuiltinOperator, name if custom is None else "CUSTOM")
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode = name if custom is not None else None
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs = [-1 if i is None else i for i in inputs]
        operator.outputs = list(outputs)
        operator.intermediates = list(intermediates) or None
        if custom is not None:
            operator.customOptions = np.frombuffer(custom, np.uint8)
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.operators.append(operator)

    def serialize(self):
        model = schema.ModelT()
        model.version, model.description = 3, "test"
        graph, buffers, codes = self.subgraph("main"), self.buffers, self.codes
        self.buffers, self.codes = list(buffers), list(codes)
        init = self.first_subgraph()
        model.subgraphs = [graph]
        if init is not None:
            self.op("CALL_ONCE", [], [], schema.CallOnceOptionsT(initSubgraphIndex=1))
            graph.operators = [self.operators.pop(), *self.operators]
            model.subgraphs.append(init)
        model.buffers, model.operatorCodes = self.buffers, self.codes
        self.buffers, self.codes = buffers, codes
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def close_shapes(self):
        """Gives tensors without a shape the one that LiteRT computes."""
        if not self.open_shapes:
            return
        for detail in interpreter_of(self.serialize()).get_tensor_details():
            if detail["index"] < len(self.tensors):
                self.tensors[detail["index"]].shape = [int(extent) for extent in detail["shape"]]
        self.open_shapes = False


def interpreter_of(content, resolver=OpResolverType.BUILTIN_REF):
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    return interpreter


def invoke(interpreter, inputs):
    for detail, values in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


class Run:
    """Checks models one after another; `random` is seeded by the name of each case, so that --only repeats it."""

    def __init__(self, name, arguments=None):
        parser = argparse.ArgumentParser(description=f"Mote's {name} operators against LiteRT's reference kernels.")
        built = pathlib.Path(__file__).parents[2] / "build" / "mote"
        parser.add_argument("--mote", default=built, help="the program")
        parser.add_argument("--seed", type=int, default=1, help="of all random choices")
        parser.add_argument("--only", default="", help="only cases whose name contains this")
        parser.add_argument("--keep", metavar="FOLDER", help="keep models and vectors of failed cases there")
        parser.add_argument("--target", default="host", help="where Mote runs the models")
        parser.add_argument("--list", action="store_true", help="print every case, not only failures")
        parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
        self.options = parser.parse_args(arguments)
        if not os.access(self.options.mote, os.X_OK):
            parser.error(f"{self.options.mote}: no such program; run `make build` or name it with --mote")
        self.name = name
        self.passed, self.failed, self.refused = 0, [], []

    def wants(self, name):
        return self.options.only in name

    def random(self, name):
        """A generator that depends on the case's name and --seed only."""
        return np.random.default_rng([self.options.seed, *name.encode()])

    def check(self, name, model, cases=3, make_inputs=None, expected=None):
        """Runs `cases` cases. make_inputs(random) gives their arrays (default: all values of the type; floats from
        -8 to 8). expected(inputs, outputs): what is right where TFLM's kernels differ from LiteRT's. Says whether
        Mote's outputs are right; None when LiteRT itself refuses the model."""
        if not self.wants(name):
            return None
        random = self.random(name)
        try:
            model.close_shapes()
            content = model.serialize()
            interpreter = interpreter_of(content)
            make = make_inputs or (lambda random: random_inputs(interpreter, random))
            inputs = [make(random) for _ in range(cases)]
            runs = [(f"case{i}", one, invoke(interpreter_of(content), one)) for i, one in enumerate(inputs)]
            if model.states:
                runs += [(f"seq{i}", one, invoke(interpreter, one)) for i, one in enumerate(inputs)]
        except (RuntimeError, ValueError) as error:
            self.refused.append(f"{name}: LiteRT: {error}")
            if self.options.list:
                print(f"refused  {self.refused[-1]}")
            return None
        if expected:
            runs = [(case, one, expected(one, outputs)) for case, one, outputs in runs]
        return self.verify(name, content, runs, stateful=bool(model.states))

    def verify(self, name, content, runs, stateful=False):
        """Compares Mote with `runs`: (case, input arrays, output arrays)."""
        with tempfile.TemporaryDirectory() as folder:
            model = write_case(pathlib.Path(folder), content, runs, stateful)
            command = [str(self.options.mote), "verify", str(model), "--golden", folder, "--json",
                       "--target", self.options.target]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0 and self.options.keep:
                self.keep(name, content, runs, stateful)
        if done.returncode != 0:
            self.failed.append(f"{name}: {problem_of(done)}")
            print(f"FAILED   {self.failed[-1]}", file=sys.stderr if self.options.json else sys.stdout, flush=True)
            return False
        self.passed += 1
        if self.options.list:
            print(f"passed   {name}", flush=True)
        return True

    def keep(self, name, content, runs, stateful):
        folder = pathlib.Path(self.options.keep) / "".join(c if c.isalnum() else "_" for c in name)
        folder.mkdir(parents=True, exist_ok=True)
        write_case(folder, content, runs, stateful)

    def finish(self):
        """Prints the summary and ends the program."""
        summary = {"name": self.name, "passed": self.passed, "failed": self.failed, "refused": self.refused}
        if self.options.json:
            print(json.dumps(summary))
        else:
            print("{}: {} passed, {} failed, {} refused by LiteRT".format(
                self.name, self.passed, len(self.failed), len(self.refused)))
        sys.exit(1 if self.failed or self.passed == 0 else 0)


def write_case(folder, content, runs, stateful):
    (folder / "model.tflite").write_bytes(content)
    for case, inputs, outputs in runs:
        for kind, arrays in (("in", inputs), ("out", outputs)):
            for i, values in enumerate(arrays):
                (folder / f"{case}_{kind}{i}.bin").write_bytes(np.ascontiguousarray(values).tobytes())
    single = [case for case, _, _ in runs if not case.startswith("seq")]
    (folder / "manifest.json").write_text(json.dumps({"cases": single, "stateful": stateful}))
    return folder / "model.tflite"


def problem_of(done):
    """One line: the first difference, or the program's message."""
    try:
        result = json.loads(done.stdout)
        return result.get("first_difference") or done.stderr.strip() or done.stdout.strip()
    except ValueError:
        return (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"


def random_values(random, dtype, shape, low=None, high=None):
    """Values of the whole type, floats from -8 to 8, unless bounds (both included) are given."""
    kind = np.dtype(DTYPES[dtype][0])
    if kind == np.bool_:
        return random.integers(0, 2, shape).astype(np.bool_)
    if kind.kind == "f":
        return random.uniform(-8 if low is None else low, 8 if high is None else high, shape).astype(kind)
    low = np.iinfo(kind).min if low is None else low
    high = np.iinfo(kind).max if high is None else high
    return random.integers(low, high, shape, kind, endpoint=True)


def random_inputs(interpreter, random):
    return [random_values(random, NAMES[np.dtype(detail["dtype"])], detail["shape"])
            for detail in interpreter.get_input_details()]


def random_shape(random, lowest_rank=1, highest_rank=4, largest=6):
    return tuple(int(n) for n in random.integers(1, largest + 1, random.integers(lowest_rank, highest_rank + 1)))


def broadcastable(random, shape):
    """A shape that broadcasts to `shape`: some extents 1, some outer dimensions missing."""
    part = shape[int(random.integers(0, len(shape) + 1)):] if random.random() < 0.3 else shape
    return tuple(1 if random.random() < 0.3 else extent for extent in part)


def random_scale(random, low=-8.0, high=0.0):
    """2^low to 2^high, as float32 has it."""
    return float(np.float32(math.exp2(random.uniform(low, high))))


def random_quantization(random, dtype):
    """Keyword arguments for Model.input: a scale, and a zero point where the type has one."""
    if dtype not in ("i8", "u8", "i16"):
        return {}
    limits = np.iinfo(DTYPES[dtype][0])
    zero = 0 if dtype == "i16" else int(random.integers(limits.min, limits.max + 1))
    return {"scale": random_scale(random), "zero": zero}
