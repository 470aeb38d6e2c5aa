# SPDX-License-Identifier: Apache-2.0
"""What was trained is what runs: the forward pass of a prepared network against the compiled model, layer by layer."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import mote
import mote.torch
from mote.torch._arithmetic import quantised_multiplier, rescaled, rounded


class Residual(nn.Module):
    """Every kind of layer that `prepare` knows."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, (3, 1), padding=(1, 0))
        self.depthwise = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8)
        self.pointwise = nn.Conv2d(8, 12, 1)
        self.hidden = nn.Linear(12 * 2 * 3, 16)
        self.hidden_norm = nn.BatchNorm1d(16)
        self.head = nn.Linear(16, 5)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        x = F.relu(self.norm(self.first(x)))
        x = torch.relu(x + self.second(x))
        x = F.relu6(self.depthwise(F.max_pool2d(x, 2)))
        x = F.relu(F.max_pool2d(self.pointwise(x), 3, stride=1, padding=1))
        x = self.drop(torch.flatten(F.avg_pool2d(x, 2), 1))
        return self.head(F.relu(self.hidden_norm(self.hidden(x))))


class Global(nn.Module):
    """A global average, and a head that sees one number a channel."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 10, 3, stride=2), nn.ReLU6(), nn.Conv2d(10, 7, 1))
        self.head = nn.Linear(7, 5)

    def forward(self, x):
        return self.head(self.features(x).mean([2, 3]))


class Joined(nn.Module):
    """Up and down again: transposed convolutions, values joined, sigmoid and tanh, dropout as a function."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(6, 5, 3, stride=2, padding=1, output_padding=1, bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.wide = nn.ConvTranspose2d(8, 4, (2, 3), stride=(1, 2))
        self.narrow = nn.Conv2d(4, 6, 3, stride=(2, 4))
        self.gate = nn.Sigmoid()
        self.hidden = nn.Linear(6 * 8 * 12, 7)
        self.head = nn.Linear(14, 5)

    def forward(self, x):
        y = F.relu(self.norm(self.up(torch.tanh(self.down(x)))))
        y = torch.cat([x, y], 1)
        y = self.narrow(torch.relu(self.wide(y)))
        y = F.dropout(torch.flatten(y, 1), 0.5, self.training)
        y = self.hidden(y)
        return self.head(torch.cat((self.gate(y), y.tanh()), dim=-1))


class Sequence(nn.Module):
    """Layers of one dimension, over the rows of the images; padding by name, functions of one value."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(48, 8, 5, padding="same", dilation=2)
        self.norm = nn.BatchNorm1d(8)
        self.depthwise = nn.Conv1d(8, 8, 4, padding="same", groups=8)
        self.up = nn.ConvTranspose1d(8, 6, 3, stride=2, padding=1)
        self.pool, self.smooth, self.last = nn.MaxPool1d(2), nn.AvgPool1d(3, 2), nn.AdaptiveAvgPool1d(1)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.first(x))))
        x = F.leaky_relu(self.depthwise(x), 0.2)
        x = self.smooth(F.hardtanh(self.up(x), -0.4, 0.6))
        return self.head(self.last(x).squeeze(-1))


class Gated(nn.Module):
    """Squeeze and excitation, values repeated, products, functions of one value, a ReLU that no layer takes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.swish, self.gate, self.silu = nn.Hardswish(), nn.Hardsigmoid(), nn.SiLU()
        self.up = nn.Upsample(scale_factor=2)
        self.head = nn.Linear(11, 5)

    def forward(self, x):
        y = self.swish(self.stem(x))
        scale = self.gate(self.excite(self.silu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        y = torch.cat([self.up(y * scale), F.elu(x)], 1)
        y = F.relu(F.gelu(y, approximate="tanh"))
        return self.head((torch.relu(y * y)).mean((2, 3)))


def example_of(kind, count):
    """Images, or for layers of one dimension their rows as a sequence."""
    images = torch.randn(count, 3, 16, 24)
    return images.transpose(1, 2).reshape(count, 48, 24) if kind is Sequence else images


SCHEMES = {"int8": mote.torch.Scheme(), "one_scale": mote.torch.Scheme(per_channel=False),
           "learned": mote.torch.Scheme(learned_scales=True),
           "4bit": mote.torch.Scheme(weights="4bit", learned_scales=True), "ternary": mote.torch.Scheme(weights="ternary"),
           "powers": mote.torch.Scheme(weights={"*": "4bit", "head": "int8"}, power_of_two=True)}


def made(kind, scheme, steps=4):
    torch.manual_seed(3)
    module = kind().eval()
    with torch.no_grad():  # statistics as if it had been trained
        for layer in module.modules():
            if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
                layer.running_mean.uniform_(-0.3, 0.3), layer.running_var.uniform_(0.5, 2.0), layer.weight.uniform_(0.5, 1.5)
    images = example_of(kind, 40)
    network = mote.torch.prepare(module, images[:1], scheme)
    mote.torch.calibrate(network, images.split(8))
    optimiser = torch.optim.SGD(network.parameters(), 0.02)
    network.train()
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(network(images), torch.arange(40) % 5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return module, network.eval(), images, losses


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("kind", [Residual, Global, Joined, Sequence, Gated])
def test_every_layer_has_the_compiled_models_integers(kind, scheme):
    _, network, images, losses = made(kind, scheme)
    assert losses[-1] < losses[0]
    model = mote.torch.convert(network, every_layer=True)
    assert [tensor.name for tensor in model.outputs] == network.layers[1:]
    expected = network.integers(images)
    for name, output in zip(network.layers[1:], model.run(network.quantise(images))):
        np.testing.assert_array_equal(output, expected[name].reshape(output.shape), name)
        assert len(np.unique(output)) > 4, f"{name} shows nothing"
    last = expected[network.output]
    scale, zero = network.steps[-1].out.scale.item(), int(network.steps[-1].out.zero)
    np.testing.assert_allclose(network(images).detach().numpy(), (last.astype(np.float32) - zero) * scale, rtol=1e-6)


def test_prepare_folds_and_leaves_the_module_alone():
    module, network, images, _ = made(Residual, mote.torch.Scheme(), steps=0)
    network.phase = "float"
    before = module(images)
    torch.testing.assert_close(network(images), before, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        network.weighted()[0].layer.weight.zero_()
    torch.testing.assert_close(module(images), before)


@pytest.mark.parametrize("kind, values", [("4bit", 7), ("ternary", 1)])
def test_narrow_weights_shrink_the_flash(kind, values):
    _, network, images, _ = made(Global, mote.torch.Scheme(weights=kind))
    for step in network.weighted():
        weights = step.parameters_as_integers()[0]
        assert weights.abs().max() == values
    wide = made(Global, mote.torch.Scheme())[1]
    assert mote.torch.convert(network).compile("rv32imac", "size").sizes.weights < \
        mote.torch.convert(wide).compile("rv32imac", "size").sizes.weights


def test_the_arithmetic_is_the_specifications():
    """Against plain Python integers, which have no width."""
    def high_mul(a, b):
        return (a * b + (1 << 30)) >> 31

    def divide(x, s):
        half = (1 << s) >> 1
        return (x + half) >> s if x >= 0 else -((-x + half) >> s)

    generator = np.random.default_rng(1)
    for real in (0.75, 1.0, 3.3e-3, 2.0**-20, 17.5, 1.0 - 2.0**-40, 1e-12):
        multiplier, exponent = quantised_multiplier(np.array(real))
        m, e = int(multiplier), int(exponent)
        assert m == 0 or abs(m * 2.0**(e - 31) / real - 1) < 2.0**-30
        values = generator.integers(-2**20, 2**20, 2000)
        found = rescaled(torch.from_numpy(values), multiplier, exponent)
        expected = [divide(high_mul(int(x) << max(e, 0), m), max(-e, 0)) for x in values]
        assert found.tolist() == expected
    assert rounded(torch.tensor([-2.5, -0.5, 0.5, 1.5, 2.4])).tolist() == [-3, -1, 1, 2, 2]


def test_gradients_pass_straight_through():
    """In the middle of the range the quantised layer's gradients are those of the real one, but for rounding."""
    _, network, images, _ = made(Global, mote.torch.Scheme(), steps=0)
    weight = network.weighted()[-1].layer.weight
    gradients = []
    for phase in ("float", "quantised"):
        network.phase = phase
        weight.grad = None
        network(images).square().mean().backward()
        gradients.append(weight.grad.clone())
    difference = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    assert 0 < difference < 0.1


def test_distillation_is_cross_entropy_and_divergence():
    torch.manual_seed(1)
    student, teacher, labels = torch.randn(6, 4), torch.randn(6, 4), torch.arange(6) % 4
    loss = mote.torch.distillation_loss(student, teacher, labels, temperature=3.0, alpha=0.25)
    p, q = torch.softmax(teacher / 3, 1), torch.softmax(student / 3, 1)
    divergence = (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(loss, 0.25 * 9 * divergence + 0.75 * F.cross_entropy(student, labels))


class Unsupported(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect")
        self.odd = nn.RReLU()
        self.soft = nn.Softplus(beta=2)

    def forward(self, x):
        return self.odd(x) * torch.sigmoid(self.conv(x)) + F.interpolate(x, size=(8, 8), mode="bilinear") + self.soft(x)


def test_what_is_not_supported_is_listed_at_once_with_its_line():
    with pytest.raises(mote.Error) as error:
        mote.torch.prepare(Unsupported().eval(), torch.zeros(1, 3, 8, 8))
    text = str(error.value)
    assert "RReLU 'odd' is not supported" in text and "Conv2d 'conv' pads by 'reflect'" in text
    assert "interpolate resizes by interpolation" in text
    assert "Softplus 'soft' has arguments that ONNX has no place for" in text
    assert "test_quantised_training.py" in text


FUNCTIONS = [nn.CELU(0.7), nn.ELU(1.3), nn.GELU(), nn.GELU("tanh"), nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(-0.8, 1.1),
             nn.LeakyReLU(0.3), nn.Mish(), nn.ReLU6(), nn.SELU(), nn.SiLU(), nn.Sigmoid(), nn.Softplus(), nn.Softsign(), nn.Tanh()]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function))
def test_functions_are_near_the_real_ones(function):
    """Half a step: the table is of the real function's values."""
    x = torch.linspace(-9, 9, 4000)[:, None]
    network = mote.torch.prepare(nn.Sequential(function).eval(), x[:1])
    mote.torch.calibrate(network, [x])
    network.eval()
    with torch.no_grad():
        of_codes = function(network.steps[0].quantised(x))
        steps = (network(x) - of_codes.clamp(*limits(network.steps[1].out))) / network.steps[1].out.scale
    assert steps.abs().max() < 0.51


def limits(quantiser):
    return [float((code - quantiser.zero) * quantiser.scale) for code in (-128, 127)]


class Reused(nn.Module):
    """One pooling module at two places, and a module whose name says what it is not."""

    def __init__(self, activation):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3)
        self.pool, self.relu, self.head = nn.MaxPool2d(2), activation, nn.Linear(6 * 2 * 4, 5)

    def forward(self, x):
        return self.head(self.pool(F.relu(self.two(self.pool(self.relu(self.one(x)))))).flatten(1))


def test_a_module_may_be_called_twice():
    torch.manual_seed(2)
    images = torch.randn(12, 3, 16, 24)
    network = mote.torch.prepare(Reused(nn.ReLU()).eval(), images[:1])
    assert len(set(network.layers)) == len(network.layers)
    mote.torch.calibrate(network, [images])
    expected = network.eval().integers(images)
    for name, output in zip(network.layers[1:], mote.torch.convert(network, every_layer=True).run(network.quantise(images))):
        np.testing.assert_array_equal(output, expected[name].reshape(output.shape), name)


def test_names_and_arguments_are_not_mistaken():
    images = torch.zeros(1, 3, 16, 24)
    with pytest.raises(mote.Error, match="RReLU 'relu' is not supported"):
        mote.torch.prepare(Reused(nn.RReLU()).eval(), images)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return torch.add(x, self.layer(x), alpha=2)

    with pytest.raises(mote.Error, match="further arguments"):
        mote.torch.prepare(Outer().eval(), images)


def test_dropout_that_never_stops_is_refused():
    class Always(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, x):
            return torch.cat([F.dropout(self.layer(x), 0.5), self.layer(x)])

    with pytest.raises(mote.Error, match=r"dropout drops values in evaluation, too; give it training=self.training \(.*") as error:
        mote.torch.prepare(Always().eval(), torch.zeros(1, 8))
    assert "joins samples" not in str(error.value)  # behind what was refused


def test_what_cannot_be_joined_or_transposed_is_named():
    class Batches(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(4, 4, 1)
            self.up = nn.ConvTranspose2d(4, 4, 1, groups=2)

        def forward(self, x):
            return torch.cat([self.layer(x), x]) + self.up(x)

    with pytest.raises(mote.Error) as error:
        mote.torch.prepare(Batches().eval(), torch.zeros(1, 4, 8, 8))
    assert "joins samples of the batch" in str(error.value) and "ConvTranspose2d 'up' has 2 groups" in str(error.value)


def test_wrong_use_is_an_error_that_says_what_to_do():
    module = Global().eval()
    images = torch.randn(4, 3, 16, 24)
    network = mote.torch.prepare(module, images[:1])
    with pytest.raises(ValueError, match="run mote.torch.calibrate first"):
        network.phase = "quantised"
    with pytest.raises(mote.Error, match="run mote.torch.calibrate first"):
        mote.torch.convert(network)
    with pytest.raises(mote.ShapeError, match="no batches"):
        mote.torch.calibrate(network, [])
    with pytest.raises(mote.ShapeError, match=r"batch 0 has shape \(4, 3, 8, 8\)"):
        mote.torch.calibrate(network, [torch.zeros(4, 3, 8, 8)])
    with pytest.raises(ValueError, match="'input' has a value that is not finite"):
        mote.torch.calibrate(network, [images / 0.0 * 0.0])
    with pytest.raises(ValueError, match="kind '2bit'; there are int8, 4bit, ternary"):
        mote.torch.Scheme(weights="2bit")
    mote.torch.calibrate(network, [images])
    with torch.no_grad():
        network.weighted()[0].layer.bias.fill_(1e9)
    with pytest.raises(mote.Error, match="which leave 32 bits"):
        mote.torch.convert(network)
