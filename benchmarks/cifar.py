"""CIFAR-10 in its JPEG copy: Striate against airbench94's published recipe and ResNet-18's standard one.

`python benchmarks/cifar.py` in an environment with the extra `bench`; `STRIATE_DATA` names a folder with
`cifar10-jpeg/`. 5,000 pictures, 500 of each class, are held out by seed 0 and judge everybody.
"""

from pathlib import Path
from statistics import median

from arrays import decoded, few, held_out
from common import write
from contest import Contender, Outcome, arguments, contest, footnotes, table
from peers.protocol import Arrays

from striate.core import Shape
from striate.data import Images, Split, load
from striate.data.splits import SubsetPictures

DATA, HELD_OUT, SPLIT_SEED = "cifar10-jpeg", 5000, 0
RESNETS = ("resnet18", "resnet18-bf16")
NAMES = ("striate", "airbench94", *RESNETS)
# An assumption, chosen low: the standard recipe has 200.
RESNET_EPOCHS = 30
EXTRAPOLATED = (
    "ResNet-18 was not trained to its end. Its seconds are extrapolated from the median of {steps} training "
    "steps a run, for {epochs} epochs. The standard recipe has 200; when it reaches this accuracy was not "
    "measured, and {epochs} is an assumption, chosen low."
)


def contenders(network: str, recipe: str, epochs: int, steps: int, resnet_epochs: int) -> list[Contender]:
    resnet = ("--steps", str(steps), "--epochs", str(resnet_epochs))
    standard = "standard recipe: SGD, batch 128, cosine; **extrapolated**"
    return [
        Contender(
            "striate",
            f"`{network}`, `--recipe {recipe} --epochs {epochs}`, six views of each tested picture",
            "striate_run.py",
            ("--network", network, "--recipe", recipe, "--epochs", str(epochs), "--views", "6"),
        ),
        Contender(
            "airbench94",
            "fastest published recipe (Muon) in bf16, its 8 epochs, six views of each tested picture",
            "airbench94.py",
        ),
        Contender("resnet18", f"{standard}, fp32 as usually written", "resnet18_cifar.py", resnet),
        Contender(
            "resnet18-bf16",
            f"{standard}, bf16, channels-last",
            "resnet18_cifar.py",
            (*resnet, "--bf16"),
        ),
    ]


def pictures() -> Arrays:
    """45,000 decoded pictures to train on and the 5,000 held out."""
    images = load(DATA)
    every = images.split("train")
    chosen = dict(zip(("train", "test"), held_out(every, HELD_OUT, SPLIT_SEED), strict=True))
    splits = {
        name: Split(SubsetPictures(every.pictures, rows), every.labels[rows]) for name, rows in chosen.items()
    }
    return decoded(Images(images.name, images.classes, splits), Shape((32, 32), 3))


def remarks(outcomes: list[Outcome], steps: int, epochs: int) -> list[str]:
    """What the table can't say: how one view does, and how ResNet-18's seconds came about."""
    lines: list[str] = []
    for outcome in outcomes:
        name, runs = outcome.contender.name, outcome.runs
        if runs and name in ("striate", "airbench94"):
            plain = median(100 * run["one_view_accuracy"] for run in runs)
            lines += ["", f"{name} with one view of each tested picture: {plain:.2f} % in the median."]
        if runs and name in RESNETS:
            epoch = median(run["epoch_seconds"] for run in runs)
            lines += ["", f"{name}: {epoch:.1f} s an epoch in the median."]
    if any(outcome.runs and outcome.contender.name in RESNETS for outcome in outcomes):
        lines += ["", EXTRAPOLATED.format(steps=steps, epochs=epochs)]
    return lines


def main() -> None:
    parser = arguments(__doc__, NAMES)
    parser.add_argument("--network", default="airnet", help="Striate's")
    parser.add_argument("--recipe", default="fast-color", help="Striate's")
    parser.add_argument("--epochs", type=int, default=9, help="Striate's")
    parser.add_argument("--resnet-steps", type=int, default=20)
    parser.add_argument("--resnet-epochs", type=int, default=RESNET_EPOCHS)
    parser.add_argument("--log", type=Path, help="a file that keeps each training, to go on from another day")
    given = parser.parse_args()
    if given.log and given.pictures:
        parser.error("a log keeps whole contests, and --pictures makes a trial; leave one out")
    steps, epochs = given.resnet_steps, given.resnet_epochs
    every = contenders(given.network, given.recipe, given.epochs, steps, epochs)
    chosen = [one for one in every if not given.only or one.name in given.only]
    arrays = few(pictures(), given.pictures)
    outcomes = contest(chosen, arrays, given.seeds, given.threads, given.log)
    lines = [*table(outcomes), "", *footnotes(outcomes), *remarks(outcomes, steps, epochs)]
    if given.pictures:
        print("\n".join(lines))
    else:
        write("cifar", lines)


if __name__ == "__main__":
    main()
