# SPDX-License-Identifier: Apache-2.0
"""The head that devices train against PyTorch: gradients, and steps of momentum SGD one after another."""
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import mote  # noqa: E402

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


@pytest.mark.parametrize("momentum", [0.9, 0.5, 0.0])
def test_momentum_sgd_goes_pytorch_s_way(images, labels, momentum):
    head = mote.load(DIGITS / "digits.tflite").trainable_head(10, momentum=momentum)
    layer, features = twin(head, images)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.0005, momentum=momentum)
    losses = head.fit(images[:180], labels[:180], epochs=3, rate=0.0005)
    expected = []
    for i in [*range(180)] * 3:
        loss = torch.nn.functional.cross_entropy(layer(features[i:i + 1]), torch.from_numpy(labels[i:i + 1]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        expected.append(loss.item())
    np.testing.assert_allclose(losses.ravel(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(head.weights, layer.weight.detach().numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(head.bias, layer.bias.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert (layer(features[180:]).argmax(1).numpy() == head.predict(images[180:])[0]).all()
