#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the demo model: a small int8 convolutional net for the handwritten digits that scikit-learn ships.

    python3 -m venv env && env/bin/pip install numpy scikit-learn ai-edge-litert     # and flatc, from apt
    env/bin/python tools/train_digits.py train    # trains, writes examples/digits, checks (about two minutes)
    env/bin/python tools/train_digits.py check    # recomputes accuracy and golden outputs of the files there

The 1,797 scans (8x8, 17 grey levels) are split once, stratified, into 1,437 to train and 360 held out; no choice
was made by looking at the latter. The input is exact: pixel 0 to 16 is stored as int8 -128 to -112.
Training is seeded and single-threaded: the same machine and numpy give the same bytes.
"""
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import pathlib
import sys

import numpy as np

import int8_reference
import tflite_json

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples" / "digits"
GOLDEN_CASES = 16
EPOCHS = 80
BATCH = 64


def load():
    """Images as N, 8, 8, 1 of pixels 0 to 16, and labels: training, then test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = digits.images.astype(np.float32)[..., np.newaxis]
    return train_test_split(images, digits.target, test_size=360, stratify=digits.target, random_state=0)


def shifted(images, random):
    """Each image moved by up to one pixel either way."""
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
    result = np.empty_like(images)
    for i, (row, column) in enumerate(random.integers(0, 3, (len(images), 2))):
        result[i] = padded[i, row:row + 8, column:column + 8]
    return result


class Window:
    """What convolution and depthwise convolution share: SAME padding, square window, fused ReLU."""

    def __init__(self, shape, inputs, stride, random):
        self.weights = (random.standard_normal(shape) * np.sqrt(2.0 / inputs)).astype(np.float32)
        self.bias = np.zeros(shape[0] if self.kind == "CONV_2D" else shape[2], np.float32)
        self.stride = stride

    def forward(self, x):
        self.extent = x.shape
        self.view = int8_reference.patches(x, (self.window(),) * 2, (self.stride,) * 2, True, 0)
        self.output = np.maximum(self.multiply(), 0)
        return self.output

    def backward(self, gradient):
        gradient = gradient * (self.output > 0)
        self.bias_gradient = gradient.sum((0, 1, 2))
        by_tap = self.gradients(gradient)
        window, stride = self.window(), self.stride
        border = [int8_reference.same_padding(extent, window, stride) for extent in self.extent[1:3]]
        height, width = (extent + sum(pair) for extent, pair in zip(self.extent[1:3], border))
        x = np.zeros((self.extent[0], height, width, self.extent[3]), np.float32)
        rows, columns = gradient.shape[1] * stride, gradient.shape[2] * stride
        for i in range(window):
            for j in range(window):
                taps = x[:, i:i + rows:stride, j:j + columns:stride]
                taps[:, :gradient.shape[1], :gradient.shape[2]] += by_tap(i, j)
        top, left = border[0][0], border[1][0]
        return x[:, top:top + self.extent[1], left:left + self.extent[2]]


class Conv(Window):
    kind = "CONV_2D"

    def __init__(self, window, inputs, outputs, stride, random):
        super().__init__((outputs, window, window, inputs), window * window * inputs, stride, random)

    def window(self):
        return self.weights.shape[1]

    def multiply(self):
        self.columns = self.view.transpose(0, 1, 2, 4, 5, 3).reshape(*self.view.shape[:3], -1)
        return self.columns @ self.weights.reshape(len(self.weights), -1).T + self.bias

    def gradients(self, gradient):
        by_column = np.tensordot(gradient, self.columns, ((0, 1, 2), (0, 1, 2)))
        self.weights_gradient = by_column.reshape(self.weights.shape)
        return lambda i, j: gradient @ self.weights[:, i, j, :]


class Depthwise(Window):
    kind = "DEPTHWISE_CONV_2D"

    def __init__(self, window, channels, stride, random):
        super().__init__((window, window, channels), window * window, stride, random)

    def window(self):
        return self.weights.shape[0]

    def multiply(self):
        return np.einsum("nhwckl,klc->nhwc", self.view, self.weights) + self.bias

    def gradients(self, gradient):
        self.weights_gradient = np.einsum("nhwckl,nhwc->klc", self.view, gradient)
        return lambda i, j: gradient * self.weights[i, j]


class AveragePool:
    kind = "AVERAGE_POOL_2D"

    def forward(self, x):
        n, h, w, c = x.shape
        self.output = x.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))
        return self.output

    def backward(self, gradient):
        return np.repeat(np.repeat(gradient, 2, 1), 2, 2) / 4


class Dense:
    kind = "FULLY_CONNECTED"

    def __init__(self, inputs, outputs, random):
        self.weights = (random.standard_normal((outputs, inputs)) * np.sqrt(1.0 / inputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def forward(self, x):
        self.shape, self.input = x.shape, x.reshape(len(x), -1)
        self.output = self.input @ self.weights.T + self.bias
        return self.output

    def backward(self, gradient):
        self.weights_gradient, self.bias_gradient = gradient.T @ self.input, gradient.sum(0)
        return (gradient @ self.weights).reshape(self.shape)


def make_net(random):
    return [Conv(3, 1, 16, 1, random), Depthwise(3, 16, 2, random), Conv(1, 16, 32, 1, random),
            Depthwise(3, 32, 1, random), Conv(1, 32, 32, 1, random), AveragePool(), Dense(128, 10, random)]


def forward(net, x):
    for layer in net:
        x = layer.forward(x)
    return x


def step(net, x, labels):
    """One gradient of the cross-entropy; left in the layers."""
    logits = forward(net, x)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    gradient = exponentials / exponentials.sum(1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    gradient = (gradient / len(labels)).astype(np.float32)
    for layer in reversed(net):
        gradient = layer.backward(gradient)


def train(net, images, labels, random):
    """Adam with a rate that falls to zero along a cosine."""
    names = ("weights", "bias")
    slots = [(layer, name) for layer in net if hasattr(layer, "weights") for name in names]
    first = [np.zeros_like(getattr(*slot)) for slot in slots]
    second = [np.zeros_like(getattr(*slot)) for slot in slots]
    steps = EPOCHS * (len(images) // BATCH)
    done = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start:start + BATCH]
            step(net, shifted(images[chosen], random), labels[chosen])
            rate = 0.004 * 0.5 * (1 + np.cos(np.pi * done / steps))
            done += 1
            for i, (layer, name) in enumerate(slots):
                gradient = getattr(layer, name + "_gradient") + (1e-4 * layer.weights if name == "weights" else 0)
                first[i] += 0.1 * (gradient - first[i])
                second[i] += 0.001 * (gradient**2 - second[i])
                estimate = first[i] / (1 - 0.9**done) / (np.sqrt(second[i] / (1 - 0.999**done)) + 1e-8)
                setattr(layer, name, (getattr(layer, name) - rate * estimate).astype(np.float32))


class File:
    """The model as tools/tflite_json.py writes it, tensor by tensor."""

    def __init__(self):
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [{}]

    def tensor(self, name, shape, dtype, scales, zero=0, values=None, axis=0):
        buffer = 0
        if values is not None:
            buffer = len(self.buffers)
            self.buffers.append({"data": list(np.ascontiguousarray(values).tobytes())})
        table = {"name": name, "shape": list(shape), "type": dtype, "buffer": buffer}
        if scales is not None:
            table["quantization"] = {"scale": [float(np.float32(scale)) for scale in scales],
                                     "zero_point": [zero] * len(scales), "quantized_dimension": axis}
        self.tensors.append(table)
        return len(self.tensors) - 1

    def operator(self, kind, version, inputs, output, options_type, options):
        number = int8_reference.OPERATORS[kind]
        code = {"deprecated_builtin_code": number, "builtin_code": kind, "version": version}
        if code not in self.codes:
            self.codes.append(code)
        self.operators.append({"opcode_index": self.codes.index(code), "inputs": inputs, "outputs": [output],
                               "builtin_options_type": options_type, "builtin_options": options})
        return output

    def model(self, first, last):
        graph = {"tensors": self.tensors, "inputs": [first], "outputs": [last], "operators": self.operators}
        return {"version": 3, "description": "handwritten digits, trained by tools/train_digits.py",
                "operator_codes": self.codes, "subgraphs": [graph], "buffers": self.buffers}


def quantized_weights(layer, per_channel):
    """Symmetric int8; one scale an output channel or one for all. The channel is axis 0, or 3 for depthwise."""
    weights = layer.weights[np.newaxis] if layer.kind == "DEPTHWISE_CONV_2D" else layer.weights
    axis = 3 if layer.kind == "DEPTHWISE_CONV_2D" else 0
    others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.abs(weights).max(others if per_channel else None, keepdims=True)
    scales = (np.maximum(largest, 1e-6) / 127).astype(np.float32)
    return np.clip(np.rint(weights / scales), -127, 127).astype(np.int8), scales.reshape(-1), axis


def output_quantization(layer):
    """Scale and zero point that cover what the layer gave on the training images."""
    low, high = min(float(layer.output.min()), 0.0), max(float(layer.output.max()), 0.0)
    scale = np.float32((high - low) / 255)
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def add_weighted(file, layer, name, source, source_scale):
    per_channel = layer.kind != "FULLY_CONNECTED"
    weights, scales, axis = quantized_weights(layer, per_channel)
    bias_scales = source_scale * scales
    bias = np.rint(layer.bias / bias_scales).astype(np.int32)
    inputs = [source,
              file.tensor(name + "/weights", weights.shape, "INT8", scales, 0, weights, axis),
              file.tensor(name + "/bias", bias.shape, "INT32", bias_scales, 0, bias)]
    scale, zero = output_quantization(layer)
    output = file.tensor(name, (1, *layer.output.shape[1:]), "INT8", [scale], zero)
    if layer.kind == "FULLY_CONNECTED":
        return file.operator(layer.kind, 4, inputs, output, "FullyConnectedOptions", {}), scale, zero
    options = {"padding": "SAME", "stride_w": layer.stride, "stride_h": layer.stride,
               "fused_activation_function": "RELU"}
    if layer.kind == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = 1
    kind = "DepthwiseConv2DOptions" if layer.kind == "DEPTHWISE_CONV_2D" else "Conv2DOptions"
    return file.operator(layer.kind, 3, inputs, output, kind, options), scale, zero


def quantize(net, images):
    """The whole model as a dictionary; activations are calibrated on `images`."""
    forward(net, images / 16)
    file = File()
    first = tensor = file.tensor("image", (1, 8, 8, 1), "INT8", [1 / 16], -128)
    scale, zero = np.float32(1 / 16), -128
    names = ["conv1", "depthwise2", "conv2", "depthwise3", "conv3", "pool", "logits"]
    for layer, name in zip(net, names):
        if layer.kind != "AVERAGE_POOL_2D":
            tensor, scale, zero = add_weighted(file, layer, name, tensor, scale)
            continue
        pooled = file.tensor(name, (1, 2, 2, 32), "INT8", [scale], zero)
        options = {"padding": "VALID", "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
        file.operator(layer.kind, 2, [tensor], pooled, "Pool2DOptions", options)
        shape = file.tensor("flat/shape", (2,), "INT32", None, 0, np.array([1, 128], np.int32))
        tensor = file.tensor("flat", (1, 128), "INT8", [scale], zero)
        file.operator("RESHAPE", 1, [pooled, shape], tensor, "ReshapeOptions", {"new_shape": [1, 128]})
    output = file.tensor("probabilities", (1, 10), "INT8", [1 / 256], -128)
    file.operator("SOFTMAX", 2, [tensor], output, "SoftmaxOptions", {"beta": 1.0})
    return file.model(first, output)


def to_int8(images):
    return (images - 128).astype(np.int8)


def litert(path, images, resolver):
    """Outputs of the TensorFlow Lite runtime, image by image."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(str(path), experimental_op_resolver_type=getattr(OpResolverType, resolver))
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for image in images:
        interpreter.set_tensor(source, image[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result)[0].copy())
    return np.stack(outputs)


def write_golden(folder, images, outputs):
    """In the layout of Mote's other golden vectors: one file a tensor, and manifest.json."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = [f"case{i}" for i in range(GOLDEN_CASES)]
    for i, case in enumerate(cases):
        (folder / f"{case}_in0.bin").write_bytes(images[i].tobytes())
        (folder / f"{case}_out0.bin").write_bytes(outputs[i].tobytes())
    manifest = {
        "model": "digits.tflite",
        "source": "tools/train_digits.py: LiteRT with resolver BUILTIN_REF = tools/int8_reference.py, every byte",
        "inputs": [{"name": "image", "shape": [1, 8, 8, 1], "dtype": "INT8", "bytes": 64, "scale": 0.0625,
                    "zero_point": -128}],
        "outputs": [{"name": "probabilities", "shape": [1, 10], "dtype": "INT8", "bytes": 10, "scale": 0.00390625,
                     "zero_point": -128}],
        "cases": cases, "stateful": False}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def verified_outputs(images):
    """Of the model in FOLDER, rounded twice in every layer, as TensorFlow Lite Micro's reference kernels do.

    LiteRT rounds differently by kernel: its reference kernels round the fully connected layer once and the rest
    twice, the XNNPACK delegate that it takes by default rounds everything once. Both are reproduced here in every
    byte, which leaves the rounding as the only difference. Returns also what LiteRT's reference kernels give.
    """
    path = FOLDER / "digits.tflite"
    outputs = int8_reference.run(path, images)
    print(f"{outputs.size} output bytes of {len(images)} images:")
    dense, all_weighted = ["FULLY_CONNECTED"], ["FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"]
    results = {}
    for resolver, rounded_once in (("BUILTIN_REF", dense), ("BUILTIN", all_weighted)):
        results[resolver] = litert(path, images, resolver)
        wrong = np.count_nonzero(int8_reference.run(path, images, rounded_once) != results[resolver])
        if wrong:
            raise SystemExit(f"LiteRT {resolver}: {wrong} bytes differ from int8_reference.py with its rounding")
        print(f"  LiteRT {resolver}: equal to int8_reference.py with its rounding;",
              f"{np.count_nonzero(outputs != results[resolver])} bytes differ from double rounding")
    return outputs, results["BUILTIN_REF"]


def check_golden(outputs, reference):
    """Golden cases are those where both roundings agree: they hold for either reference."""
    if not np.array_equal(outputs[:GOLDEN_CASES], reference[:GOLDEN_CASES]):
        raise SystemExit("a golden case depends on the rounding of the fully connected layer; choose other images")


def accuracy(outputs, labels):
    return f"{np.mean(outputs.argmax(1) == labels) * 100:.2f} %"


def command_train():
    images, test_images, labels, test_labels = load()
    random = np.random.default_rng(1)
    net = make_net(random)
    train(net, images / 16, labels, random)
    print("float accuracy on the held-out images:", accuracy(forward(net, test_images / 16), test_labels))
    FOLDER.mkdir(parents=True, exist_ok=True)
    tflite_json.write(quantize(net, images), FOLDER / "digits.tflite")
    outputs, reference = verified_outputs(to_int8(test_images))
    check_golden(outputs, reference)
    print("int8 accuracy on the held-out images:", accuracy(outputs, test_labels))
    (FOLDER / "test_images.bin").write_bytes(to_int8(test_images).tobytes())
    (FOLDER / "test_labels.bin").write_bytes(test_labels.astype(np.uint8).tobytes())
    (FOLDER / "test_outputs.bin").write_bytes(outputs.tobytes())
    write_golden(FOLDER / "golden", to_int8(test_images), outputs)


def command_check():
    _, test_images, _, test_labels = load()
    images = np.fromfile(FOLDER / "test_images.bin", np.int8).reshape(-1, 8, 8, 1)
    labels = np.fromfile(FOLDER / "test_labels.bin", np.uint8)
    if not (np.array_equal(images, to_int8(test_images)) and np.array_equal(labels, test_labels)):
        raise SystemExit("test_images.bin or test_labels.bin are not the held-out part of scikit-learn's digits")
    outputs, reference = verified_outputs(images)
    check_golden(outputs, reference)
    print("int8 accuracy on the held-out images:", accuracy(outputs, labels))
    stored = np.fromfile(FOLDER / "test_outputs.bin", np.int8).reshape(outputs.shape)
    cases = [np.fromfile(FOLDER / "golden" / f"case{i}_out0.bin", np.int8) for i in range(GOLDEN_CASES)]
    if not (np.array_equal(stored, outputs) and np.array_equal(cases, outputs[:GOLDEN_CASES])):
        raise SystemExit("the stored outputs are not what the model gives")
    print("stored outputs and golden cases: equal")


if __name__ == "__main__":
    commands = {"train": command_train, "check": command_check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        raise SystemExit("usage: train_digits.py train | check")
    commands[sys.argv[1]]()
