#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spoken digits (the Free Spoken Digit Dataset, N_speaker_take.wav): mel-frequency cepstral coefficients computed with
numpy, a small convolutional network with quantised training. Each fifth take of every speaker and digit is for testing.

    python examples/train/keywords_qat.py --data ~/fsdd --weights 4bit
"""
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


def load(folder):
    paths = sorted(pathlib.Path(folder).glob("[0-9]_*_*.wav"))
    if not paths:
        raise SystemExit(f"{folder} has no files DIGIT_SPEAKER_TAKE.wav")
    parts = {False: ([], []), True: ([], [])}
    seen = {}
    for path in paths:
        digit, speaker, _ = path.stem.split("_")
        take = seen[digit, speaker] = seen.get((digit, speaker), -1) + 1
        x, labels = parts[take % EVERY == EVERY - 1]
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


TASK = common.Task("keywords", CLASSES, load, network, 120, 30, varied)

if __name__ == "__main__":
    sys.exit(common.main(__doc__, TASK))
