"""The published training step in PyTorch, as fast as plain PyTorch takes it on a CPU: the peer of `racer train`.

    python3 pytorch_step.py WEIGHTS PICTURES NOISE THREADS

WEIGHTS is a safetensors file of float32, PICTURES [N][3][128][128] and NOISE [9][N][2] are files of float32.
Picture i is of class i modulo the classes. For every line "STEPS" it takes so many steps and prints their mean
milliseconds and the last one's loss.
"""

import json
import math
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 8
GLIMPSE = 12
LIMIT = 0.90625  # how far from the middle a place may lie
REACH = 0.75  # of a step to the next place
SMALLEST, LARGEST = math.exp(-0.5), math.exp(0.5)  # standard deviations of the policy


def load(path):
    """Reads the float32 tensors of a safetensors file."""
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = bytearray(f.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=torch.float32, count=math.prod(t["shape"]), offset=t["data_offsets"][0]).reshape(t["shape"]).clone()
        for name, t in header.items()
        if t["dtype"] == "F32"
    }


class Network(nn.Module):
    """The modules carry the published names, so that the weights load by them."""

    def __init__(self, classes):
        super().__init__()
        block = lambda *layers: nn.ModuleDict(dict(layers))
        conv = lambda i, o: nn.Conv2d(i, o, 3, padding=1)
        pool = lambda: nn.MaxPool2d(2)
        self.glimpse_net = block(
            ("fc_g", nn.Sequential(conv(12, 128), nn.BatchNorm2d(128), nn.ReLU(), pool(), conv(128, 256), nn.BatchNorm2d(256), nn.ReLU(), pool())),
            ("fc_l", nn.Sequential(nn.Linear(2, 128), nn.ReLU())),
            ("fc_gg", nn.Linear(2304, 128)),
            ("fc_lg", nn.Linear(128, 128)),
        )
        self.rnn1 = block(("lstm_cell", nn.LSTMCell(128, 128)))
        self.rnn2 = block(
            ("lstm_cell", nn.LSTMCell(128, 128)),
            ("context_net1", nn.Sequential(conv(3, 64), nn.ReLU(), pool())),
            ("context_net2", nn.Sequential(conv(64, 64), nn.ReLU(), pool())),
            ("fc", nn.Linear(576, 128)),
        )
        self.class_net = block(("fc", nn.Sequential(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, classes))))
        self.emission_net = block(
            ("fc", nn.Sequential(nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU())),
            ("mu_net", nn.Sequential(nn.Linear(256, 2), nn.Tanh())),
            ("logvar_net", nn.Sequential(nn.Linear(256, 2), nn.Tanh())),
        )
        self.baseline_net = block(("fc", nn.Sequential(nn.Linear(256, 256), nn.Linear(256, 1))))

        base = (torch.arange(GLIMPSE) * 2 / 11 - 1) * (11 / 12)
        zoom = 12 / 127 * 2.0 ** torch.arange(4)
        row = base.view(1, GLIMPSE, 1) * zoom.view(4, 1, 1)
        column = base.view(1, 1, GLIMPSE) * zoom.view(4, 1, 1)
        # [4 scales * 12 rows][12 columns][x, y]
        self.grid = torch.stack([column.expand(4, GLIMPSE, GLIMPSE), row.expand(4, GLIMPSE, GLIMPSE)], -1).reshape(1, 4 * GLIMPSE, GLIMPSE, 2)
        self.picked = (torch.arange(GLIMPSE) * 128).div(GLIMPSE, rounding_mode="floor")

    def sense(self, images, place):
        """[N][12 channels][12][12]; channel 3k + colour is a colour at scale k."""
        n = len(images)
        with torch.no_grad():
            seen = F.grid_sample(images, self.grid + place.view(n, 1, 1, 2), align_corners=False)
            seen = seen.reshape(n, 3, 4, GLIMPSE, GLIMPSE).transpose(1, 2).reshape(n, 12, GLIMPSE, GLIMPSE)
            return seen.contiguous(memory_format=torch.channels_last)

    def emit(self, h2, noise):
        z = self.emission_net["fc"](h2.detach())
        mu, std = self.emission_net["mu_net"](z), torch.exp(self.emission_net["logvar_net"](z) / 2)
        out = (mu + std * noise).clamp(-1, 1).detach()
        log_prob = (-((out - mu) ** 2) / (2 * std**2) - std.log() - math.log(2 * math.pi) / 2).sum(1)
        return out, std, log_prob

    def forward(self, images, noise):
        """Logits, and the log-probabilities and baselines of every look, [8][N]."""
        net = self.glimpse_net
        h1 = c1 = c2 = images.new_zeros(len(images), 128)
        thumbnail = images[:, :, self.picked][:, :, :, self.picked].contiguous(memory_format=torch.channels_last)
        h2 = self.rnn2["fc"](self.rnn2["context_net2"](self.rnn2["context_net1"](thumbnail)).flatten(1))
        out, std, log_prob = self.emit(h2, noise[0])
        place, weight = out.clamp(-LIMIT, LIMIT), images.new_ones(len(images), 1)
        log_probs, baselines, total, weights = [], [], 0, 0
        for step in range(STEPS):
            log_probs.append(log_prob)
            what = net["fc_gg"](net["fc_g"](self.sense(images, place)).flatten(1))
            feature = torch.relu(what * net["fc_lg"](net["fc_l"](place)))
            h1, c1 = self.rnn1["lstm_cell"](feature, (h1, c1))
            h2, c2 = self.rnn2["lstm_cell"](h1, (h2, c2))
            out, std, log_prob = self.emit(h2, noise[step + 1])
            place = (place + REACH * out).clamp(-LIMIT, LIMIT)
            baselines.append(torch.sigmoid(self.baseline_net["fc"](torch.cat([h1, h2], 1).detach())).squeeze(1))
            total = total + weight * self.class_net["fc"](h1)
            weights = weights + weight
            weight = 1 - (std.mean(1, keepdim=True) - SMALLEST) / (LARGEST - SMALLEST)
        return total / weights, torch.stack(log_probs), torch.stack(baselines)


def loss(logits, log_probs, baselines, labels):
    reward = (logits.argmax(1) == labels).float().expand_as(baselines)
    reinforce = (-log_probs * (reward - baselines.detach())).sum(0).mean()
    return F.cross_entropy(logits, labels) + F.mse_loss(baselines, reward) + reinforce


def main(weights, pictures, noise, threads):
    torch.set_num_threads(int(threads))
    weights = load(weights)
    classes = len(weights["class_net.fc.2.bias"])
    network = Network(classes)
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise SystemExit(f"{sys.argv[1]} is not this network: missing {missing}, unexpected {unexpected}")
    network.to(memory_format=torch.channels_last)
    images = torch.from_file(pictures, size=size(pictures)).reshape(-1, 3, 128, 128).contiguous(memory_format=torch.channels_last)
    noise = torch.from_file(noise, size=size(noise)).reshape(STEPS + 1, len(images), 2)
    labels = torch.arange(len(images)) % classes
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            adam.zero_grad(set_to_none=True)
            value = loss(*network(images, noise), labels)
            value.backward()
            adam.step()
        took = (time.perf_counter() - start) * 1000 / int(line)
        print(f"{took:.6f} {value.item():.9g}", flush=True)


def size(path):
    """How many float32 a file holds."""
    with open(path, "rb") as f:
        return f.seek(0, 2) // 4


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
