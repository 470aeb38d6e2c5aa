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


def bags(texts, known):
    """float32 [N, WORDS]: how often each known word is there, MOST at most."""
    places = {word: place for place, word in enumerate(known)}
    result = torch.zeros(len(texts), WORDS)
    for row, text in zip(result, texts):
        for word, count in collections.Counter(words(text)).items():
            if word in places:
                row[places[word]] = min(count, MOST)
    return result


def split(all_messages):
    """Four fifths to train with, the rest to test, in an order of chance that is always the same."""
    order = torch.randperm(len(all_messages), generator=torch.Generator().manual_seed(7)).tolist()
    end = len(order) * 4 // 5
    return [[all_messages[i] for i in some] for some in (order[:end], order[end:])]


def vocabulary(training):
    """The words of most messages; of equals the first by the alphabet."""
    seen = collections.Counter(word for text, _ in training for word in set(words(text)))
    return [word for word, _ in sorted(seen.items(), key=lambda entry: (-entry[1], entry[0]))[:WORDS]]


def load(folder):
    """The vocabulary is the training set's."""
    parts = split(messages(folder))
    known = vocabulary(parts[0])
    data = []
    for part in parts:
        data += [bags([text for text, _ in part], known), torch.tensor([label for _, label in part])]
    return data


def network():
    return nn.Sequential(nn.Linear(WORDS, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))


TASK = common.Task("spam", CLASSES, load, network, 12, 8)

if __name__ == "__main__":
    sys.exit(common.main(__doc__, TASK))
