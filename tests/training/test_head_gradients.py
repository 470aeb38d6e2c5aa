# SPDX-License-Identifier: Apache-2.0
"""The head that devices train against PyTorch: gradients, and steps of momentum SGD one after another."""
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import mote.torch  # noqa: E402

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def images():
    return np.fromfile(DIGITS / "test_images.bin", np.int8).reshape(360, 8, 8, 1)


@pytest.fixture(scope="module")
def labels():
    return np.fromfile(DIGITS / "test_labels.bin", np.uint8).astype(np.int64)


def twin(head, images):
    """A linear layer of PyTorch with the head's weights, and the features as real numbers, in double precision."""
    output = head.backbone.outputs[0]
    features = head.backbone.run(images).reshape(len(images), -1).astype(np.float64)
    layer = torch.nn.Linear(features.shape[1], head.classes, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weights))
        layer.bias.copy_(torch.from_numpy(head.bias))
    return layer, torch.from_numpy(np.float64(output.scale) * (features - output.zero_point))


@pytest.mark.parametrize("classes", [None, 10])
def test_gradients(images, labels, classes):
    """Without momentum a step of rate 1 takes the gradient away from the weights."""
    head = mote.load(DIGITS / "digits.tflite").trainable_head(classes, momentum=0)
    for i in range(8):
        layer, features = twin(head, images[i:i + 1])
        loss = torch.nn.functional.cross_entropy(layer(features), torch.from_numpy(labels[i:i + 1]))
        loss.backward()
        weights, bias = head.weights.astype(np.float64), head.bias.astype(np.float64)
        assert head.train_step(images[i], labels[i], 1.0) == pytest.approx(loss.item(), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(weights - head.weights, layer.weight.grad.numpy(), rtol=1e-4, atol=3e-5)
        np.testing.assert_allclose(bias - head.bias, layer.bias.grad.numpy(), rtol=1e-4, atol=3e-5)
        head.reset()
        head.fit(images[:i + 1], labels[:i + 1], rate=0.01)  # other weights for the next


def steps(network, optimiser, features, labels, order):
    """PyTorch's training, a sample at a time: the loss before each step."""
    losses = []
    for i in order:
        loss = torch.nn.functional.cross_entropy(network(features[i:i + 1]), torch.from_numpy(labels[i:i + 1]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("momentum", [0.9, 0.5, 0.0])
def test_momentum_sgd_goes_pytorch_s_way(images, labels, momentum):
    head = mote.load(DIGITS / "digits.tflite").trainable_head(10, momentum=momentum)
    layer, features = twin(head, images)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.0005, momentum=momentum)
    losses = head.fit(images[:180], labels[:180], epochs=3, rate=0.0005)
    expected = steps(layer, optimiser, features, labels, [*range(180)] * 3)
    np.testing.assert_allclose(losses.ravel(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(head.weights, layer.weight.detach().numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(head.bias, layer.bias.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert (layer(features[180:]).argmax(1).numpy() == head.predict(images[180:])[0]).all()


@pytest.fixture(scope="module")
def two_layers(images):
    """A network with random weights that ends with two dense layers, in int8, and its integers of the images."""
    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 40), torch.nn.ReLU(), torch.nn.Linear(40, 24),
                                  torch.nn.ReLU(), torch.nn.Linear(24, 10)).eval()
    pixels = torch.from_numpy((images.astype(np.float32) + 128) / 255).permute(0, 3, 1, 2)
    quantised = mote.torch.prepare(network, pixels[:1])
    mote.torch.calibrate(quantised, pixels.split(120))
    return mote.torch.convert(quantised, name="two"), quantised.quantise(pixels)


def twin_of_two(head, x):
    output = head.backbone.outputs[0]
    features = torch.from_numpy(np.float64(output.scale) * (head.backbone.run(x).astype(np.float64) - output.zero_point))
    (hidden_weights, hidden_bias), (weights, bias) = head.parameters()
    network = torch.nn.Sequential(torch.nn.Linear(40, 24, dtype=torch.float64), torch.nn.ReLU(),
                                  torch.nn.Linear(24, head.classes, dtype=torch.float64))
    with torch.no_grad():
        for parameter, array in zip(network.parameters(), (hidden_weights, hidden_bias, weights, bias)):
            parameter.copy_(torch.from_numpy(array))
    return network, features


@pytest.mark.parametrize("classes", [None, 6])
def test_gradients_through_a_hidden_layer(two_layers, labels, classes):
    model, x = two_layers
    head = model.trainable_head(classes, layers=2, momentum=0)
    passed = 0
    for i in range(8):
        network, features = twin_of_two(head, x[i:i + 1])
        label = labels[i:i + 1] % head.classes
        loss = torch.nn.functional.cross_entropy(network(features), torch.from_numpy(label))
        loss.backward()
        before = head.parameters()
        assert head.train_step(x[i], label[0], 1.0) == pytest.approx(loss.item(), rel=1e-5, abs=1e-5)
        gradients = [parameter.grad.numpy() for parameter in network.parameters()]
        after = [array for layer in head.parameters() for array in layer]
        for old, new, gradient in zip([array for layer in before for array in layer], after, gradients):
            np.testing.assert_allclose(old.astype(np.float64) - new, gradient, rtol=1e-4, atol=3e-6)
        passed += int((np.abs(gradients[0]).sum(1) > 0).sum())
        head.reset()
        head.fit(x[:i + 1], labels[:i + 1] % head.classes, rate=0.01)
    assert 20 < passed < 8 * 24  # ReLU lets some pass and stops others


def test_two_layers_go_pytorch_s_way(two_layers, labels):
    model, x = two_layers
    head = model.trainable_head(layers=2)
    network, features = twin_of_two(head, x)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.002, momentum=0.9)
    losses = head.fit(x[:180], labels[:180], epochs=2, rate=0.002)
    expected = steps(network, optimiser, features, labels, [*range(180)] * 2)
    np.testing.assert_allclose(losses.ravel(), expected, rtol=1e-3, atol=1e-4)
    for ours, theirs in zip([array for layer in head.parameters() for array in layer], network.parameters()):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-3, atol=1e-5)
    assert losses[1].mean() < losses[0].mean()
