#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far Mote's int8 outputs are from PyTorch's, for the networks of nano-rust's table of accuracy (its notebooks 01
to 04), in steps of int8.

    python examples/train/torch_difference.py

"by layer" and "whole": PyTorch with the integer weights and the scales of the compiled model, in float arithmetic
(fake_quantize_per_tensor_affine behind each layer), five networks of each kind, ranges from 64 random inputs, compared for 256
others. By layer, each one reads the compiled model's integers; whole, what PyTorch's own layer before gave, so that a step
between two roundings passes through the next layers. "float module": what nano-rust compares: the module as it was made
against the integers, one random input which is the one that the ranges come from, both in steps of the output's largest value / 127;
its own seed, and 100 others; then the same with `mote.quantize`, whose weights are rounded by that input, and 16-bit activations.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from torch import nn

import mote
import mote.torch


def dense():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def convolution():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


def deep():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1),
                         nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))


def sigmoid():
    return nn.Sequential(nn.Linear(8, 8), nn.Sigmoid())


def tanh():
    return nn.Sequential(nn.Linear(8, 8), nn.Tanh())


#: What, the module, the input's shape, and nano-rust's "Expected Max Diff (vs PyTorch)".
NETWORKS = [("Dense + ReLU", dense, (784,), 3), ("Conv + ReLU + Dense", convolution, (1, 8, 8), 5),
            ("Deep CNN + Pool", deep, (1, 8, 8), 10), ("Sigmoid", sigmoid, (8,), 20), ("Tanh", tanh, (8,), 20)]
SEED = 42  # nano-rust's


def quantised(module, inputs):
    network = mote.torch.prepare(module.eval(), inputs[:1])
    mote.torch.calibrate(network, [inputs])
    return network.eval()


def integers(network, inputs):
    """{layer: the compiled model's codes, int32, images NCHW}"""
    outputs = mote.torch.convert(network, every_layer=True).run(network.quantise(inputs), threads=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return {name: (codes.transpose(0, 3, 1, 2) if codes.ndim == 4 else codes).astype(np.int32)
            for name, codes in zip(network.layers[1:], outputs)}


def float_arithmetic(network, step, inputs):
    """A layer's real outputs in PyTorch's float32, with the compiled model's weights, rounded to its steps."""
    if step in network.weighted():
        weights, bias, scales = step.parameters_as_integers()
        column = scales.reshape(-1, *[1] * (weights.dim() - 1))
        y = step.activated(step.apply_to(*inputs, weights * column, bias * scales * step.source_quantiser.scale))
    else:
        y = step.real(*inputs)
    return torch.fake_quantize_per_tensor_affine(y, step.out.scale.item(), int(step.out.zero), -128, 127)


def same_integers(make, shape, seed):
    """The largest difference by layer, and of the whole network's outputs."""
    torch.manual_seed(seed)
    module = make()
    network = quantised(module, torch.randn(64, *shape))
    inputs = torch.randn(256, *shape)
    found = integers(network, inputs)
    first, *steps = network.steps
    whole = {first.name: float_arithmetic(network, first, [inputs])}
    exact = dict(whole)
    by_layer = 0
    for step in steps:
        real = float_arithmetic(network, step, [exact[name] for name in step.inputs])
        codes = torch.from_numpy(found[step.name].reshape(real.shape))
        by_layer = max(by_layer, steps_between(real, codes, step.out))
        exact[step.name] = (codes - step.out.zero) * step.out.scale
        whole[step.name] = float_arithmetic(network, step, [whole[name] for name in step.inputs])
    return by_layer, steps_between(whole[step.name], codes, step.out)


def steps_between(real, codes, quantiser):
    return int(((real / quantiser.scale).round() + quantiser.zero - codes).abs().max())


def float_module(make, shape, seed):
    torch.manual_seed(seed)
    module = make()
    torch.manual_seed(seed)
    x = torch.randn(1, *shape)
    network = quantised(module, x)
    out = network.steps[-1].out
    found = (integers(network, x)[network.output] - int(out.zero)) * out.scale.item()
    return steps_of_largest(module(x).numpy(), found)


def steps_of_largest(real, found):
    """Both rounded to steps of the largest real value / 127."""
    step = np.abs(real).max() / 127
    return int(np.abs(np.round(real / step) - np.round(found.reshape(real.shape) / step)).max())


def float_module_in_16_bits(make, shape, seed):
    torch.manual_seed(seed)
    module = make().eval()
    torch.manual_seed(seed)
    x = torch.randn(1, *shape)
    samples = np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1))
    made = mote.quantize(mote.from_torch(module, x), samples, activations="int16", rounding="calibrated", keep_float_io=True)
    return steps_of_largest(module(x).numpy(), made.model.run(samples))


def figures(networks=5, seeds=100):
    rows = []
    with torch.no_grad():
        for name, make, shape, allowed in NETWORKS:
            by_layer, whole = zip(*(same_integers(make, shape, seed) for seed in range(networks)))
            others = [float_module(make, shape, seed) for seed in range(seeds)]
            wide = [float_module_in_16_bits(make, shape, seed) for seed in range(seeds)]
            rows.append({"network": name, "nano_rust": allowed, "by_layer": max(by_layer), "whole": max(whole),
                         "float_module": float_module(make, shape, SEED), "largest": max(others),
                         "within_1": sum(one <= 1 for one in others),
                         "wide": float_module_in_16_bits(make, shape, SEED), "wide_largest": max(wide)})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", help="write the figures to this file")
    flags = parser.parse_args()
    rows = figures()
    print(f"{'':20} nano-rust allows   by layer      whole   float module, seed {SEED}   100 seeds   at most 1   16 bits   100 seeds")
    for row in rows:
        print(f"{row['network']:20} {row['nano_rust']:16} {row['by_layer']:10} {row['whole']:10} {row['float_module']:23} "
              f"{row['largest']:11} {row['within_1']:11} {row['wide']:9} {row['wide_largest']:11}")
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
