"""airbench94 (Jordan, 94 % on CIFAR-10 in 3.29 seconds, 2024, arXiv:2404.00498) on the CPU in bf16.

Written anew from the published description: a frozen layer that whitens 2×2 patches, three groups of two
convolutions begun as identities, batch norms without scales whose biases learn 64 times faster, Nesterov
momentum with decoupled rates, smoothed labels, alternating flip, translation by 2 pixels, Lookahead, and six
views of each tested picture. fp16 on a GPU became bf16 under autocast, channels-last; nothing else was
changed.
"""

import time
from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from plain_torch import autocast
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BATCH, RATE, MOMENTUM, DECAY = 1024, 11.5, 0.85, 0.0153
BIAS_SCALER, SMOOTHING, SHIFT = 64.0, 0.2, 2
WIDTHS, SCORE_SCALE, NORM_MOMENTUM = (64, 256, 256), 1 / 9, 0.6
WHITENING_PICTURES, WHITENING_EPSILON, WHITENING_BIAS_EPOCHS = 5000, 5e-4, 3
LOOKAHEAD_EPOCHS, LOOKAHEAD_STEPS, LOOKAHEAD_BASE, LOOKAHEAD_POWER = 3, 5, 0.95, 3.0
RATE_START, RATE_PEAK_AT, RATE_END = 0.2, 0.23, 0.07


class Identity(nn.Conv2d):
    """A 3×3 convolution whose first filters begin as the identity."""

    def __init__(self, depth: int, filters: int) -> None:
        super().__init__(depth, filters, 3, padding=1, bias=False)
        nn.init.dirac_(self.weight.data[:depth])


def norm(depth: int) -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(depth, eps=1e-12, momentum=1 - NORM_MOMENTUM)
    made.weight.requires_grad = False
    return made


def group(depth: int, filters: int) -> nn.Sequential:
    first = (Identity(depth, filters), nn.MaxPool2d(2), norm(filters), nn.GELU())
    return nn.Sequential(*first, Identity(filters, filters), norm(filters), nn.GELU())


class Scaled(nn.Module):
    """Scores made smaller by a fixed factor."""

    def forward(self, scores: Tensor) -> Tensor:
        return scores * SCORE_SCALE


def network(inputs: Tensor, classes: int = 10) -> nn.Sequential:
    """The network; its first layer whitens the patches of these normalised pictures (N, 3, H, W)."""
    whitening = nn.Conv2d(3, 24, 2)
    whitening.weight.data.copy_(whitening_filters(inputs))
    whitening.weight.requires_grad = False
    nn.init.zeros_(whitening.bias)
    depths = (24, *WIDTHS)
    groups = [group(depth, filters) for depth, filters in zip(depths, WIDTHS, strict=False)]
    head = (nn.MaxPool2d(3), nn.Flatten(), nn.Linear(WIDTHS[-1], classes, bias=False), Scaled())
    return nn.Sequential(whitening, nn.GELU(), *groups, *head).to(memory_format=torch.channels_last)


def whitening_filters(inputs: Tensor) -> Tensor:
    """(24, 3, 2, 2): the patches' principal directions, divided by their deviations, and their negatives."""
    patches = F.unfold(inputs, 2).transpose(1, 2).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + WHITENING_EPSILON)).T.flip(0).reshape(12, 3, 2, 2)
    return torch.cat([filters, -filters])


def normalised(pictures: Tensor) -> Tensor:
    """(N, H, W, C) bytes as floats (N, C, H, W), channels-last."""
    mean, deviation = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(DEVIATION).view(3, 1, 1)
    return pictures.permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(deviation)


class Shown:
    """The training pictures epoch by epoch: mirrored by chance once, then all together every other epoch."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        mirrored = (torch.rand(len(inputs)) < 0.5).view(-1, 1, 1, 1)
        inputs = torch.where(mirrored, inputs.flip(-1), inputs)
        padded = F.pad(inputs, (SHIFT,) * 4, "reflect").bfloat16()
        self._padded = padded.contiguous(memory_format=torch.channels_last)
        self._labels, self._size = labels, inputs.shape[-1]

    def batches(self, epoch: int) -> Any:
        """Whole batches; what is left over isn't shown in this epoch."""
        order = torch.randperm(len(self._labels))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            shifted = self._shifted(self._padded[chosen])
            yield shifted.flip(-1) if epoch % 2 else shifted, self._labels[chosen]

    def _shifted(self, padded: Tensor) -> Tensor:
        size, places = self._size, 2 * SHIFT + 1
        down, across = torch.randint(places, (2, len(padded)))
        shifted = torch.empty_like(padded[..., :size, :size])
        for i in range(places):
            for j in range(places):
                those = (down == i) & (across == j)
                shifted[those] = padded[those, :, i : i + size, j : j + size]
        return shifted.contiguous(memory_format=torch.channels_last)


class Lookahead:
    """A running mean of all weights and statistics that is now and then put back into the network."""

    def __init__(self, model: nn.Module) -> None:
        self._mean = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def update(self, model: nn.Module, decay: float) -> None:
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                self._mean[name].lerp_(tensor, 1 - decay)
                tensor.copy_(self._mean[name])


def optimizer_of(model: nn.Module) -> SGD:
    # The loss is a sum over the batch, and Nesterov's momentum makes steps of this scale of its gradients.
    scale = 1024 * (1 + 1 / (1 - MOMENTUM))
    rate, decay = RATE / scale, DECAY * BATCH / scale
    norms = [module.bias for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    biases = {id(bias) for bias in norms}
    others = [one for one in model.parameters() if one.requires_grad and id(one) not in biases]
    groups = [
        {"params": norms, "lr": rate * BIAS_SCALER, "weight_decay": decay / (rate * BIAS_SCALER)},
        {"params": others, "lr": rate, "weight_decay": decay / rate},
    ]
    return SGD(groups, momentum=MOMENTUM, nesterov=True)


def rate_at(step: int, steps: int) -> float:
    """Which part of the highest rate a step takes: up in a line, then down in a line."""
    peak = int(RATE_PEAK_AT * steps)
    if step < peak:
        return RATE_START + (1 - RATE_START) * step / peak
    return 1 + (RATE_END - 1) * (step - peak) / max(1, steps - peak)


def trained(pictures: Tensor, labels: Tensor, epochs: float) -> nn.Module:
    inputs = normalised(pictures)
    model = network(inputs[:WHITENING_PICTURES])
    shown = Shown(inputs, labels)
    steps = ceil(len(inputs) // BATCH * epochs)
    optimizer = optimizer_of(model)
    scheduler = LambdaLR(optimizer, lambda step: rate_at(step, steps))
    lookahead, step = None, 0
    model.train()
    for epoch in range(ceil(epochs)):
        model[0].bias.requires_grad = epoch < WHITENING_BIAS_EPOCHS
        for batch, wanted in shown.batches(epoch):
            with autocast():
                scores = model(batch)
            loss = F.cross_entropy(scores.float(), wanted, label_smoothing=SMOOTHING, reduction="sum")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()
            step += 1
            if epoch >= LOOKAHEAD_EPOCHS and step % LOOKAHEAD_STEPS == 0:
                if lookahead is None:
                    lookahead = Lookahead(model)
                else:
                    decay = LOOKAHEAD_BASE**LOOKAHEAD_STEPS * (step / steps) ** LOOKAHEAD_POWER
                    lookahead.update(model, decay)
            if step == steps:
                break
        if lookahead is not None:
            lookahead.update(model, 1.0)
    return model


@torch.no_grad()
def scores_of(model: nn.Module, inputs: Tensor, views: bool) -> Tensor:
    """The scores of normalised pictures, or the mean of six views of each, mirrored and moved by a pixel."""
    model.eval()

    def seen(part: Tensor) -> Tensor:
        with autocast():
            return model(part.contiguous(memory_format=torch.channels_last)).float()

    def both(part: Tensor) -> Tensor:
        return (seen(part) + seen(part.flip(-1))) / 2

    scores: list[Tensor] = []
    for part in inputs.split(1000):
        if not views:
            scores.append(seen(part))
            continue
        size = part.shape[-1]
        padded = F.pad(part, (1,) * 4, "reflect")
        moved = (both(padded[..., :size, :size]) + both(padded[..., 2:, 2:])) / 2
        scores.append((both(part) + moved) / 2)
    return torch.cat(scores)


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--epochs", type=float, default=8.0)
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, arrays(given.data))
    trained(x_train[:BATCH], y_train[:BATCH], epochs=1)
    torch.manual_seed(given.seed)

    began = time.perf_counter()
    model = trained(x_train, y_train, given.epochs)
    seconds = time.perf_counter() - began

    tests = normalised(x_test)
    accuracy, plain = (
        (scores_of(model, tests, views).argmax(1) == y_test).float().mean().item() for views in (True, False)
    )
    tell(
        seconds=seconds,
        accuracy=accuracy,
        threads=torch.get_num_threads(),
        packages=("torch", "numpy"),
        one_view_accuracy=plain,
    )


if __name__ == "__main__":
    main()
