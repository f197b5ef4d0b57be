#!/usr/bin/env python3
"""Makes a residual network of CIFAR's size with batch-norm [He 2016], to measure bounds of whole networks on.

    python resnet20.py OUT.onnx

3x3 convolutions of 16, 32 and 64 channels, three blocks each, 32x32 images, a global mean before the last matrix.
Trained for two minutes on synthetic images (ten classes of gratings in noise of a natural spectrum), so that weights
and batch statistics are those of a trained network; it is no classifier of anything real. Needs torch and onnx.

SPDX-License-Identifier: Apache-2.0
"""
import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

STEPS, BATCH, IMAGES, RATE = 120, 64, 4000, 0.05


class Block(nn.Module):
    def __init__(self, before, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity()
        if before != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


def network():
    layers, before = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for channels in (16, 32, 64):
        for block in range(3):
            layers.append(Block(before, channels, 2 if block == 0 and before != channels else 1))
            before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def images(count, generator):
    labels = torch.randint(0, 10, (count,), generator=generator)
    f = torch.fft.fftfreq(32)
    radius = (f[:, None] ** 2 + f ** 2).sqrt().clamp(min=1 / 32)
    noise = torch.fft.ifft2(torch.fft.fft2(torch.randn(count, 3, 32, 32, generator=generator)) / radius).real
    noise = 0.18 * noise / noise.std(dim=(1, 2, 3), keepdim=True)
    down, right = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    angle, frequency = labels % 5 * math.pi / 5, 6.0 + 6 * (labels // 5)
    phase = 2 * math.pi * torch.rand(count, generator=generator)
    along = angle.cos()[:, None, None] * down + angle.sin()[:, None, None] * right
    wave = torch.sin(frequency[:, None, None] * along + phase[:, None, None])
    return (0.5 + noise + 0.1 * wave[:, None] * torch.rand(count, 3, 1, 1, generator=generator)).clamp(0, 1), labels


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(1)
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1, 2 * (1 - step / STEPS)))
    x, labels = images(IMAGES, generator)
    for _ in range(STEPS):
        some = torch.randint(0, IMAGES, (BATCH,), generator=generator)
        loss = F.cross_entropy(model(x[some]), labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.eval()
    x, labels = images(500, generator)
    print(f"accuracy {(model(x).argmax(1) == labels).float().mean():.3f}")
    torch.onnx.export(model, x[:1], sys.argv[1], dynamo=False, opset_version=13)


if __name__ == "__main__":
    main()
