"""fastai as the second chapter of its book trains on small folders of photographs.

`RandomResizedCrop(224, min_scale=0.5)`, `aug_transforms()`, `vision_learner` and `fine_tune(4)`: one epoch of
the head, then four of all at rates that are smaller for what lies deeper; batch 64. The network is
EfficientNet-Lite0 in place of ResNet-18.
"""

import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.callback.schedule import fine_tune  # noqa: F401 - gives Learner its method
    from fastai.data.block import CategoryBlock, DataBlock
    from fastai.data.transforms import GrandparentSplitter, Normalize, get_image_files, parent_label
    from fastai.metrics import accuracy
    from fastai.torch_core import set_seed
    from fastai.vision.augment import RandomResizedCrop, aug_transforms
    from fastai.vision.data import ImageBlock
    from fastai.vision.learner import vision_learner

import torch
from lite0 import DEVIATION, MEAN, SIDE, efficientnet_lite0
from protocol import parser, tell


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--weights", required=True)
    words.add_argument("--epochs", type=int, default=4, help="after the one of the head alone")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    set_seed(given.seed)

    began = time.perf_counter()
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=GrandparentSplitter("train", "val"),
        get_y=parent_label,
        item_tfms=RandomResizedCrop(SIDE, min_scale=0.5),
        # `vision_learner` knows of the normalisation only for the networks that it ships.
        batch_tfms=[*aug_transforms(), Normalize.from_stats(MEAN, DEVIATION, cuda=False)],
    )
    loaders = block.dataloaders(given.data, device=torch.device("cpu"))
    learner = vision_learner(loaders, lambda pretrained: efficientnet_lite0(given.weights), metrics=accuracy)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(given.epochs)
    seconds = time.perf_counter() - began

    reached = float(learner.recorder.values[-1][-1])
    tell(
        seconds=seconds,
        accuracy=reached,
        last_accuracy=reached,
        threads=torch.get_num_threads(),
        packages=("fastai", "torch", "timm"),
        remark=f"fp32, 1 + {given.epochs} epochs, {len(loaders.train_ds)} pictures",
    )


if __name__ == "__main__":
    main()
