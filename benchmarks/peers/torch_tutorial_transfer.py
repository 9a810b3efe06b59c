"""PyTorch as its tutorial "Transfer Learning for Computer Vision" writes it, which trains on these pictures.

SGD at 0.001, momentum 0.9, a tenth of it every 7 epochs, 25 epochs, batch 4, four processes that decode,
random crops and mirroring; the best epoch's weights are kept. `--frozen` is its second part: the ConvNet as
fixed feature extractor. The network is EfficientNet-Lite0 in place of ResNet-18.
"""

import copy
import time

import torch
from lite0 import DEVIATION, MEAN, SIDE, efficientnet_lite0
from protocol import parser, tell
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

BATCH, WORKERS, LARGER = 4, 4, 256
BOTH = [transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)]
TRANSFORMS = {
    "train": [transforms.RandomResizedCrop(SIDE), transforms.RandomHorizontalFlip(), *BOTH],
    "val": [transforms.Resize(LARGER), transforms.CenterCrop(SIDE), *BOTH],
}


def epoch(model: nn.Module, loader: DataLoader, optimizer: SGD | None) -> float:
    """One pass, with steps where there is an optimizer; the fraction that was told right during it."""
    training = optimizer is not None
    model.train(training)
    hits = count = 0
    for inputs, labels in loader:
        with torch.set_grad_enabled(training):
            scores = model(inputs)
            loss = nn.functional.cross_entropy(scores, labels)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        hits += int((scores.argmax(1) == labels).sum())
        count += len(labels)
    return hits / count


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--weights", required=True)
    words.add_argument("--epochs", type=int, default=25)
    words.add_argument("--frozen", action="store_true")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)

    began = time.perf_counter()
    folders = {
        split: ImageFolder(str(given.data / split), transforms.Compose(steps))
        for split, steps in TRANSFORMS.items()
    }
    loaders = {
        split: DataLoader(folder, batch_size=BATCH, shuffle=True, num_workers=WORKERS)
        for split, folder in folders.items()
    }
    model = efficientnet_lite0(given.weights)
    model.requires_grad_(not given.frozen)
    model.classifier = nn.Linear(model.classifier.in_features, len(folders["train"].classes))
    learned = model.classifier if given.frozen else model
    optimizer = SGD(learned.parameters(), lr=0.001, momentum=0.9)
    scheduler = StepLR(optimizer, step_size=7, gamma=0.1)
    best, accuracies = copy.deepcopy(model.state_dict()), [0.0]
    for _ in range(given.epochs):
        epoch(model, loaders["train"], optimizer)
        scheduler.step()
        accuracy = epoch(model, loaders["val"], None)
        if accuracy > max(accuracies):
            best = copy.deepcopy(model.state_dict())
        accuracies.append(accuracy)
    model.load_state_dict(best)
    seconds = time.perf_counter() - began

    tell(
        seconds=seconds,
        accuracy=max(accuracies),
        last_accuracy=accuracies[-1],
        threads=torch.get_num_threads(),
        packages=("torch", "torchvision", "timm"),
        remark=f"fp32, {given.epochs} epochs, {len(folders['train'])} pictures, for a GIF isn't read",
    )


if __name__ == "__main__":
    main()
