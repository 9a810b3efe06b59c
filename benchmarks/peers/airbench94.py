"""airbench94 in its fastest published form (Jordan 2024, cifar10-airbench's `airbench94_muon.py`), on CPUs.

Written anew from the published description: a frozen layer that whitens 2×2 patches, three groups of two
convolutions begun as identities, batch norms without scales, filters of a set norm that step along the
orthogonal part of their momentum (Muon), Nesterov momentum for the rest, rates that fall in a line, smoothed
labels, alternating flip, translation by 2 pixels, and six views of each tested picture. fp16 on a GPU became
bf16 under autocast, channels-last; nothing else was changed. The paper's own recipe (arXiv:2404.00498), by
momentum and Lookahead, takes 9.9 epochs where this one takes 8.
"""

import time
from math import ceil, sqrt
from typing import Any

import torch
import torch.nn.functional as F
from plain_torch import autocast
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BATCH, DECAY, SMOOTHING, SHIFT = 2000, 2e-6 * 2000, 0.2, 2
WIDTHS, NORM_MOMENTUM = (64, 256, 256), 0.6
WHITENING_PICTURES, WHITENING_EPSILON, WHITENING_BIAS_EPOCHS = 5000, 5e-4, 3
FILTER_RATE, FILTER_MOMENTUM = 0.24, 0.6
BIAS_RATE, HEAD_RATE, MOMENTUM = 0.053, 0.67, 0.85
QUINTIC, ROUNDS = (3.4445, -4.7750, 2.0315), 3


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


class Head(nn.Linear):
    """Scores divided by the number of features."""

    def __init__(self, depth: int, classes: int) -> None:
        super().__init__(depth, classes, bias=False)
        self.weight.data /= self.weight.data.std()

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) / self.in_features


def network(inputs: Tensor, classes: int = 10) -> nn.Sequential:
    """The network; its first layer whitens the patches of these normalised pictures (N, 3, H, W)."""
    whitening = nn.Conv2d(3, 24, 2)
    whitening.weight.data.copy_(whitening_filters(inputs))
    whitening.weight.requires_grad = False
    nn.init.zeros_(whitening.bias)
    depths = (24, *WIDTHS)
    groups = [group(depth, filters) for depth, filters in zip(depths, WIDTHS, strict=False)]
    head = (nn.MaxPool2d(3), nn.Flatten(), Head(WIDTHS[-1], classes))
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


class Muon(Optimizer):
    """Filters (K, depth, 3, 3): set to a norm of √K, then moved by the orthogonal part of their momentum."""

    def __init__(self, filters: list[nn.Parameter]) -> None:
        super().__init__(filters, {"lr": FILTER_RATE})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for weight in group["params"]:
                momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                momentum.mul_(FILTER_MOMENTUM).add_(weight.grad)
                ahead = weight.grad.add(momentum, alpha=FILTER_MOMENTUM)
                weight.mul_(sqrt(len(weight)) / weight.norm())
                weight.add_(orthogonal(ahead.flatten(1)).view_as(weight), alpha=-group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest orthogonal matrix, by Newton and Schulz's iteration with a steeper quintic."""
    a, b, c = QUINTIC
    is_tall = len(matrix) > matrix.shape[1]
    turned = (matrix.mT if is_tall else matrix).bfloat16()
    turned = turned / (turned.norm() + 1e-7)
    for _ in range(ROUNDS):
        gram = turned @ turned.mT
        turned = a * turned + (b * gram + c * gram @ gram) @ turned
    return turned.mT if is_tall else turned


def optimizers_of(model: nn.Sequential) -> tuple[Optimizer, Optimizer, Optimizer]:
    """For the whitening's bias, whose rate falls sooner; for other biases and the head; and for filters."""
    filters = [one for one in model.parameters() if one.ndim == 4 and one.requires_grad]
    norms = [module.bias for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    rates = [(norms, BIAS_RATE), ([model[-1].weight], HEAD_RATE)]
    rest = [{"params": those, "lr": rate, "weight_decay": DECAY / rate} for those, rate in rates]
    first = {"params": [model[0].bias], "lr": BIAS_RATE, "weight_decay": DECAY / BIAS_RATE}
    sgd = (SGD(groups, momentum=MOMENTUM, nesterov=True, fused=True) for groups in ([first], rest))
    return (*sgd, Muon(filters))


def falling(optimizer: Optimizer, steps: int) -> LambdaLR:
    """Rates that fall to 0 in a line."""
    return LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))


def trained(pictures: Tensor, labels: Tensor, epochs: float) -> nn.Module:
    inputs = normalised(pictures)
    model = network(inputs[:WHITENING_PICTURES])
    shown = Shown(inputs, labels)
    whole = len(inputs) // BATCH
    steps, first_steps = ceil(whole * epochs), whole * WHITENING_BIAS_EPOCHS
    optimizers = optimizers_of(model)
    lengths = (first_steps, steps, steps)
    schedulers = [falling(one, length) for one, length in zip(optimizers, lengths, strict=True)]
    step = 0
    model.train()
    for epoch in range(ceil(epochs)):
        for batch, wanted in shown.batches(epoch):
            model[0].bias.requires_grad = step < first_steps
            with autocast():
                scores = model(batch)
            F.cross_entropy(scores.float(), wanted, label_smoothing=SMOOTHING, reduction="sum").backward()
            for one in (*optimizers, *schedulers):
                one.step()
            model.zero_grad(set_to_none=True)
            step += 1
            if step == steps:
                break
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
