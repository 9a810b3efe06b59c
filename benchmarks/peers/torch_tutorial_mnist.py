"""PyTorch as its own MNIST example writes it, but for the network.

Each picture goes through Pillow, `ToTensor` and `Normalize`, the `DataLoader` makes batches of 64 in the main
process, Adadelta begins at a rate of 1 that an epoch multiplies by 0.7; all in fp32. The example trains 14
epochs.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from plain_torch import accuracy, lecture
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.optim import Adadelta
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, DEVIATION = 0.1307, 0.3081
TRANSFORM = transforms.Compose([transforms.ToTensor(), transforms.Normalize((MEAN,), (DEVIATION,))])


class Digits(Dataset[tuple[Tensor, int]]):
    """Decoded digits in memory, given out as torchvision's own MNIST does."""

    def __init__(self, pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self._pictures, self._labels = pictures[..., 0], labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return TRANSFORM(Image.fromarray(self._pictures[index])), int(self._labels[index])


def trained(digits: Digits, epochs: int) -> nn.Module:
    loader = DataLoader(digits, batch_size=64, shuffle=True)
    model = lecture()
    optimizer = Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    for _ in range(epochs):
        model.train()
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
        scheduler.step()
    return model


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--epochs", type=int, required=True)
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    pictures = arrays(given.data)
    trained(Digits(pictures.x_train[:64], pictures.y_train[:64]), epochs=1)
    torch.manual_seed(given.seed)

    began = time.perf_counter()
    model = trained(Digits(pictures.x_train, pictures.y_train), given.epochs)
    seconds = time.perf_counter() - began

    tests = torch.from_numpy(pictures.x_test).permute(0, 3, 1, 2).float().div(255).sub(MEAN).div(DEVIATION)
    tell(
        seconds=seconds,
        accuracy=accuracy(model, tests, torch.from_numpy(pictures.y_test)),
        threads=torch.get_num_threads(),
        packages=("torch", "torchvision", "numpy"),
        remark=f"fp32, {given.epochs} epochs",
    )


if __name__ == "__main__":
    main()
