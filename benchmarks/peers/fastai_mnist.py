"""fastai: a `Learner` at its defaults, `fit_one_cycle`, batch 64, on normalised digits that lie in memory."""

import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.callback.schedule import fit_one_cycle  # noqa: F401 - gives Learner its method
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat

import torch
from fastai_parts import Untested
from plain_torch import accuracy, lecture
from protocol import arrays, parser, tell
from torch import Tensor, nn
from torch.utils.data import TensorDataset


def normalised(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 3, 1, 2).float().div(255).sub(0.1307).div(0.3081).contiguous()


def trained(pictures: Tensor, labels: Tensor, epochs: int) -> nn.Module:
    rows = TensorDataset(normalised(pictures), labels)
    loaders = DataLoaders.from_dsets(rows, rows, bs=64, shuffle=True, num_workers=0, device="cpu")
    learner = Learner(loaders, lecture(), loss_func=CrossEntropyLossFlat(), cbs=[Untested()])
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs)
    return learner.model


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--epochs", type=int, required=True)
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, arrays(given.data))
    trained(x_train[:128], y_train[:128], epochs=1)
    torch.manual_seed(given.seed)

    began = time.perf_counter()
    model = trained(x_train, y_train, given.epochs)
    seconds = time.perf_counter() - began

    tell(
        seconds=seconds,
        accuracy=accuracy(model, normalised(x_test), y_test),
        threads=torch.get_num_threads(),
        packages=("fastai", "torch", "numpy"),
        remark=f"fp32, {given.epochs} epochs",
    )


if __name__ == "__main__":
    main()
