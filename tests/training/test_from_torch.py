# SPDX-License-Identifier: Apache-2.0
"""mote.from_torch against torch itself."""
import numpy as np
import torch

import mote


class SmallNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                                            torch.nn.MaxPool2d(2))
        self.classify = torch.nn.Linear(8 * 4 * 5, 6)

    def forward(self, x):
        return self.classify(torch.flatten(self.features(x), 1))


def test_a_module_gives_torch_s_numbers():
    torch.manual_seed(3)
    module = SmallNet().train()
    images = torch.randn(5, 3, 8, 10)
    model = mote.from_torch(module, images[:1])
    assert module.training and model.name == "smallnet" and model.inputs[0].shape == (1, 8, 10, 3)
    with torch.no_grad():
        expected = module.eval()(images).numpy()
    got = model.run(images.numpy().transpose(0, 2, 3, 1))
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.ptp(expected))


def test_its_name():
    assert mote.from_torch(torch.nn.Linear(3, 2), torch.zeros(1, 3), name="two words").name == "two_words"
