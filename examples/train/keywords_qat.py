#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spoken digits (the Free Spoken Digit Dataset, N_speaker_take.wav): mel-frequency cepstral coefficients computed with
numpy, a small convolutional network with quantised training. Each fifth take of every speaker and digit is for testing.

    python examples/train/keywords_qat.py --data ~/fsdd --weights 4bit

60 test recordings tell no small difference. With --cross-validate five networks are trained, each without another fifth of
the takes, so that every recording is tested once by a network that has never heard it.
"""
import json
import pathlib
import sys
import wave

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402

CLASSES = [str(digit) for digit in range(10)]
RATE, FRAME, STEP = 8000, 256, 128            # Hz; samples of a frame (32 ms), and from frame to frame
FRAMES, BANDS, COEFFICIENTS = 48, 26, 13
EVERY = 5


def read_wav(path):
    """float32 [samples], -1 to 1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path} is not mono with 16 bits and {RATE} Hz")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768.0


def mel_filters():
    """[BANDS, FRAME / 2 + 1]: triangles of equal width on O'Shaughnessy's mel scale, 2595 log10(1 + f / 700)."""
    mel = np.linspace(0.0, 2595.0 * np.log10(1.0 + RATE / 2 / 700.0), BANDS + 2)
    edges = 700.0 * (10.0 ** (mel / 2595.0) - 1.0) * FRAME / RATE
    bins = np.arange(FRAME // 2 + 1)[None]
    low, middle, high = (edges[i:i + BANDS, None] for i in range(3))
    return np.maximum(0.0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))


def cosines():
    """[COEFFICIENTS, BANDS]: an orthonormal cosine transform, type II."""
    angles = np.pi / BANDS * (np.arange(BANDS)[None] + 0.5) * np.arange(COEFFICIENTS)[:, None]
    return np.cos(angles) * np.sqrt(2.0 / BANDS)


def mfcc(samples):
    """[1, FRAMES, COEFFICIENTS]: the middle of the recording, silence around short ones."""
    needed = FRAME + (FRAMES - 1) * STEP
    spare = needed - len(samples)
    samples = np.pad(samples, (max(spare, 0) // 2, max(spare, 0) - max(spare, 0) // 2))
    start = (len(samples) - needed) // 2
    frames = np.lib.stride_tricks.sliding_window_view(samples[start:start + needed], FRAME)[::STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    logarithms = np.log(power @ mel_filters().T + 1e-4)
    return torch.from_numpy((logarithms @ cosines().T).astype(np.float32))[None]


def load(folder, fold=EVERY - 1):
    """Training x and labels, test x and labels; the takes number `fold` of every EVERY are for testing."""
    paths = sorted(pathlib.Path(folder).glob("[0-9]_*_*.wav"))
    if not paths:
        raise SystemExit(f"{folder} has no files DIGIT_SPEAKER_TAKE.wav")
    parts = {False: ([], []), True: ([], [])}
    seen = {}
    for path in paths:
        digit, speaker, _ = path.stem.split("_")
        take = seen[digit, speaker] = seen.get((digit, speaker), -1) + 1
        x, labels = parts[take % EVERY == fold]
        x.append(mfcc(read_wav(path)))
        labels.append(int(digit))
    return [part for testing in (False, True) for part in (torch.stack(parts[testing][0]), torch.tensor(parts[testing][1]))]


def varied(x):
    """Words begin earlier or later and are louder or quieter (which moves the first coefficient)."""
    x = torch.roll(x, int(torch.randint(-5, 6, ())), 2).clone()
    x[:, :, :, 0] += 2.0 * torch.randn(len(x), 1, 1)
    return x + 0.2 * torch.randn_like(x)


def network():
    layers = [nn.Conv2d(1, 24, (10, 4), (2, 2), padding=(4, 1)), nn.BatchNorm2d(24), nn.ReLU()]
    for _ in range(2):  # depthwise, then pointwise
        layers += [nn.Conv2d(24, 24, 3, padding=1, groups=24), nn.BatchNorm2d(24), nn.ReLU(),
                   nn.Conv2d(24, 24, 1), nn.BatchNorm2d(24), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d((2, 1)), nn.Flatten(), nn.Dropout(0.4), nn.Linear(24 * 12 * 6, len(CLASSES)))


# Chosen on a fifth of each fold's training recordings, which the networks did not hear: more than this rate, and labels alone,
# lose what the float network knows.
TASK = common.Task("keywords", CLASSES, load, network, 120, 30, varied, qat_rate=3e-4, distils=True)


def cross_validate(flags):
    """How many of all recordings are right: in float, calibrated, and trained with quantisation."""
    right, tested = dict.fromkeys(("float", "calibrated", "trained"), 0), 0
    for fold in range(EVERY):
        torch.manual_seed(flags.seed)
        data = load(flags.data, fold)
        x, _, test_x, labels = data
        floating, _ = common.train_in_float(TASK, data, flags.epochs)
        networks = {"float": floating, "calibrated": common.quantised(floating, x, flags.weights, flags.power_of_two)}
        networks["trained"] = common.quantised(floating, x, flags.weights, flags.power_of_two)
        common.train_quantised(networks["trained"], floating, TASK, data, flags.weights, flags.qat_epochs)
        for name, one in networks.items():
            right[name] += round(common.accuracy(one, test_x, labels) * len(labels) / 100)
        tested += len(labels)
        print(f"{fold + 1} of {EVERY} networks: {right} of {tested}", flush=True)
    print(f"{flags.weights} weights: " + ", ".join(f"{name} {100 * count / tested:.2f} %" for name, count in right.items()))
    return {**right, "tested": tested}


if __name__ == "__main__":
    parser = common.arguments(__doc__, TASK)
    parser.add_argument("--cross-validate", action="store_true", help="five networks, so that every recording is tested")
    options = parser.parse_args()
    if not options.cross_validate:
        sys.exit(common.run(options, TASK))
    figures = cross_validate(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
