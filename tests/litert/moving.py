#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Operators that move, select or reduce data: random one-operator models against LiteRT's reference kernels."""
import pathlib
import sys

import flatbuffers
from flatbuffers import flexbuffers
import numpy as np
from harness import (Model, Run, interpreter_of, invoke, random_inputs, random_quantization, random_scale, random_shape,
                     random_values, schema)

MOVED = ["i8", "i8", "u8", "i16", "f32", "i32", "i64", "boolean"]


def pick(random, choices):
    return choices[int(random.integers(0, len(choices)))]


def chance(random, percent):
    return random.random() * 100 < percent


def below(random, low, high):
    """low to high, both included."""
    return int(random.integers(low, high + 1))


def ints(values):
    return np.asarray(values, np.int32)


def moving(random, shape, kinds=MOVED):
    """A model with one input and an output that shares its type and quantisation."""
    model = Model()
    kind = pick(random, kinds)
    quantization = random_quantization(random, kind)
    return model, model.input(kind, shape, **quantization), model.output(kind, **quantization)


def strided_slice(random):
    shape = random_shape(random, 1, 4, 7)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64", "boolean"])
    entries = below(random, 1, len(shape))
    begin, end, strides, masks = [], [], [], dict.fromkeys(("begin", "end", "shrink"), 0)
    for d in range(entries):
        stride = pick(random, [1, 1, 2, 3, -1, -2])
        begin.append(below(random, -shape[d], shape[d] - 1))
        end.append(below(random, -shape[d] - 1, shape[d] + 1))
        strides.append(stride)
        for mask in ("begin", "end"):
            masks[mask] |= chance(random, 40) << d
        if chance(random, 15):
            masks["shrink"] |= 1 << d
            strides[d] = 1
    options = schema.StridedSliceOptionsT(beginMask=masks["begin"], endMask=masks["end"], shrinkAxisMask=masks["shrink"])
    if chance(random, 20):
        options.ellipsisMask = 1 << below(random, 0, entries - 1)
    elif chance(random, 20):
        options.newAxisMask = 1 << below(random, 0, entries - 1)
    model.op("STRIDED_SLICE", [x, *(model.constant(ints(v)) for v in (begin, end, strides))], [y], options)
    model.close_shapes()
    return strided_slice(random) if 0 in model.tensors[y].shape else model  # nothing is left: not a model for Mote


def slice_(random):
    shape = random_shape(random, 1, 5, 6)
    model, x, y = moving(random, shape)
    begin = [below(random, 0, n - 1) for n in shape]
    size = [-1 if chance(random, 20) else below(random, 1, n - b) for n, b in zip(shape, begin)]
    kind = pick(random, [np.int32, np.int64])
    model.op("SLICE", [x, model.constant(np.asarray(begin, kind)), model.constant(np.asarray(size, kind))], [y],
             schema.SliceOptionsT())
    return model


def transpose(random):
    shape = random_shape(random, 1, 6, 4)
    model, x, y = moving(random, shape)
    model.op("TRANSPOSE", [x, model.constant(ints(random.permutation(len(shape))))], [y], schema.TransposeOptionsT())
    return model


def reverse(random):
    shape = random_shape(random, 1, 4, 5)
    model, x, y = moving(random, shape, ["u8", "i16", "f32", "i32", "i64", "boolean"])
    axis = below(random, 0, len(shape) - 1)
    model.op("REVERSE_V2", [x, model.constant(ints([axis]))], [y], schema.ReverseV2OptionsT())
    return model


def tile(random):
    shape = random_shape(random, 1, 4, 4)
    model, x, y = moving(random, shape)
    model.op("TILE", [x, model.constant(ints([below(random, 1, 3) for _ in shape]))], [y], schema.TileOptionsT())
    return model


def broadcast_to(random):
    shape = random_shape(random, 1, 4, 4)
    model, x, y = moving(random, [1 if chance(random, 50) else n for n in shape])
    shape = ([below(random, 1, 3)] if chance(random, 30) else []) + list(shape)
    model.op("BROADCAST_TO", [x, model.constant(ints(shape))], [y], schema.BroadcastToOptionsT(), version=2)
    return model


def fill(random):
    model, x, y = moving(random, (), ["i8", "i16", "f32", "i32", "i64", "boolean"])
    model.op("FILL", [model.constant(ints(random_shape(random, 1, 4, 4))), x], [y], schema.FillOptionsT())
    return model


def concatenation(random):
    shape = list(random_shape(random, 1, 4, 4))
    kind = pick(random, MOVED)
    model, axis, inputs = Model(), below(random, 0, len(shape) - 1), []
    common = random_quantization(random, kind)
    for i in range(below(random, 1, 5)):
        shape[axis] = below(random, 1, 4)
        quantization = random_quantization(random, kind) if kind == "u8" and chance(random, 50) else common
        if i > 0 and chance(random, 20):
            inputs.append(model.constant(random_values(random, kind, shape), **quantization))
        else:
            inputs.append(model.input(kind, shape, **quantization))
    options = schema.ConcatenationOptionsT(axis=axis - len(shape) if chance(random, 30) else axis)
    model.op("CONCATENATION", inputs, [model.output(kind, **common)], options)
    return model


def pack(random):
    shape = random_shape(random, 0, 3, 4)
    kind = pick(random, ["i8", "u8", "i16", "f32", "i32", "i64"])
    model, count, axis = Model(), below(random, 1, 4), below(random, 0, len(shape))
    quantization = random_quantization(random, kind)
    inputs = [model.input(kind, shape, **quantization) for _ in range(count)]
    model.op("PACK", inputs, [model.output(kind, **quantization)], schema.PackOptionsT(axis=axis, valuesCount=count))
    return model


def unpack(random):
    shape = random_shape(random, 1, 4, 4)
    kind = pick(random, ["i8", "u8", "i16", "f32", "i32", "boolean"])
    model, axis = Model(), below(random, 0, len(shape) - 1)
    quantization = random_quantization(random, kind)
    x = model.input(kind, shape, **quantization)
    model.op("UNPACK", [x], [model.output(kind, **quantization) for _ in range(shape[axis])],
             schema.UnpackOptionsT(axis=axis, num=shape[axis]))
    return model


def split(random):
    shape = list(random_shape(random, 1, 4, 4))
    kind = pick(random, ["i8", "u8", "i16", "f32", "i32"])
    model, axis, parts = Model(), below(random, 0, len(shape) - 1), below(random, 1, 4)
    shape[axis] *= parts
    quantization = random_quantization(random, kind)
    x = model.input(kind, shape, **quantization)
    model.op("SPLIT", [model.constant(ints(axis)), x], [model.output(kind, **quantization) for _ in range(parts)],
             schema.SplitOptionsT(numSplits=parts))
    return model


def split_v(random):
    shape = list(random_shape(random, 1, 4, 4))
    kind = pick(random, ["i8", "u8", "i16", "f32", "i32", "i64"])
    model, axis = Model(), below(random, 0, len(shape) - 1)
    parts = [below(random, 1, 3) for _ in range(below(random, 1, 4))]
    shape[axis] = sum(parts)
    if chance(random, 30):
        parts[below(random, 0, len(parts) - 1)] = -1
    quantization = random_quantization(random, kind)
    x = model.input(kind, shape, **quantization)
    model.op("SPLIT_V", [x, model.constant(ints(parts)), model.constant(ints(axis))],
             [model.output(kind, **quantization) for _ in parts], schema.SplitVOptionsT(numSplits=len(parts)))
    return model


def depth_to_space(random):
    block, (n, h, w, c) = below(random, 1, 3), random_shape(random, 4, 4, 3)
    model, x, y = moving(random, (n, h, w, c * block * block), ["i8", "u8", "f32", "i32", "i64"])
    model.op("DEPTH_TO_SPACE", [x], [y], schema.DepthToSpaceOptionsT(blockSize=block))
    return model


def space_to_depth(random):
    block, (n, h, w, c) = below(random, 1, 3), random_shape(random, 4, 4, 3)
    model, x, y = moving(random, (n, h * block, w * block, c), ["i8", "u8", "f32", "i32", "i64"])
    model.op("SPACE_TO_DEPTH", [x], [y], schema.SpaceToDepthOptionsT(blockSize=block))
    return model


def blocks_of(random, shape, spatial):
    """Block sizes, margins, and the extents of the batch tensor."""
    small, sizes, margins, extents = list(shape), [], [], list(shape)
    for d in range(1, spatial + 1):
        size, before = below(random, 1, 3), below(random, 0, 2)
        small[d] = below(random, 1 + before // size, 4)
        after = below(random, 0, min(2, small[d] * size - before - 1))
        extents[d] = small[d] * size - before - after
        small[0] *= size
        sizes.append(size)
        margins.append([before, after])
    return sizes, margins, small, extents


def space_to_batch(random):
    shape = random_shape(random, 3, 4, 3)
    sizes, margins, _, extents = blocks_of(random, shape, len(shape) - 2)
    model, x, y = moving(random, extents, ["i8", "u8", "f32", "i32", "i64"])
    model.op("SPACE_TO_BATCH_ND", [x, model.constant(ints(sizes)), model.constant(ints(margins))], [y],
             schema.SpaceToBatchNDOptionsT())
    return model


def batch_to_space(random):
    shape = random_shape(random, 3, 4, 3)
    sizes, margins, small, _ = blocks_of(random, shape, len(shape) - 2)
    model, x, y = moving(random, small, ["i8", "u8", "f32", "i32", "i64"])
    model.op("BATCH_TO_SPACE_ND", [x, model.constant(ints(sizes)), model.constant(ints(margins))], [y],
             schema.BatchToSpaceNDOptionsT())
    return model


def pad(random):
    shape = random_shape(random, 1, 5, 4)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64"])
    margins = [[below(random, 0, 2), below(random, 0, 2)] for _ in shape]
    model.op("PAD", [x, model.constant(ints(margins))], [y], schema.PadOptionsT())
    return model


def pad_v2(random):
    shape = random_shape(random, 1, 4, 4)
    kind = pick(random, ["i8", "u8", "f32", "i32", "i64"])
    model, quantization = Model(), random_quantization(random, kind)
    x, y = model.input(kind, shape, **quantization), model.output(kind, **quantization)
    value = model.constant(random_values(random, kind, (1,), *((-100, 100) if kind == "i64" else ())), **quantization)
    margins = [[below(random, 0, 2), below(random, 0, 2)] for _ in shape]
    model.op("PADV2", [x, model.constant(ints(margins)), value], [y], schema.PadV2OptionsT())
    return model


def mirror_pad(random):
    shape = random_shape(random, 1, 4, 4)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64"])
    mode = below(random, 0, 1)
    margins = [[below(random, 0, n - 1 + mode), below(random, 0, n - 1 + mode)] for n in shape]
    model.op("MIRROR_PAD", [x, model.constant(ints(margins))], [y], schema.MirrorPadOptionsT(mode=mode))
    return model


def resize(random, name, options, kinds):
    shape = random_shape(random, 4, 4, 7)
    model, x, y = moving(random, shape, kinds)
    mode = below(random, 0, 2)
    model.op(name, [x, model.constant(ints([below(random, 1, 15), below(random, 1, 15)]))], [y],
             options(alignCorners=mode == 1, halfPixelCenters=mode == 2))
    return model


def resize_bilinear(random):
    return resize(random, "RESIZE_BILINEAR", schema.ResizeBilinearOptionsT, ["i8", "i8", "u8", "i16", "f32"])


def resize_nearest(random):
    return resize(random, "RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT,
                  ["i8", "i8", "u8", "i16", "f32"])


def reduction(random, name, kinds, requantised):
    shape = random_shape(random, 1, 4, 5)
    model, kind = Model(), pick(random, kinds)
    quantization = random_quantization(random, kind)
    x = model.input(kind, shape, **quantization)
    if requantised and quantization and chance(random, 70):
        quantization = random_quantization(random, kind)
    axes = [d for d in range(len(shape)) if chance(random, 50)] or [0]
    axes = [d - len(shape) if chance(random, 30) else d for d in axes]
    model.op(name, [x, model.constant(ints(axes))], [model.output(kind, **quantization)],
             schema.ReducerOptionsT(keepDims=chance(random, 50)))
    return model


def quantised_sum(random):
    """uint8 only: LiteRT (not TensorFlow Lite Micro) reads every quantised type as uint8 when it sums."""
    shape = random_shape(random, 1, 4, 5)
    model, kind = Model(), "u8"
    axes = [d for d in range(len(shape)) if chance(random, 50)] or [0]
    quantization = random_quantization(random, kind)
    x = model.input(kind, shape, **quantization)
    quantization = random_quantization(random, kind)
    model.op("SUM", [x, model.constant(ints(axes))], [model.output(kind, **quantization)],
             schema.ReducerOptionsT(keepDims=chance(random, 50)))
    return model


def reducing(name, kinds, requantised=False):
    return lambda random: reduction(random, name, kinds, requantised)


def gather(random):
    shape = random_shape(random, 1, 4, 4)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64", "boolean"])
    axis = below(random, 0, len(shape) - 1)
    batch = below(random, 0, axis) if chance(random, 40) else 0
    indices_shape = tuple(shape[:batch]) + random_shape(random, 1, 2, 4)
    indices = random.integers(0, shape[axis], indices_shape).astype(pick(random, [np.int32, np.int64]))
    model.op("GATHER", [x, model.constant(indices)], [y], schema.GatherOptionsT(axis=axis, batchDims=batch))
    return model


def gather_nd(random):
    shape = random_shape(random, 1, 4, 4)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64"])
    depth = below(random, 1, len(shape))
    counts = random_shape(random, 1, 2, 3)
    indices = np.stack([random.integers(0, shape[d], counts) for d in range(depth)], -1)
    model.op("GATHER_ND", [x, model.constant(indices.astype(pick(random, [np.int32, np.int64])))], [y],
             schema.GatherNdOptionsT())
    return model


def embedding_lookup(random):
    shape = random_shape(random, 2, 3, 5)
    model, kind = Model(), "f32"
    ids = random.integers(0, shape[0], (below(random, 1, 6),)).astype(np.int32)
    x, y = model.input(kind, shape), model.output(kind)
    model.op("EMBEDDING_LOOKUP", [model.constant(ids), x], [y])
    return model


def arg_max(random):
    shape = random_shape(random, 1, 4, 6)
    model, kind = Model(), pick(random, ["i8", "u8", "f32", "i32"])
    x = model.input(kind, shape, **random_quantization(random, kind))
    index = pick(random, ["i32", "i64"])
    name = pick(random, ["ARG_MAX", "ARG_MIN"])
    options = schema.ArgMaxOptionsT if name == "ARG_MAX" else schema.ArgMinOptionsT
    number = schema.TensorType.INT32 if index == "i32" else schema.TensorType.INT64
    axis = below(random, -len(shape), len(shape) - 1)
    model.op(name, [x, model.constant(ints(axis))], [model.output(index)], options(outputType=number))
    return model


def cumsum(random):
    shape = random_shape(random, 1, 4, 5)
    model, x, y = moving(random, shape, ["f32", "i32", "i64"])
    options = schema.CumsumOptionsT(exclusive=chance(random, 50), reverse=chance(random, 50))
    model.op("CUMSUM", [x, model.constant(ints(below(random, -len(shape), len(shape) - 1)))], [y], options)
    return model


def select(random):
    shape = random_shape(random, 1, 4, 4)
    kind = pick(random, ["i8", "i16", "f32", "i32", "boolean"])
    model, quantization = Model(), random_quantization(random, kind)
    shapes = [shape] + [[1 if chance(random, 30) else n for n in shape] for _ in range(2)]
    random.shuffle(shapes)
    name = pick(random, ["SELECT", "SELECT_V2"])
    if name == "SELECT":
        shapes = [pick(random, [shape, shape[:1]]), shape, shape]
    inputs = [model.input("boolean", shapes[0]), *(model.input(kind, s, **quantization) for s in shapes[1:])]
    model.op(name, inputs, [model.output(kind, **quantization)],
             schema.SelectOptionsT() if name == "SELECT" else schema.SelectV2OptionsT())
    return model


def dynamic_update_slice(random):
    shape = random_shape(random, 1, 5, 5)
    kind = pick(random, ["i8", "f32", "i32", "i64", "boolean"])
    model, quantization = Model(), random_quantization(random, kind)
    block = [below(random, 1, n) for n in shape]
    x, update = model.input(kind, shape, **quantization), model.input(kind, block, **quantization)
    starts = model.input(pick(random, ["i32", "i64"]), (len(shape),))
    index = "i32" if model.tensors[starts].type == schema.TensorType.INT32 else "i64"
    model.op("DYNAMIC_UPDATE_SLICE", [x, update, starts], [model.output(kind, **quantization)],
             schema.DynamicUpdateSliceOptionsT(), version=2)
    return model, lambda random: [random_values(random, kind, shape), random_values(random, kind, block),
                                  random_values(random, index, (len(shape),), -2, 6)]


def scatter_nd(random):
    shape = random_shape(random, 1, 4, 4)
    model, kind = Model(), pick(random, ["i8", "u8", "f32", "i32", "i64"])
    depth, counts = below(random, 1, len(shape)), random_shape(random, 1, 2, 3)
    indices = np.stack([random.integers(0, shape[d], counts) for d in range(depth)], -1).astype(np.int32)
    updates = model.input(kind, (*counts, *shape[depth:]))
    model.op("SCATTER_ND", [model.constant(indices), updates, model.constant(ints(shape))], [model.output(kind)],
             schema.ScatterNdOptionsT())
    return model


def reverse_sequence(random):
    shape = random_shape(random, 2, 4, 5)
    model, x, y = moving(random, shape, ["i8", "u8", "i16", "f32", "i32", "i64"])
    along, batch = (int(d) for d in random.permutation(len(shape))[:2])
    lengths = random.integers(1, shape[along] + 1, (shape[batch],)).astype(pick(random, [np.int32, np.int64]))
    model.op("REVERSE_SEQUENCE", [x, model.constant(lengths)], [y],
             schema.ReverseSequenceOptionsT(seqDim=along, batchDim=batch))
    return model


def detection(random):
    boxes, classes, most = below(random, 1, 30), below(random, 1, 5), below(random, 1, 12)
    background, regular = below(random, 0, 1), chance(random, 50)
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, number in (("max_detections", most), ("max_classes_per_detection", 1), ("num_classes", classes)):
            builder.Int(name, number)
        if chance(random, 50):
            builder.Int("detections_per_class", below(random, 1, 10))
        builder.Bool("use_regular_nms", regular)
        for name, number in (("nms_score_threshold", random.uniform(0, 0.5)),
                             ("nms_iou_threshold", random.uniform(0.2, 0.8)), ("y_scale", 10.0), ("x_scale", 10.0), ("h_scale", 5.0), ("w_scale", 5.0)):
            builder.Float(name, float(number))
    model = Model()
    inputs = [model.input("f32", (1, boxes, 4)), model.input("f32", (1, boxes, classes + background)),
              model.constant(random.uniform(0.1, 1, (boxes, 4)).astype(np.float32))]
    outputs = [model.output("f32", shape) for shape in ((1, most, 4), (1, most), (1, most), (1,))]
    model.op("TFLite_Detection_PostProcess", inputs, outputs, custom=bytes(builder.Finish()))

    def expected(_, outputs):
        """LiteRT leaves what lies behind the detections as it was."""
        found = int(outputs[3][0])
        for one in outputs[:3]:
            one[:, found:] = 0
        return outputs

    return model, lambda random: [random_values(random, "f32", (1, boxes, 4), -3, 3),
                                  random_values(random, "f32", (1, boxes, classes + background), 0, 1)], expected


def one_hot(random):
    shape = random_shape(random, 1, 3, 4)
    model, kind = Model(), pick(random, ["i8", "u8", "i16", "f32", "i32", "i64", "boolean"])
    x = model.input("i32", shape)
    on, off = (model.constant(random_values(random, kind, ())) for _ in range(2))
    model.op("ONE_HOT", [x, model.constant(ints(below(random, 1, 5))), on, off], [model.output(kind)],
             schema.OneHotOptionsT(axis=below(random, -1, len(shape))))
    return model, lambda random: [random_values(random, "i32", shape, 0, 5)]


def top_k(random):
    shape = random_shape(random, 1, 3, 7)
    model, kind = Model(), pick(random, ["i8", "u8", "i16", "f32", "i32", "i64"])
    quantization = random_quantization(random, kind)
    x, values = model.input(kind, shape, **quantization), model.output(kind, **quantization)
    model.op("TOPK_V2", [x, model.constant(ints(below(random, 1, shape[-1])))], [values, model.output("i32")],
             schema.TopKV2OptionsT())
    return model


def known(random):
    """Values that depend on shapes and constants only, added to an input so that something is left to run."""
    shape = random_shape(random, 1, 4, 5)
    model = Model()
    x = model.input("i8", shape, scale=0.5)
    y = model.output(pick(random, ["i32", "i64"]))
    name = pick(random, ["SHAPE", "RANK", "RANGE", "BROADCAST_ARGS", "ZEROS_LIKE"])
    index_type = schema.TensorType.INT32 if model.tensors[y].type == schema.TensorType.INT32 else schema.TensorType.INT64
    if name == "SHAPE":
        model.op(name, [x], [y], schema.ShapeOptionsT(outType=index_type))
        return model
    model.tensors[y].type = schema.TensorType.INT32
    if name == "RANK":
        model.op(name, [x], [y], schema.RankOptionsT())
    elif name == "RANGE":
        start, delta = below(random, -5, 5), pick(random, [1, 2, 3, -1, -2])
        bounds = (start, start + delta * below(random, 1, 5) + below(random, 0, abs(delta) - 1), delta)
        model.op(name, [model.constant(ints(v)) for v in bounds], [y], schema.RangeOptionsT())
    elif name == "BROADCAST_ARGS":
        other = [1 if chance(random, 50) else n for n in shape]
        model.op(name, [model.constant(ints(shape)), model.constant(ints(other))], [y])
    else:
        z = model.input("i32", shape)
        model.op(name, [z], [y], schema.ZerosLikeOptionsT())
    return model


def half_weights(random):
    """Float16 post-training quantisation: constants in half precision behind DEQUANTIZE."""
    inputs, outputs = below(random, 1, 9), below(random, 1, 9)
    model = Model()
    x, weights, y = model.input("f32", (1, inputs)), model.tensor("f32", (outputs, inputs)), model.output("f32")
    half = random.uniform(-2, 2, (outputs, inputs)).astype(np.float16)
    half.flat[0] = pick(random, [0.0, -0.0, 6e-8, 65504.0, -6.1e-5])
    model.op("DEQUANTIZE", [model.constant(half)], [weights], schema.DequantizeOptionsT())
    model.op("FULLY_CONNECTED", [x, weights, None], [y], schema.FullyConnectedOptionsT())
    return model


def requantised_mean(random):
    """Large counts and scales far apart: the shift of the divided multiplier."""
    model = Model()
    kind = pick(random, ["i8", "i16"])
    zero = {"i8": below(random, -128, 127), "i16": 0}[kind]
    x = model.input(kind, (1, below(random, 1, 40), below(random, 1, 40), 2), scale=random_scale(random), zero=zero)
    y = model.output(kind, scale=random_scale(random), zero=zero)
    model.op("MEAN", [x, model.constant(ints([1, 2]))], [y], schema.ReducerOptionsT(keepDims=chance(random, 50)))
    return model


NUMBERS = ["i8", "i8", "u8", "i16", "f32", "i32", "i64"]
FAMILIES = {
    "strided_slice": (strided_slice, 60), "slice": (slice_, 20), "transpose": (transpose, 20), "reverse": (reverse, 15),
    "tile": (tile, 15), "broadcast_to": (broadcast_to, 15), "fill": (fill, 8), "concatenation": (concatenation, 40),
    "pack": (pack, 15), "unpack": (unpack, 15), "split": (split, 15), "split_v": (split_v, 15),
    "depth_to_space": (depth_to_space, 10), "space_to_depth": (space_to_depth, 10),
    "space_to_batch": (space_to_batch, 20), "batch_to_space": (batch_to_space, 20), "pad": (pad, 25),
    "pad_v2": (pad_v2, 15), "mirror_pad": (mirror_pad, 20), "resize_bilinear": (resize_bilinear, 60),
    "resize_nearest": (resize_nearest, 30), "mean": (reducing("MEAN", ["i8", "i8", "u8", "i16", "f32"], True), 40),
    "large mean": (requantised_mean, 20), "sum": (reducing("SUM", ["f32", "i32", "i64"]), 15), "quantised sum": (quantised_sum, 30),
    "reduce_prod": (reducing("REDUCE_PROD", ["f32", "i32", "i64"]), 10), "reduce_max": (reducing("REDUCE_MAX", NUMBERS), 20),
    "reduce_min": (reducing("REDUCE_MIN", NUMBERS), 20), "reduce_any": (reducing("REDUCE_ANY", ["boolean"]), 10),
    "reduce_all": (reducing("REDUCE_ALL", ["boolean"]), 10), "gather": (gather, 30), "gather_nd": (gather_nd, 20),
    "embedding_lookup": (embedding_lookup, 8), "arg_max": (arg_max, 30), "cumsum": (cumsum, 15), "one_hot": (one_hot, 15),
    "top_k": (top_k, 20), "known": (known, 20), "half": (half_weights, 15),
    "select": (select, 30), "update_slice": (dynamic_update_slice, 25), "scatter_nd": (scatter_nd, 20),
    "reverse_sequence": (reverse_sequence, 20), "detection": (detection, 30),
}


def for_litert(content):
    """The model with a version of TILE that LiteRT has registered; its kernel knows all types anyway."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.TILE:
            code.version = 1
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def check_real_models(run):
    """Detectors for which TensorFlow Lite Micro, and so the golden vectors, lack TILE."""
    folder = pathlib.Path(__file__).parents[3] / "shared" / "models" / "no_golden"
    models = sorted(folder.glob("*_ssd_*.tflite"))
    if not models:
        print(f"skipped: real models, {folder} is not there", file=sys.stderr)
    for path in models:
        if not run.wants(path.name):
            continue
        content = path.read_bytes()
        interpreter = interpreter_of(for_litert(content))
        inputs = random_inputs(interpreter, run.random(path.name))
        run.verify(path.name, content, [("case0", inputs, invoke(interpreter, inputs))])


def main():
    run = Run("moving")
    check_real_models(run)
    for family, (make, count) in FAMILIES.items():
        for i in range(count):
            name = f"{family} {i}"
            if not run.wants(name):
                continue
            made = make(run.random(name))
            model, make_inputs, expected = (*made, None)[:3] if isinstance(made, tuple) else (made, None, None)
            run.check(name, model, make_inputs=make_inputs, expected=expected)
    run.finish()


if __name__ == "__main__":
    main()
