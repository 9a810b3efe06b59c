"""MNIST to 99.09 %: the lecture network of 104,202 parameters under Striate, Keras, PyTorch and fastai.

`python benchmarks/mnist.py` in an environment with the extra `bench`; `STRIATE_DATA` names a folder with
`mnist/`.
"""

from arrays import decoded, few
from common import write
from contest import Contender, arguments, contest, footnotes, table

from striate.core import Shape
from striate.data import load

TARGET = 0.9909
NAMES = ("striate", "torch-best", "torch-tutorial", "fastai", "keras")


def contenders(recipe: str) -> list[Contender]:
    striate = ("--network", "lecture", "--recipe", recipe)
    return [
        Contender("striate", f"`--recipe {recipe}`", "striate_run.py", striate),
        Contender(
            "torch-best",
            "tensor in memory, bf16, channels-last, AdamW, `OneCycleLR`, fewest epochs that reach it",
            "torch_best_mnist.py",
            ("--epochs", "1", "--batch", "32", "--lr", "0.003"),
        ),
        Contender(
            "torch-tutorial",
            "PyTorch's MNIST example: `DataLoader`, fp32, Adadelta, batch 64, fewest epochs that reach it",
            "torch_tutorial_mnist.py",
            ("--epochs", "3"),
        ),
        Contender(
            "fastai",
            "`Learner.fit_one_cycle`, fp32, Adam, batch 64, fewest epochs that reach it",
            "fastai_mnist.py",
            ("--epochs", "2"),
        ),
        Contender("keras", "the book's recipe: RMSprop, batch 64, 5 epochs, fp32", "keras_mnist.py"),
    ]


def main() -> None:
    parser = arguments(__doc__, NAMES)
    parser.add_argument("--recipe", default="fast", help="Striate's")
    given = parser.parse_args()
    digits = few(decoded(load("mnist"), Shape((28, 28), 1)), given.pictures)
    chosen = [one for one in contenders(given.recipe) if not given.only or one.name in given.only]
    outcomes = contest(chosen, digits, given.seeds, given.threads)
    lines = [*table(outcomes, TARGET), "", *footnotes(outcomes)]
    if given.pictures:
        print("\n".join(lines))
    else:
        write("mnist", lines)


if __name__ == "__main__":
    main()
