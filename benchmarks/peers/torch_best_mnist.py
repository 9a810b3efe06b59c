"""PyTorch as someone writes it who wants speed and knows no more than PyTorch's own performance guide.

All pictures lie normalised and channels-last in one tensor, batches are taken from it by index, the model
computes in bf16 under autocast, channels-last, and a fused AdamW follows `OneCycleLR`.
"""

import time

import torch
import torch.nn.functional as F
from plain_torch import accuracy, autocast, lecture
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR


def normalised(pictures: Tensor) -> Tensor:
    """(N, H, W, C) bytes as floats (N, C, H, W), channels-last."""
    return pictures.permute(0, 3, 1, 2).float().div_(255).sub_(0.1307).div_(0.3081)


def trained(pictures: Tensor, labels: Tensor, batch: int, epochs: int, lr: float) -> nn.Module:
    inputs = normalised(pictures)
    model = lecture().to(memory_format=torch.channels_last)
    optimizer = AdamW(model.parameters(), lr=lr, fused=True)
    steps = -(-len(inputs) // batch)
    scheduler = OneCycleLR(optimizer, max_lr=lr, total_steps=max(2, steps * epochs))
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(inputs)).split(batch):
            with autocast():
                scores = model(inputs[chosen].contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores.float(), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()
    return model


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--epochs", type=int, required=True)
    words.add_argument("--batch", type=int, default=64)
    words.add_argument("--lr", type=float, default=0.003)
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, arrays(given.data))
    trained(x_train[:64], y_train[:64], given.batch, epochs=1, lr=given.lr)
    torch.manual_seed(given.seed)

    began = time.perf_counter()
    model = trained(x_train, y_train, given.batch, given.epochs, given.lr)
    seconds = time.perf_counter() - began

    tell(
        seconds=seconds,
        accuracy=accuracy(model, normalised(x_test), y_test),
        threads=torch.get_num_threads(),
        packages=("torch", "numpy"),
        remark=f"epochs {given.epochs}, batch {given.batch}, rate {given.lr:g}",
    )


if __name__ == "__main__":
    main()
