"""fastai's defaults for a given time: `xresnet18` from new weights, `Learner`, `fit_one_cycle`, batch 64.

`vision_learner` begins with weights from the network, which a comparison from scratch can't have. Digits are
shown as they are; coloured pictures go through `aug_transforms()`, and photographs through a random crop to
128 as the book has it. The number of epochs is what the time allows, by the time of some steps before the
clock starts.
"""

import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.callback.schedule import fit_one_cycle  # noqa: F401 - gives Learner its method
    from fastai.data.core import DataLoaders
    from fastai.data.transforms import IntToFloatTensor, Normalize
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.torch_core import TensorCategory, TensorImage, set_seed
    from fastai.vision.augment import RandomResizedCropGPU, aug_transforms
    from fastai.vision.models.xresnet import xresnet18

import torch
from fastai_parts import Deadline, Untested
from protocol import Arrays, arrays, parser, tell
from torch import Tensor

BATCH, SIDE, PHOTO = 64, 128, 64
TRIAL_SECONDS = 10.0


class Rows:
    """Pictures and labels in memory, one at a time, as fastai's loaders ask for them."""

    def __init__(self, pictures: Tensor, labels: Tensor) -> None:
        self._pictures, self._labels = pictures.permute(0, 3, 1, 2).contiguous(), labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[TensorImage, TensorCategory]:
        return TensorImage(self._pictures[index]), TensorCategory(self._labels[index])


def learner_of(pictures: Arrays, deadline: Deadline) -> Learner:
    x_train, y_train, x_test, y_test = map(torch.from_numpy, pictures)
    depth, is_photo = x_train.shape[-1], x_train.shape[1] > PHOTO
    scaled = x_train.reshape(-1, depth).float().div(255)
    shape = (1, depth, 1, 1)
    transforms = [IntToFloatTensor()]
    transforms += [RandomResizedCropGPU(SIDE, min_scale=0.5)] if is_photo else []
    transforms += aug_transforms() if depth == 3 else []
    transforms += [Normalize(scaled.mean(0).view(shape), scaled.std(0).view(shape))]
    loaders = DataLoaders.from_dsets(
        Rows(x_train, y_train),
        Rows(x_test, y_test),
        bs=BATCH,
        num_workers=0,
        device=torch.device("cpu"),
        after_batch=transforms,
    )
    model = xresnet18(n_out=int(y_train.max()) + 1, c_in=depth)
    return Learner(loaders, model, loss_func=CrossEntropyLossFlat(), cbs=[Untested(), deadline])


def fit(learner: Learner, epochs: int) -> None:
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs)


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--seconds", type=float, required=True)
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    pictures = arrays(given.data)
    trial = Deadline(min(TRIAL_SECONDS, given.seconds))
    fit(learner_of(pictures, trial), epochs=1000)
    steps = max(1, len(pictures.y_train) // BATCH)
    epochs = max(1, round(given.seconds * trial.rate / steps))
    set_seed(given.seed)

    began = time.perf_counter()
    deadline = Deadline(given.seconds)
    learner = learner_of(pictures, deadline)
    fit(learner, epochs)
    seconds = time.perf_counter() - began

    with learner.no_bar(), learner.removed_cbs(learner.untested):
        scores, labels = learner.get_preds(ds_idx=1)
    tell(
        seconds=seconds,
        accuracy=(scores.argmax(1) == labels).float().mean().item(),
        threads=torch.get_num_threads(),
        packages=("fastai", "torch", "numpy"),
        epochs=deadline.steps / steps,
    )


if __name__ == "__main__":
    main()
