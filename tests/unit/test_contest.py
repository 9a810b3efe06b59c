"""What the benchmarks work out themselves: their table, and the FLOPs of a training."""

import numpy as np
import pytest
from arrays import held_out
from contest import Contender, Outcome, footnotes, table
from peak import training_flops

from striate import Network
from striate.data import ArrayPictures, Split


def outcome(name: str, *figures: tuple[float, float | None]) -> Outcome:
    runs = [
        {"seconds": seconds, "accuracy": accuracy, "threads": 2, "versions": {"torch": "2"}, "remark": "fp32"}
        for seconds, accuracy in figures
    ]
    return Outcome(Contender(name, f"how {name}", f"{name}.py"), runs)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_tells_medians_means_and_ratios_to_the_first() -> None:
    ours = outcome("ours", (2.0, 0.99), (4.0, 0.98), (3.0, 1.0))
    head, _, first, second = table([ours, outcome("theirs", (30.0, 0.97), (15.0, 0.97))], target=0.99)
    assert len(cells(head)) == len(cells(first)) == len(cells(second))
    told = ["99.00 (98.00 to 100.00)", "99.00", "yes", "3.0 (2.0 to 4.0)", "1.00", "2"]
    assert cells(first) == ["ours", "how ours", "3", *told]
    told = ["97.00 (97.00 to 97.00)", "97.00", "no", "22.5 (15.0 to 30.0)", "7.50", "2"]
    assert cells(second) == ["theirs", "how theirs", "2", *told]


def test_table_leaves_out_who_never_trained_and_says_what_was_not_measured() -> None:
    broken = Outcome(Contender("broken", "how", "broken.py"), failure="ImportError: no such module")
    lines = table([broken, outcome("timed", (5.0, None))])
    assert [cells(line)[0] for line in lines[2:]] == ["timed"]
    assert cells(lines[2])[3:5] == ["not measured", "–"]
    assert footnotes([broken])[-1] == "broken failed: ImportError: no such module"
    assert "timed: fp32." in footnotes([outcome("timed", (5.0, None), (6.0, None))])


def test_held_out_takes_equally_many_of_each_class() -> None:
    labels = np.repeat(np.arange(5), [40, 30, 20, 60, 50])
    split = Split(ArrayPictures(np.zeros((200, 2, 2, 1), np.uint8), "noise"), labels)
    trained, tested = held_out(split, 50, seed=0)
    assert np.bincount(labels[tested]).tolist() == [10] * 5
    assert np.array_equal(np.union1d(trained, tested), np.arange(200))
    assert len(trained) == 150
    assert not np.array_equal(tested, held_out(split, 50, seed=1)[1])


@pytest.mark.parametrize(
    ("notation", "flops"),
    [
        # 6×6 places of 3×3×2 inputs for 4 filters: forward and weights; the dense layer's input learns, too.
        ("8x8x2 | conv 4 3 | flatten | dense 5", 2 * (2 * 36 * 18 * 4 + 3 * 144 * 5)),
        # A frozen layer before all others costs its forward pass alone.
        ("8x8x2 | conv 4 3 frozen | flatten | dense 5", 2 * (36 * 18 * 4 + 2 * 144 * 5)),
        # A frozen layer amid others passes its input's gradient on.
        ("16 | dense 8 | dense 4 frozen | dense 2", 2 * (2 * 16 * 8 + 2 * 8 * 4 + 3 * 4 * 2)),
    ],
)
def test_training_flops_count_the_products_that_are_computed(notation: str, flops: int) -> None:
    assert training_flops(Network.parse(notation)) == flops
