"""X against O: prescribed filters beside learned ones, on the test pictures of `xo`.

Legend: N pictures, H height, W width; h, w the height and width of a map.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.core import units
from striate.data import XO_CLASSES, ArrayPictures, load, xo_symbol
from striate.look.xo_figure import XORow, xo_figure
from striate.look.xo_learning import LEARNED_NETWORK, LearnedXO, learn_xo
from striate.look.xo_matching import XO_FILTERS, Votes, match_maps, votes_of
from striate.runs import figure_html


@dataclass(frozen=True, eq=False)
class XOComparison:
    """What prescribed and learned filters say of the clean symbols and of the test pictures, in this order.

    `pictures` (N, H, W) and `labels` (N,) begin with the clean symbols; `maps` (N, 3, h, w) are the matches
    of the prescribed filters, `learned_maps` the feature maps of the learned ones, `scores` (N, 2) theirs.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    maps: NDArray[np.float32]
    votes: Votes
    learned: LearnedXO
    learned_maps: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def test_count(self) -> int:
        return len(self.labels) - len(XO_CLASSES)

    @property
    def accuracy(self) -> float:
        """The share of test pictures that the prescribed filters and their rule tell right."""
        return float(self._right[len(XO_CLASSES) :].mean())

    def rows(self) -> list[XORow]:
        """The clean symbols, the hardest of each class that both tell right, and mistakes of each kind."""
        first = len(XO_CLASSES)
        right, learned = self._right[first:], self._learned_right[first:]
        margin = np.abs(self.votes.x - self.votes.o)[first:]
        kinds = [
            (f"a hard {name}", (self.labels[first:] == label) & right & learned & (margin > 0), margin)
            for label, name in enumerate(XO_CLASSES)
        ]
        kinds += [
            ("only the rule\nis right", right & ~learned, -margin),
            ("only the learned\nare right", ~right & learned, -margin),
            ("both are wrong", ~right & ~learned, -margin),
        ]
        chosen = [(f"a clean {name}", label) for label, name in enumerate(XO_CLASSES)]
        for title, mask, hardness in kinds:
            members = np.flatnonzero(mask)
            if members.size:
                chosen.append((title, first + int(members[hardness[members].argmin()])))
        return [self._row(title, index) for title, index in chosen]

    def figure(self) -> Figure:
        """Pictures with the match maps, the votes, the learned filters' maps and their answers."""
        return xo_figure(
            self.rows(),
            self.learned.filters,
            f"{self._share(self.accuracy)}",
            f"{self._share(self.learned.accuracy)}",
        )

    def _repr_html_(self) -> str:
        return figure_html(self.figure())

    def __str__(self) -> str:
        count, clean = units.count(self.test_count), range(len(XO_CLASSES))
        lines = [
            f"prescribed filters ({', '.join(XO_FILTERS)}), matched in -1…1, and a rule that reads the maps:",
            *(
                f"  a clean {XO_CLASSES[i]}: {self.votes.x[i]:.2f} votes for x, {self.votes.o[i]:.2f} for o; "
                f"best matches {self._best(i)}"
                for i in clean
            ),
            f"  {self._share(self.accuracy)} of {count} test pictures told right",
            f"learned filters ({LEARNED_NETWORK}), trained in {units.duration(self.learned.seconds)}:",
            f"  {self._share(self.learned.accuracy)} of {count} test pictures told right",
            f"both right {self._both(True, True)}, only the prescribed {self._both(True, False)}, only the "
            f"learned {self._both(False, True)}, neither {self._both(False, False)}",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """What a program may want; maps and votes of the clean symbols alone."""
        return {
            "test_pictures": self.test_count,
            "prescribed": {
                "filters": list(XO_FILTERS),
                "accuracy": self.accuracy,
                "clean": {
                    name: {
                        "votes": {"x": float(self.votes.x[i]), "o": float(self.votes.o[i])},
                        "maps": {f: self.maps[i, k].tolist() for k, f in enumerate(XO_FILTERS)},
                    }
                    for i, name in enumerate(XO_CLASSES)
                },
            },
            "learned": {
                "network": LEARNED_NETWORK,
                "accuracy": self.learned.accuracy,
                "train_seconds": self.learned.seconds,
                "filters": self.learned.filters.tolist(),
            },
            "both_right": self._both(True, True),
            "only_prescribed_right": self._both(True, False),
            "only_learned_right": self._both(False, True),
            "neither_right": self._both(False, False),
        }

    @property
    def _right(self) -> NDArray[np.bool_]:
        return self.votes.answers == self.labels

    @property
    def _learned_right(self) -> NDArray[np.bool_]:
        return self.scores.argmax(axis=1) == self.labels

    def _both(self, prescribed: bool, learned: bool) -> int:
        is_so = (self._right == prescribed) & (self._learned_right == learned)
        return int(is_so[len(XO_CLASSES) :].sum())

    def _best(self, index: int) -> str:
        best = self.maps[index].max(axis=(1, 2))
        return ", ".join(f"{name} {value:.2f}" for name, value in zip(XO_FILTERS, best, strict=True))

    def _share(self, accuracy: float) -> str:
        return units.percent(accuracy, 1)

    def _row(self, title: str, index: int) -> XORow:
        scores = np.exp(self.scores[index] - self.scores[index].max())
        return XORow(
            title,
            self.pictures[index],
            self.maps[index],
            self.votes.read(index),
            (float(self.votes.x[index]), float(self.votes.o[index])),
            XO_CLASSES[self.votes.answers[index]],
            self.learned_maps[index],
            XO_CLASSES[int(scores.argmax())],
            float(scores.max() / scores.sum()),
            XO_CLASSES[self.labels[index]],
        )


def compare_xo(*, seed: int = 0, device: str = "cpu") -> XOComparison:
    """Tells the test pictures of `xo` by prescribed filters, and by filters learned from its train split.

    `seed` and `device` are those of the training. Raises UsageError when the device isn't there.
    """
    test = load("xo").split("test")
    pictures = cast("ArrayPictures", test.pictures)
    clean = np.stack([xo_symbol(name) for name in XO_CLASSES])
    shown = np.concatenate([clean, pictures.array[..., 0].astype(np.uint8)])
    labels = np.concatenate([np.arange(len(XO_CLASSES)), test.labels.astype(np.int64)])
    maps = match_maps(shown)
    learned = learn_xo(seed=seed, device=device)
    learned_maps, scores = learned.maps(shown)
    return XOComparison(shown, labels, maps, votes_of(maps), learned, learned_maps, scores)
