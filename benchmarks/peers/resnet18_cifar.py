"""ResNet-18 for 32×32 pictures under the standard recipe, some steps of it; the rest is extrapolated.

The first convolution is 3×3 and no pooling follows it; SGD at 0.1, momentum 0.9, weight decay 5e-4, batch
128, cosine schedule over 200 epochs, crops of pictures padded by 4, mirroring. Seconds are the median step's
times the steps of `--epochs` epochs: with fewer than the recipe's 200 that is a lower estimate, and no
accuracy is measured.
"""

import time
from contextlib import nullcontext
from math import ceil
from statistics import median

import torch
import torch.nn.functional as F
from plain_torch import autocast
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR
from torchvision.models import resnet18

BATCH, EPOCHS, PADDING = 128, 200, 4
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


def network() -> nn.Module:
    model = resnet18(num_classes=10)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


def augmented(inputs: Tensor) -> Tensor:
    """A batch (N, C, H, W), each picture cropped and mirrored by its own chance."""
    size = inputs.shape[-1]
    padded = F.pad(inputs, (PADDING,) * 4)
    moved = [
        one[:, down : down + size, across : across + size]
        for one, (down, across) in zip(
            padded, torch.randint(2 * PADDING + 1, (len(inputs), 2)).tolist(), strict=True
        )
    ]
    batch = torch.stack(moved)
    mirrored = (torch.rand(len(batch)) < 0.5).view(-1, 1, 1, 1)
    return torch.where(mirrored, batch.flip(-1), batch)


def step_seconds(inputs: Tensor, labels: Tensor, steps: int, in_bf16: bool) -> list[float]:
    """How long each of some training steps takes, after two that aren't counted."""
    layout = torch.channels_last if in_bf16 else torch.contiguous_format
    model = network().to(memory_format=layout)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    CosineAnnealingLR(optimizer, T_max=EPOCHS)  # it changes nothing within an epoch
    model.train()
    seconds: list[float] = []
    order = torch.randperm(len(inputs)).repeat(ceil((steps + 2) * BATCH / len(inputs)))
    for chosen in order.split(BATCH)[: steps + 2]:
        began = time.perf_counter()
        batch = augmented(inputs[chosen]).contiguous(memory_format=layout)
        with autocast() if in_bf16 else nullcontext():
            scores = model(batch)
        loss = F.cross_entropy(scores.float(), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - began)
    return seconds[2:]


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--steps", type=int, default=20)
    words.add_argument("--epochs", type=int, required=True)
    words.add_argument("--bf16", action="store_true")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    pictures = arrays(given.data)
    labels = torch.from_numpy(pictures.y_train)
    mean, deviation = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(DEVIATION).view(3, 1, 1)
    inputs = torch.from_numpy(pictures.x_train).permute(0, 3, 1, 2).float().div(255).sub(mean).div(deviation)
    torch.manual_seed(given.seed)
    step = median(step_seconds(inputs.contiguous(), labels, given.steps, given.bf16))
    epoch = step * ceil(len(inputs) / BATCH)
    tell(
        seconds=epoch * given.epochs,
        accuracy=None,
        threads=torch.get_num_threads(),
        packages=("torch", "torchvision", "numpy"),
        step_seconds=step,
        epoch_seconds=epoch,
    )


if __name__ == "__main__":
    main()
