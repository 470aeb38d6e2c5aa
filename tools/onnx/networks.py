# SPDX-License-Identifier: Apache-2.0
"""Small networks of the kinds that run on microcontrollers, written with onnx.helper as exporters write them."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


class Network:
    """Collects nodes; every value is named by its node."""

    def __init__(self, name, shape, seed=1):
        self.name, self.shape = name, shape
        self.nodes, self.constants = [], []
        self.random = np.random.default_rng(seed)

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, *shape):
        fan = max(1, int(np.prod(shape[1:])))
        return self.constant((self.random.standard_normal(shape) / np.sqrt(fan)).astype(np.float32))

    def vector(self, size, low, high):
        return self.constant(self.random.uniform(low, high, size).astype(np.float32))

    def node(self, op, *inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, x, channels, outputs, size, stride=1, groups=1, norm=True, activation="Relu"):
        pad = size // 2
        y = self.node("Conv", x, self.weights(outputs, channels // groups, size, size), self.vector(outputs, -.2, .2),
                      kernel_shape=[size, size], strides=[stride, stride], pads=[pad] * 4, group=groups)
        if norm:
            y = self.node("BatchNormalization", y, self.vector(outputs, .5, 1.5), self.vector(outputs, -.3, .3),
                          self.vector(outputs, -.3, .3), self.vector(outputs, .5, 2))
        return self.node(activation, y) if activation == "Relu" else self.clip(y) if activation else y

    def clip(self, x):
        return self.node("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def dense(self, x, inputs, outputs):
        return self.node("Gemm", x, self.weights(outputs, inputs), self.vector(outputs, -.2, .2), transB=1)

    def model(self, output, shape):
        batch = ["N", *self.shape[1:]]
        graph = helper.make_graph(
            self.nodes, self.name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, batch)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", *shape[1:]])], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def residual():
    net = Network("residual", (1, 3, 24, 20))
    x = net.conv("input", 3, 8, 3, stride=2)
    y = net.conv(net.conv(x, 8, 8, 3), 8, 8, 3, activation=None)
    x = net.node("Relu", net.node("Add", y, x))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    return net.model(net.node("Softmax", net.dense(x, 8, 5), axis=-1), (1, 5))


def depthwise():
    net = Network("depthwise", (1, 1, 40, 10), seed=2)
    x = net.conv("input", 1, 16, 3, stride=2, activation="Clip")
    for channels, outputs, stride in ((16, 24, 1), (24, 24, 2)):
        x = net.conv(x, channels, channels, 3, stride=stride, groups=channels, activation="Clip")
        x = net.conv(x, channels, outputs, 1, activation="Clip")
    x = net.node("AveragePool", x, kernel_shape=[10, 3], strides=[10, 3])
    return net.model(net.dense(net.node("Flatten", x), 24, 12), (1, 12))


def flattened():
    net = Network("flattened", (1, 2, 12, 10), seed=3)
    x = net.node("MaxPool", net.conv("input", 2, 4, 5), kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Reshape", x, net.constant(np.array([-1, 4 * 6 * 5], np.int64)))
    x = net.node("Relu", net.dense(x, 120, 16))
    return net.model(net.dense(x, 16, 3), (1, 3))


def perceptron():
    net = Network("perceptron", (1, 10), seed=4)
    x = net.node("Relu", net.dense("input", 10, 32))
    x = net.node("Tanh", net.dense(x, 32, 32))
    return net.model(net.node("Sigmoid", net.dense(x, 32, 2)), (1, 2))


def branches():
    net = Network("branches", (1, 3, 16, 16), seed=5)
    a = net.conv("input", 3, 6, 3, norm=False)
    b = net.conv("input", 3, 4, 1, norm=False)
    x = net.node("Concat", a, b, axis=1)
    x = net.node("Mul", x, net.node("Sigmoid", net.conv(x, 10, 10, 1, norm=False, activation=None)))
    x = net.node("Pad", x, net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)))
    x = net.node("ReduceMean", x, axes=[2, 3], keepdims=0)
    return net.model(net.dense(x, 10, 4), (1, 4))


def recurrent():
    """A keyword spotter as PyTorch writes it: batch first, an LSTM in both directions, the last state of a GRU."""
    net = Network("recurrent", (1, 9, 10), seed=6)
    x = net.node("Transpose", "input", perm=[1, 0, 2])
    x = net.node("LSTM", x, net.weights(2, 24, 10), net.weights(2, 24, 6), net.vector((2, 48), -.3, .3), "",
                 net.constant(np.zeros((2, 1, 6), np.float32)), net.vector((2, 1, 6), -1, 1),
                 hidden_size=6, direction="bidirectional")
    x = net.node("Transpose", x, perm=[0, 2, 1, 3])
    x = net.node("Reshape", x, net.constant(np.array([0, 0, -1], np.int64)))
    net.node("GRU", x, net.weights(1, 24, 12), net.weights(1, 24, 8), net.vector((1, 48), -.3, .3), hidden_size=8,
             linear_before_reset=1)
    last = f"{net.nodes[-1].output[0]}_last"
    net.nodes[-1].output.append(last)
    return net.model(net.dense(net.node("Squeeze", last, net.constant(np.array([0], np.int64))), 8, 4), (1, 4))


ALL = [residual, depthwise, flattened, perceptron, branches, recurrent]
