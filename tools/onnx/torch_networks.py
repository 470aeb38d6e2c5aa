# SPDX-License-Identifier: Apache-2.0
"""Small networks in PyTorch, as people write them: name, module and the input's shape. Needs torch."""
import torch
from torch import nn
from torch.nn import functional


def conv(channels, outputs, size=3, stride=1, groups=1, activation=nn.ReLU):
    parts = [nn.Conv2d(channels, outputs, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, activation()) if activation else nn.Sequential(*parts)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 8, stride=2)
        self.a, self.b = conv(8, 16, stride=2), conv(16, 16, activation=None)
        self.shortcut = conv(8, 16, 1, stride=2, activation=None)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        x = functional.relu(self.b(self.a(x)) + self.shortcut(x))
        return self.head(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.layers = nn.Sequential(nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, channels, 1), nn.Hardsigmoid())

    def forward(self, x):
        return x * self.layers(self.pool(x))


class MobileV3(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 8, stride=2, activation=nn.Hardswish), conv(8, 16, 1, activation=nn.Hardswish),
            conv(16, 16, 5, stride=2, groups=16, activation=nn.Hardswish), Squeeze(16), conv(16, 8, 1, activation=None))
        self.head = nn.Sequential(nn.Dropout(), nn.Linear(8 * 6 * 6, 24), nn.Hardswish(), nn.Linear(24, 5))

    def forward(self, x):
        return self.head(torch.flatten(self.features(x), 1))


class Segmentation(nn.Module):
    """Down, up again by interpolation and by a transposed convolution, with a skip connection."""

    def __init__(self):
        super().__init__()
        self.down, self.deep = conv(1, 8, stride=2), conv(8, 12, stride=2, activation=nn.ReLU6)
        self.transposed = nn.ConvTranspose2d(12, 8, 4, 2, 1)
        self.join, self.last = conv(16, 8, activation=nn.SiLU), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip = self.down(x)
        y = torch.cat([self.transposed(self.deep(skip)), skip], dim=1)
        y = functional.interpolate(self.join(y), scale_factor=2, mode="bilinear", align_corners=False)
        return functional.softmax(self.last(y), dim=1)


class Nearest(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(3, 6, stride=2, activation=nn.LeakyReLU), conv(6, 6, activation=nn.PReLU)
        self.up, self.c = nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x):
        return torch.sigmoid(self.c(self.up(self.b(self.a(x)))))


class Shuffle(nn.Module):
    """Channel shuffle and split, as in ShuffleNet; pixel shuffle at the end."""

    def __init__(self):
        super().__init__()
        self.stem, self.branch = conv(3, 16, stride=2), nn.Sequential(conv(8, 8, 1), conv(8, 8, groups=8, activation=None))
        self.last = nn.Conv2d(16, 12, 1)

    def forward(self, x):
        a, b = self.stem(x).chunk(2, dim=1)
        x = torch.cat([a, self.branch(b)], dim=1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return functional.pixel_shuffle(self.last(x), 2)


class Keywords1d(nn.Module):
    """One-dimensional convolutions over features, group norm, mean and maximum over time."""

    def __init__(self):
        super().__init__()
        self.a, self.norm = nn.Conv1d(10, 16, 5, padding=2), nn.GroupNorm(4, 16)
        self.b = nn.Conv1d(16, 16, 3, padding=2, dilation=2, groups=16)
        self.pool, self.head = nn.MaxPool1d(2), nn.Linear(32, 6)

    def forward(self, x):
        x = self.pool(functional.gelu(self.norm(self.a(x))))
        x = functional.elu(self.b(x))
        return functional.log_softmax(self.head(torch.cat([x.mean(2), x.amax(2)], dim=1)), dim=-1)


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 24), nn.BatchNorm1d(24), nn.Tanh(), nn.Linear(24, 24), nn.SiLU(),
                                    nn.LayerNorm(24), nn.Linear(24, 24), nn.Softplus(), nn.Linear(24, 3))

    def forward(self, x):
        return self.layers(x)


class Recurrent(nn.Module):
    """The last output of a recurrent layer, and a dense layer: a keyword spotter."""

    def __init__(self, kind, **options):
        super().__init__()
        options.setdefault("batch_first", True)
        self.first = options["batch_first"]
        self.layer = kind(10, 12, **options)
        self.head = nn.Linear(12 * (2 if options.get("bidirectional") else 1), 4)

    def forward(self, x):
        y, _ = self.layer(x)
        return self.head(y[:, -1] if self.first else y[-1])


class LastState(nn.Module):
    """What the layer remembers, not what it gives at each step."""

    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(10, 12, batch_first=True), nn.Linear(12, 4)

    def forward(self, x):
        _, h = self.gru(x)
        return self.head(h.squeeze(0))


class States(nn.Module):
    """The states are inputs and outputs: a stream, one step at a time."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(6, 8), nn.Linear(8, 2)

    def forward(self, x, h, c):
        y, (h, c) = self.lstm(x, (h, c))
        return self.head(y), h, c


class ConvGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.gru = conv(1, 6, stride=2), nn.GRU(6 * 5, 8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.conv(x).permute(0, 2, 1, 3).flatten(2)
        return self.head(self.gru(x)[0].mean(1))


class Attention(nn.Module):
    """Attention written by hand: one product for queries, keys and values, heads by reshape and permute."""

    def __init__(self, width=16, heads=2, causal=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.inward, self.outward = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.inward(x).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5
        if self.causal:
            mask = torch.tril(torch.ones(length, length))
            scores = scores.masked_fill(mask == 0, float("-inf"))
        y = scores.softmax(-1) @ v
        return self.outward(y.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, causal=False):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(16), Attention(causal=causal), nn.LayerNorm(16)
        self.dense = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.dense(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16))
        self.blocks, self.norm, self.head = nn.Sequential(Block(), Block()), nn.LayerNorm(16), nn.Linear(16, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.place
        return self.head(self.norm(self.blocks(x))[:, 0])


class Encoder(nn.Module):
    """PyTorch's own encoder layer."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True, norm_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


class Decoder(nn.Module):
    """Causal attention over embedded tokens."""

    def __init__(self):
        super().__init__()
        self.embed, self.block, self.head = nn.Embedding(20, 16), Block(causal=True), nn.Linear(16, 20)

    def forward(self, x):
        return self.head(self.block(self.embed(x)))


class Scaled(nn.Module):
    """torch's scaled_dot_product_attention with a causal mask."""

    def __init__(self):
        super().__init__()
        self.inward = nn.Linear(16, 48)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (part.view(n, length, 2, 8).transpose(1, 2) for part in self.inward(x).chunk(3, -1))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(n, length, width)


class Indexing(nn.Module):
    """where, clamp, gather, roll, flip, stack, masks."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 8)

    def forward(self, x):
        y = torch.where(x > 0, x, x.abs() * 0.5).clamp(-1, 2)
        y = torch.stack([self.head(y), y.flip(-1)], dim=1)
        y = (y - y.amin(-1, keepdim=True))[:, 0, [0, 2, 4]]
        return torch.einsum("bij,bkj->bik", y, y) / (1 + y.pow(2).sum((1, 2))[:, None, None])


ALL = [
    ("residual", Residual, (1, 3, 24, 20)),
    ("mobile_v3", MobileV3, (1, 3, 24, 24)),
    ("segmentation", Segmentation, (1, 1, 16, 24)),
    ("nearest", Nearest, (1, 3, 12, 12)),
    ("shuffle", Shuffle, (1, 3, 16, 16)),
    ("keywords_1d", Keywords1d, (1, 10, 20)),
    ("perceptron", Perceptron, (1, 12)),
    ("lstm", lambda: Recurrent(nn.LSTM), (1, 9, 10)),
    ("lstm_both_ways", lambda: Recurrent(nn.LSTM, bidirectional=True, num_layers=2), (1, 9, 10)),
    ("gru", lambda: Recurrent(nn.GRU), (1, 9, 10)),
    ("gru_both_ways", lambda: Recurrent(nn.GRU, bidirectional=True, batch_first=False), (9, 1, 10)),
    ("rnn", lambda: Recurrent(nn.RNN, nonlinearity="relu"), (1, 9, 10)),
    ("gru_state", LastState, (1, 9, 10)),
    ("lstm_states", States, [(1, 1, 6), (1, 1, 8), (1, 1, 8)]),
    ("conv_gru", ConvGru, (1, 1, 12, 10)),
    ("vision_transformer", VisionTransformer, (1, 3, 16, 16)),
    ("encoder", Encoder, (1, 7, 16)),
    ("decoder", Decoder, "tokens"),
    ("scaled", Scaled, (1, 6, 16)),
    ("indexing", Indexing, (1, 6, 8)),
]
