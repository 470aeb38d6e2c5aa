#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spam or not: a bag of words of SMS messages (UCI's SMS Spam Collection), a dense network with quantised training.

    python examples/train/text_qat.py --data ~/sms --weights ternary
"""
import collections
import io
import pathlib
import re
import sys
import urllib.request
import zipfile

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402

SOURCE = "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip"
CLASSES = ["ham", "spam"]
WORDS, MOST = 400, 3


def messages(folder):
    """[(text, class)] in the file's order."""
    path = pathlib.Path(folder) / "SMSSpamCollection"
    if not path.exists():
        print(f"downloading {SOURCE} to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(SOURCE) as answer:
            path.write_bytes(zipfile.ZipFile(io.BytesIO(answer.read())).read("SMSSpamCollection"))
    lines = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [(text, CLASSES.index(label)) for label, text in lines]


def words(text):
    """Lower-case words; digits become one sign, so that numbers of one length are one word."""
    return re.findall(r"[a-z#']+|[£$!?]", re.sub(r"\d", "#", text.lower()))


def bags(texts, vocabulary):
    """float32 [N, WORDS]: how often each word of the vocabulary is there, MOST at most."""
    places = {word: place for place, word in enumerate(vocabulary)}
    result = torch.zeros(len(texts), WORDS)
    for row, text in zip(result, texts):
        for word, count in collections.Counter(words(text)).items():
            if word in places:
                row[places[word]] = min(count, MOST)
    return result


def load(folder):
    """Four fifths to train with, the rest to test; the vocabulary is the training set's."""
    all_messages = messages(folder)
    order = torch.randperm(len(all_messages), generator=torch.Generator().manual_seed(7)).tolist()
    split = len(order) * 4 // 5
    parts = [[all_messages[i] for i in some] for some in (order[:split], order[split:])]
    seen = collections.Counter(word for text, _ in parts[0] for word in set(words(text)))
    vocabulary = [word for word, _ in sorted(seen.items(), key=lambda entry: (-entry[1], entry[0]))[:WORDS]]
    data = []
    for part in parts:
        data += [bags([text for text, _ in part], vocabulary), torch.tensor([label for _, label in part])]
    return data


def main():
    flags = common.arguments(__doc__, 12, 8).parse_args()
    torch.manual_seed(flags.seed)
    network = nn.Sequential(nn.Linear(WORDS, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))
    return common.run(flags, "spam", network, load(flags.data), CLASSES)


if __name__ == "__main__":
    sys.exit(main())
