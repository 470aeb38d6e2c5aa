# SPDX-License-Identifier: Apache-2.0
"""Integer arithmetic of TensorFlow Lite Micro's reference kernels (gemmlowp's double rounding) in numpy.

Written from the formulas, apart from Mote's kernels and apart from TensorFlow: a third opinion on what is correct.
Every value is int64 here and holds what an int32 holds in the kernels; nothing may leave that range.
"""
import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

INT32_MAX = 2**31 - 1
# Those that run() knows, with their numbers in the file format.
OPERATORS = {name: getattr(schema.BuiltinOperator, name) for name in (
    "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX")}


def high_mul(a, b):
    """round(a * b / 2^31), ties towards +infinity."""
    return (np.asarray(a, np.int64) * np.asarray(b, np.int64) + (1 << 30)) >> 31


def divide_by_power_of_two(x, exponent):
    """round(x / 2^exponent), ties away from zero."""
    x = np.asarray(x, np.int64)
    half = np.left_shift(1, exponent) >> 1
    return np.where(x < 0, -((-x + half) >> exponent), (x + half) >> exponent)


def shift_left_saturating(x, exponent):
    return np.clip(np.asarray(x, np.int64) << exponent, -(2**31), INT32_MAX)


def quantized_multiplier(real):
    """real = multiplier / 2^31 * 2^shift with a multiplier of 31 bits."""
    mantissa, shift = math.frexp(real)
    multiplier = int(math.floor(mantissa * 2**31 + 0.5))
    return (multiplier // 2, shift + 1) if multiplier == 2**31 else (multiplier, shift)


def requantize(accumulators, reals, output, once):
    """Along the last axis: one factor a channel; then the zero point. `once` rounds once instead of twice."""
    pairs = [quantized_multiplier(real) for real in reals]
    multiplier = np.array([pair[0] for pair in pairs], np.int64)
    shift = np.array([pair[1] for pair in pairs], np.int64)
    if once:
        return ((accumulators * multiplier + (np.int64(1) << (30 - shift))) >> (31 - shift)) + output.zero
    raised = accumulators << np.maximum(shift, 0)
    return divide_by_power_of_two(high_mul(raised, multiplier), np.maximum(-shift, 0)) + output.zero


def same_padding(extent, window, stride):
    """(before, after): the odd element goes after."""
    total = max((-(-extent // stride) - 1) * stride + window - extent, 0)
    return total // 2, total - total // 2


def patches(x, window, stride, same, fill):
    """N, H, W, C to N, rows, columns, C, window rows, window columns; window and stride are (rows, columns)."""
    if same:
        border = [same_padding(*sizes) for sizes in zip(x.shape[1:3], window, stride)]
        x = np.pad(x, [(0, 0), *border, (0, 0)], constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, window, axis=(1, 2))[:, ::stride[0], ::stride[1]]


def exp_from_minus_quarter(a):
    """exp(a) for a in [-1/4, 0), both with 31 fraction bits: a series around -1/8."""
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    quarter_x4 = divide_by_power_of_two(high_mul(x2, x2), 2)
    tail = divide_by_power_of_two(high_mul(quarter_x4 + x3, 715827883) + x2, 1)
    return 1895147668 + high_mul(1895147668, x + tail)


def exp_of_negative(a):
    """exp(a) with 31 fraction bits for a <= 0 with 26: below a quarter by the series, the rest by factors."""
    quarter = 1 << 24
    part = (a & (quarter - 1)) - quarter
    result = exp_from_minus_quarter(shift_left_saturating(part, 5))
    rest = part - a
    for exponent in range(-2, 5):
        factor = int(math.floor(math.exp(-(2.0**exponent)) * 2**31 + 0.5))
        result = np.where(rest & (1 << (26 + exponent)), high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def reciprocal_of_one_plus(a):
    """1 / (1 + a) for a in [0, 1), both with 31 fraction bits: three steps of Newton and Raphson."""
    half = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        x = x + shift_left_saturating(high_mul(x, (1 << 29) - high_mul(half, x)), 2)
    return shift_left_saturating(x, 1)


def softmax_row(row, scale, beta):
    multiplier, shift = quantized_multiplier(min(beta * scale * 2**26, 2**31 - 1.0))
    lowest = -math.floor(31 * 2**26 / 2**shift)
    difference = row - row.max()
    counted = difference >= lowest
    exponentials = exp_of_negative(high_mul(np.where(counted, difference, 0) << shift, multiplier))
    total = int(divide_by_power_of_two(exponentials[counted], 12).sum())
    headroom = 32 - total.bit_length()
    factor = int(reciprocal_of_one_plus(np.int64((total << headroom) - 2**31)))
    result = divide_by_power_of_two(high_mul(factor, exponentials), 12 - headroom + 31 - 8) - 128
    return np.where(counted, np.clip(result, -128, 127), -128)


class Quantized:
    """Scales, zero point and, for a constant, values of one tensor of the file."""

    def __init__(self, model, index):
        table = model.subgraphs[0].tensors[index]
        quantization = table.quantization
        has_scale = quantization is not None and quantization.scale is not None
        self.shape = [int(extent) for extent in table.shape]
        self.scales = np.array(quantization.scale if has_scale else [], np.float32)
        self.zero = int(quantization.zeroPoint[0]) if has_scale else 0
        data = model.buffers[table.buffer].data
        if data is not None:
            dtype = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}[table.type]
            self.values = np.frombuffer(bytes(data), dtype).reshape(self.shape).astype(np.int64)


def products(x, weights, options, kind, zero):
    """Sums of products before the bias, one last axis of output channels."""
    if kind == "FULLY_CONNECTED":
        return (x.reshape(x.shape[0], -1) - zero) @ weights.T
    same = options.padding == schema.Padding.SAME
    view = patches(x, weights.shape[1:3], (options.strideH, options.strideW), same, zero) - zero
    if kind == "DEPTHWISE_CONV_2D":
        return np.einsum("nhwckl,klc->nhwc", view, weights[0])
    return np.einsum("nhwckl,oklc->nhwo", view, weights)


def weighted(kind, x, tensors, options, once):
    """Convolutions and the fully connected layer; the effective scales as the reference computes them."""
    source, weights, bias, result = tensors
    accumulators = products(x, weights.values, options, kind, source.zero) + bias.values
    if kind == "FULLY_CONNECTED":
        factors = [float(source.scales[0] * weights.scales[0]) / float(result.scales[0])] * accumulators.shape[-1]
    else:
        factors = [float(source.scales[0]) * float(scale) / float(result.scales[0]) for scale in weights.scales]
    low = result.zero if options.fusedActivationFunction == schema.ActivationFunctionType.RELU else -128
    return np.clip(requantize(accumulators, factors, result, once), low, 127)


def average_pool(x, options):
    """Quantisation is the same on both sides; the mean is rounded half away from zero."""
    if options.padding == schema.Padding.SAME:
        raise SystemExit("AVERAGE_POOL_2D with padding is not in this script; add it to tools/int8_reference.py")
    window = options.filterHeight, options.filterWidth
    sums = patches(x, window, (options.strideH, options.strideW), False, 0).sum(axis=(-1, -2))
    count = window[0] * window[1]
    return np.sign(sums) * ((np.abs(sums) + count // 2) // count)


def run(path, images, rounded_once=()):
    """int8 images (N, H, W, C) through the model of a .tflite file; a batch in one go. Returns int8.

    `rounded_once` names operators that round once, as kernels outside TensorFlow Lite Micro do.
    """
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    values = {graph.inputs[0]: images.astype(np.int64)}
    for node in graph.operators:
        number = model.operatorCodes[node.opcodeIndex].deprecatedBuiltinCode
        kind = next((name for name, value in OPERATORS.items() if value == number), f"operator {number}")
        options = node.builtinOptions
        tensors = [Quantized(model, index) for index in [*node.inputs, *node.outputs]]
        x = values[node.inputs[0]]
        if kind == "AVERAGE_POOL_2D":
            y = average_pool(x, options)
        elif kind == "RESHAPE":
            y = x.reshape(x.shape[0], *tensors[-1].shape[1:])
        elif kind == "SOFTMAX":
            y = np.stack([softmax_row(row, float(tensors[0].scales[0]), options.beta) for row in x])
        elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            y = weighted(kind, x, tensors, options, kind in rounded_once)
        else:
            raise SystemExit(f"{kind} is not in this script; add it to tools/int8_reference.py")
        values[node.outputs[0]] = y
    return values[graph.outputs[0]].astype(np.int8)
