# SPDX-License-Identifier: Apache-2.0
"""Training with quantisation: what was trained is what runs.

    network = train_as_usual(Network())
    q = mote.torch.prepare(network, example, mote.torch.Scheme(weights={"*": "4bit", "first": "int8"}))
    mote.torch.calibrate(q, batches)            # ranges of activations from samples; then the forward pass is integers
    train_as_usual(q)                           # straight-through gradients, the same optimiser and loss
    model = mote.torch.convert(q)               # a mote.Model
    assert (model.run(q.quantise(images)) == q.integers(images)[-1]).all()

`q(x)` computes, layer by layer, the integers that the compiled model computes, and gives them as real numbers. In
evaluation mode that holds to the last bit.
"""
from ._convert import convert, export_onnx
from ._losses import distillation_loss
from ._prepare import calibrate, prepare
from ._network import Network
from ._scheme import Scheme

__all__ = ["Network", "Scheme", "calibrate", "convert", "distillation_loss", "export_onnx", "prepare"]
