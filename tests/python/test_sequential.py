# SPDX-License-Identifier: Apache-2.0
"""mote.Sequential against an implementation of its formulas in numpy, with Python's exact integers."""
import numpy as np
import pytest

import mote


def clamp(values):
    return np.clip(values, -128, 127)


def default_shift(products):
    return 7 + int(np.ceil(np.log2(products)))


def scaled(sums, multiplier, shift):
    # Python's integers: exact, and >> rounds down.
    return np.array([int(one) * multiplier >> shift for one in sums.reshape(-1)], object).reshape(sums.shape)


def dense(x, weights, bias, multiplier, shift):
    sums = weights.astype(np.int64) @ x.reshape(-1).astype(np.int64)
    return clamp(scaled(sums, multiplier, shift) + bias).astype(np.int64)


def conv2d(x, kernel, bias, stride, padding, multiplier, shift, depthwise=False):
    x = np.pad(x.astype(np.int64), ((0, 0), (padding, padding), (padding, padding)))
    outputs, height, width = kernel.shape[0], kernel.shape[-2], kernel.shape[-1]
    rows, columns = (x.shape[1] - height) // stride + 1, (x.shape[2] - width) // stride + 1
    sums = np.zeros((outputs, rows, columns), np.int64)
    for out in range(outputs):
        image = x[[out * x.shape[0] // outputs]] if depthwise else x
        for row in range(rows):
            for column in range(columns):
                window = image[:, row * stride:row * stride + height, column * stride:column * stride + width]
                sums[out, row, column] = np.sum(window * kernel[out])
    return clamp(clamp(scaled(sums, multiplier, shift)) + bias[:, None, None]).astype(np.int64)


def pool(x, size, stride, padding, reduce):
    rows = (x.shape[1] + 2 * padding - size) // stride + 1
    columns = (x.shape[2] + 2 * padding - size) // stride + 1
    out = np.zeros((x.shape[0], rows, columns), np.int64)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride - padding, column * stride - padding
            window = x[:, max(top, 0):top + size, max(left, 0):left + size]
            out[:, row, column] = reduce(window.reshape(x.shape[0], -1))
    return out


def rounded_mean(windows):  # halves away from zero
    sums, count = windows.sum(axis=1), windows.shape[1]
    return np.sign(sums) * ((2 * np.abs(sums) + count) // (2 * count))


def softmax(x):
    e = np.maximum(128 + 2 * (x - x.max()), 0)
    return 127 * e // e.sum()


def sigmoid(x, multiplier=1, shift=0):
    return np.round(127 / (1 + np.exp(-clamp((x * multiplier) >> shift) / 16))).astype(np.int64)


def tanh(x, multiplier=1, shift=0):
    return np.round(127 * np.tanh(clamp((x * multiplier) >> shift) / 32)).astype(np.int64)


def int8(random, *shape):
    return random.integers(-128, 128, shape).astype(np.int8)


EVERY_BYTE = np.arange(-128, 128, dtype=np.int8)


@pytest.fixture
def random():
    return np.random.default_rng(11)


@pytest.mark.parametrize("multiplier, shift", [(None, None), (1, 0), (37, 14), (-91, 15), (2147483647, 44), (123456789, 40)])
def test_dense(random, multiplier, shift):
    weights, bias = int8(random, 7, 33), random.integers(-300, 300, 7)
    if (multiplier, shift) == (1, 0):
        weights = np.clip(weights, -1, 1)
    model = mote.Sequential([33])
    model.dense(weights, bias, multiplier, shift)
    m, s = (1, default_shift(33)) if multiplier is None else (multiplier, shift)
    seen = set()
    for x in int8(random, 50, 33):
        expected = dense(x, weights, bias, m, s)
        np.testing.assert_array_equal(model.forward(x), expected)
        seen.update(expected.tolist())
    assert len(seen) > 10


def test_shifts_round_down():
    model = mote.Sequential([1])
    model.dense([[1]], [0], 1, 2)
    np.testing.assert_array_equal(model.forward(np.int8([[-5], [-4], [-1], [0], [3], [4], [7]])),
                                  [[-2], [-1], [-1], [0], [0], [1], [1]])


@pytest.mark.parametrize("channels, outputs, size, stride, padding, scaling", [
    (1, 4, (3, 3), 1, 1, None), (3, 5, (3, 2), 2, 0, (53, 15)), (4, 9, (1, 1), 1, 0, (-2000, 20)), (2, 8, (5, 5), 3, 2, None),
])
def test_conv2d(random, channels, outputs, size, stride, padding, scaling):
    kernel, bias = int8(random, outputs, channels, *size), random.integers(-128, 128, outputs)
    model = mote.Sequential([channels, 9, 8])
    model.conv2d(kernel, bias, size, stride, padding, *(scaling or (None, None)))
    m, s = scaling or (1, default_shift(channels * size[0] * size[1]))
    batch = int8(random, 5, channels, 9, 8)
    expected = [conv2d(x, kernel, bias, stride, padding, m, s) for x in batch]
    got = model.forward(batch)
    assert model.output_shape == expected[0].shape and got.dtype == np.int8
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(model.forward(batch[0].reshape(-1)), expected[0].reshape(-1))  # flat in, flat out


def test_the_sum_saturates_before_a_convolution_s_bias_only():
    x = np.int8([100])
    model = mote.Sequential([1, 1, 1])
    model.conv2d([100], [-100], (1, 1), multiplier=1, shift=0)
    np.testing.assert_array_equal(model.forward(x), [27])
    model = mote.Sequential([1])
    model.dense([100], [-9900], 1, 0)
    np.testing.assert_array_equal(model.forward(x), [100])


@pytest.mark.parametrize("outputs", [3, 12])
def test_depthwise_conv2d(random, outputs):
    kernel, bias = int8(random, outputs, 3, 3), random.integers(-20, 20, outputs)
    model = mote.Sequential([3, 6, 7])
    model.depthwise_conv2d(kernel, bias, (3, 3), 2, 1, 77, 13)
    for x in int8(random, 4, 3, 6, 7):
        np.testing.assert_array_equal(model.forward(x), conv2d(x, kernel[:, None], bias, 2, 1, 77, 13, depthwise=True))


def test_activations_of_every_byte():
    for build, function in [
            (lambda m: m.relu(), lambda x: np.maximum(x, 0)),
            (lambda m: m.sigmoid(), sigmoid), (lambda m: m.tanh(), tanh),
            (lambda m: m.sigmoid(42, 3), lambda x: sigmoid(x, 42, 3)), (lambda m: m.tanh(-7, 5), lambda x: tanh(x, -7, 5)),
            (lambda m: m.softmax(), softmax)]:
        model = mote.Sequential([256])
        build(model)
        np.testing.assert_array_equal(model.forward(EVERY_BYTE), function(EVERY_BYTE.astype(np.int64)))


def test_pools(random):
    for size, stride, padding in [(2, 2, 0), (3, 2, 1), (3, 1, 0)]:
        x = int8(random, 3, 9, 8)
        largest, mean = mote.Sequential([3, 9, 8]), mote.Sequential([3, 9, 8])
        largest.max_pool2d((size, size), stride, padding)
        mean.avg_pool2d((size, size), stride, padding)
        np.testing.assert_array_equal(largest.forward(x), pool(x.astype(np.int64), size, stride, padding,
                                                               lambda w: w.max(axis=1)))
        np.testing.assert_array_equal(mean.forward(x), pool(x.astype(np.int64), size, stride, padding, rounded_mean))


def network(random):
    """A network with every kind of layer, and the same in numpy."""
    k1, b1 = int8(random, 6, 2, 3, 3), random.integers(-30, 30, 6)
    k2, b2 = int8(random, 6, 3, 3), random.integers(-30, 30, 6)
    w3, b3 = int8(random, 11, 6 * 3 * 2), random.integers(-30, 30, 11)
    w4, b4 = int8(random, 5, 11), random.integers(-30, 30, 5)
    model = mote.Sequential([2, 12, 10], 4096, name="every_layer")
    model.add_conv2d_with_requant(k1.reshape(-1).tolist(), b1.tolist(), 2, 6, 3, 3, 1, 1, 90, 14)
    model.add_relu()
    model.add_max_pool2d(2, 2, 2)
    model.depthwise_conv2d(k2, b2, (3, 3), 1, 1, 3, 8)
    model.add_tanh_scaled(3, 1)
    model.avg_pool2d((2, 2), 2)
    model.add_flatten()
    model.add_sigmoid()
    model.add_dense_with_requant(w3.reshape(-1).tolist(), b3.tolist(), 50, 13)
    model.add_relu()
    model.add_dense(w4, b4)
    model.add_softmax()

    def forward(x):
        x = np.maximum(conv2d(x, k1, b1, 1, 1, 90, 14), 0)
        x = pool(x, 2, 2, 0, lambda w: w.max(axis=1))
        x = tanh(conv2d(x, k2[:, None], b2, 1, 1, 3, 8, depthwise=True), 3, 1)
        x = sigmoid(pool(x, 2, 2, 0, rounded_mean)).reshape(-1)
        x = np.maximum(dense(x, w3, b3, 50, 13), 0)
        return softmax(dense(x, w4, b4, 1, default_shift(11)))

    return model, forward


def test_a_network_of_every_layer(random):
    model, forward = network(random)
    batch = int8(random, 20, 2, 12, 10)
    expected = np.array([forward(x) for x in batch])
    assert len(np.unique(expected, axis=0)) > 5
    np.testing.assert_array_equal(model.forward(batch), expected)
    assert model.predict(batch[0]) == int(np.argmax(expected[0]))
    assert model.num_layers() == 12 and model.layer_names()[:3] == ["conv2d", "relu", "max_pool2d"]
    assert model.output_shape == (5,)


@pytest.mark.parametrize("target", ["host", "rv32imac", "cortex-m0plus", "lx106"])
def test_compiled_code_gives_the_same_bytes(random, target):
    model, forward = network(random)
    batch = int8(random, 3, 2, 12, 10)
    artifact = model.compile(target, "speed" if target == "cortex-m0plus" else "balanced")
    run = artifact.run(batch.transpose(0, 2, 3, 1), profile=False)
    np.testing.assert_array_equal(run.output, [forward(x) for x in batch])
    assert {"every_layer.h", "every_layer.cpp"} <= artifact.files.keys()
    assert artifact.sizes.arena == model.estimate_arena_bytes() == model.estimate_arena_size()


def test_a_flattened_image_is_channels_first(random):
    model = mote.Sequential([3, 4, 5])
    model.flatten()
    model.sigmoid()
    x = int8(random, 2, 3, 4, 5)
    np.testing.assert_array_equal(model.forward(x), sigmoid(x.reshape(2, -1).astype(np.int64)))
    only = mote.Sequential([3, 4, 5])
    only.flatten()
    np.testing.assert_array_equal(only.forward(x), x.reshape(2, -1))


def test_trainable_dense_starts_with_zeros(random):
    model = mote.Sequential([4])
    model.add_trainable_dense(4, 3)
    np.testing.assert_array_equal(model.forward(int8(random, 4)), [0, 0, 0])
    weights = int8(random, 3, 4)
    model = mote.Sequential([4])
    model.trainable_dense(4, 3, weights, [1, 2, 3])
    x = int8(random, 4)
    np.testing.assert_array_equal(model.forward(x), dense(x, weights, np.array([1, 2, 3]), 1, default_shift(4)))
    with pytest.raises(ValueError, match="takes 5 inputs"):
        model.trainable_dense(5, 2)


def test_trainable_dense_learns(random):
    """Steps of gradient descent as numpy computes them; then the same in the emulator, bit for bit."""
    model = mote.Sequential([2, 6, 6])
    model.add_conv2d(int8(random, 4, 2, 3, 3), [0] * 4, 2, 4, 3, 3, 1, 1)
    model.add_relu()
    model.add_flatten()
    with pytest.raises(mote.Error, match="needs a trainable_dense as the last layer.*conv2d, relu, flatten"):
        model.trainable_head()
    backbone = model.model()
    model.add_trainable_dense(144, 3)
    images = int8(random, 60, 2, 6, 6)
    labels = np.arange(60) % 3
    for image, label in zip(images, labels):
        image[:, 2 * label:2 * label + 2] = 100
    nhwc = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    head = model.trainable_head(scale=1 / 64)
    assert head.classes == 3 and head.layer == "trainable_dense"
    losses = head.fit(nhwc, labels, epochs=3, rate=0.002)

    features = backbone.run(nhwc).reshape(60, 144).astype(np.float64) / 64
    weights, bias, expected = np.zeros((3, 144)), np.zeros(3), []
    momenta = [np.zeros((3, 144)), np.zeros(3)]
    for x, label in zip(np.tile(features, (3, 1)), np.tile(labels, 3)):
        scores = weights @ x + bias
        error = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        expected.append(-np.log(error[label]))
        error[label] -= 1
        momenta = [0.9 * momenta[0] + np.outer(error, x), 0.9 * momenta[1] + error]
        weights, bias = weights - 0.002 * momenta[0], bias - 0.002 * momenta[1]
    np.testing.assert_allclose(losses.reshape(-1), expected, rtol=1e-2, atol=1e-4)
    np.testing.assert_allclose(head.weights, weights, rtol=1e-2, atol=1e-4)
    classes, _ = head.predict(nhwc)
    assert (classes == labels).mean() > 0.9

    head.reset()
    run = head.compile("rv32imac").fit(nhwc, labels, epochs=3, rate=0.002, test=nhwc)
    np.testing.assert_array_equal(run.losses, losses)
    np.testing.assert_array_equal(run.classes, classes)

    model.add_relu()
    with pytest.raises(mote.Error, match="needs a trainable_dense as the last layer"):
        model.trainable_head()


def test_the_arena_s_limit(random):
    model, _ = network(random)
    needed = model.estimate_arena_bytes()
    assert needed == model.compile("host").sizes.arena <= 4096
    model._arena_size = needed - 1
    with pytest.raises(mote.Error, match=f"the arena takes {needed} B, arena_size allows {needed - 1} B: 1 B too many"):
        model.forward(int8(random, 2, 12, 10))
    assert model.estimate_arena_bytes() == needed


@pytest.mark.parametrize("build, error, text", [
    (lambda m: m.dense([1, 2, 3], [0]), mote.Error, "dense #0: has 3 weights, it needs 72 (1x72)"),
    (lambda m: m.dense(np.full((1, 72), 200), [0]), TypeError, "weights reach from 200 to 200, int8 from -128 to 127"),
    (lambda m: m.dense(np.zeros((1, 72)), [0]), TypeError, "weights are float64, they must be integers"),
    (lambda m: m.dense(np.zeros((1, 72), int), [0], 3), ValueError, "belong together"),
    (lambda m: m.dense(np.full((1, 72), 127), [0], 2 ** 31 - 1, 4), mote.Error, "leaves 32 bits when multiplied by"),
    (lambda m: m.dense(np.full((1, 72), 127), [0], 1, 63), mote.Error, "has a shift of 63 bits"),
    (lambda m: m.add_conv2d(np.zeros(9, int), [0], 1, 1, 3, 3, 1, 0), ValueError, "conv2d #0: takes 1 channels"),
    (lambda m: m.conv2d(np.zeros(18, int), [0], (3, 3), 0), mote.Error, "conv2d #0: has a window of 3x3, stride 0"),
    (lambda m: m.max_pool2d((9, 9), 1), mote.Error, "max_pool2d #0: has a window of 9x9, its input only 6x6"),
    (lambda m: m.tanh(2 ** 24, 3), mote.Error, "tanh #0: has multiplier 16777216"),
    (lambda m: m.depthwise_conv2d(np.zeros(27, int), [0] * 3, (3, 3)), mote.Error, "no multiple of its 2 input channels"),
])
def test_errors_name_the_layer_and_leave_the_model(random, build, error, text):
    model = mote.Sequential([2, 6, 6])
    with pytest.raises(error) as caught:
        build(model)
    assert text in str(caught.value) and isinstance(caught.value, mote.Error)
    assert model.num_layers() == 0 and model.output_shape == (2, 6, 6)
    model.relu()
    x = int8(random, 2, 6, 6)
    np.testing.assert_array_equal(model.forward(x), np.maximum(x, 0))


def test_layers_of_images_need_images():
    model = mote.Sequential([8])
    for build in (lambda: model.conv2d([1], [0], (1, 1)), lambda: model.max_pool2d((1, 1), 1)):
        with pytest.raises(mote.Error, match="needs an image, its input has shape 8"):
            build()
    with pytest.raises(mote.Error, match="no layers"):
        model.forward(np.zeros(8, np.int8))
    model.relu()
    with pytest.raises(ValueError, match="takes an array of shape"):
        model.forward(np.zeros(9, np.int8))
    with pytest.raises(TypeError, match="must be integers"):
        model.forward(np.zeros(8))
