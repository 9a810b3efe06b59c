"""What a comparison says of runs whose results are known beforehand."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from striate.compare import Comparison, Group, judge
from striate.core import UsageError
from striate.runs import Run

WIDE = "8x8x1 | conv 4 3 relu | flatten | dense 2"


def two(made_run: Callable[..., Run], ones: list[float], others: list[float], **more: object) -> Comparison:
    return judge(
        [
            Group("narrow", tuple(made_run("narrow", seed, value) for seed, value in enumerate(ones))),
            Group(
                "wide",
                tuple(
                    made_run("wide", seed, value, network=WIDE, **more) for seed, value in enumerate(others)
                ),
            ),
        ]
    )


def sentence(comparison: Comparison, measure: str, design: str = "wide") -> str:
    return next(v.sentence for v in comparison.verdicts if (v.measure, v.design) == (measure, design))


def test_a_planted_difference_is_found(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.90, 0.91, 0.92, 0.905, 0.915], [0.95, 0.962, 0.971, 0.954, 0.966])
    told = sentence(comparison, "accuracy")
    assert told.startswith("accuracy: wide is more accurate than narrow: +5.06 points, 95 % interval +4.9")
    verdict = next(v for v in comparison.verdicts if v.measure == "accuracy")
    assert verdict.is_shown
    assert verdict.gap is not None
    assert verdict.gap.mean == pytest.approx(0.0506)


def test_an_equal_pair_shows_no_difference(made_run: Callable[..., Run]) -> None:
    told = sentence(two(made_run, [0.90, 0.92, 0.91], [0.91, 0.91, 0.92]), "accuracy")
    assert told.startswith(
        "accuracy: no difference shown between wide and narrow: +0.33 points, 95 % interval −"
    )


def test_chance_seldom_passes_for_a_difference(made_run: Callable[..., Run]) -> None:
    """Of 20 comparisons of equal designs hardly any finds a difference: 5 % are expected to."""
    rng, shown = np.random.default_rng(0), 0
    for _ in range(20):
        comparison = two(made_run, list(rng.normal(0.9, 0.01, 4)), list(rng.normal(0.9, 0.01, 4)))
        shown += next(v for v in comparison.verdicts if v.measure == "accuracy").is_shown
    assert shown <= 3


def test_one_seed_concludes_nothing(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.1], [0.9])
    assert sentence(comparison, "accuracy") == (
        "accuracy: nothing can be concluded from one run, which may be chance; give more --seeds"
    )
    assert "one seed each: what differs may be chance, and nothing can be concluded from it" in str(
        comparison
    )
    assert not any(v.is_shown for v in comparison.verdicts if v.measure in ("accuracy", "seconds"))


def test_what_follows_from_the_design_needs_no_test(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.9], [0.9])
    # 2 filters of 3×3 and a bias each, then 36 places × 2 to 2 classes; 4 filters twice that but for biases.
    assert sentence(comparison, "parameters") == (
        "parameters: wide has more parameters, 330 against narrow's 166, 1.99 times as much; that is so by "
        "design"
    )
    assert sentence(comparison, "macs").startswith(
        "MACs a picture: wide computes more, 1,584 against narrow's 792"
    )


def test_equal_designs_are_equal_by_design(made_run: Callable[..., Run]) -> None:
    groups = [Group(name, (made_run(name),)) for name in ("one", "other")]
    assert sentence(judge(groups), "parameters", "other") == "parameters: equal, 166"


def test_equal_sentences_are_said_once(made_run: Callable[..., Run]) -> None:
    groups = [Group(name, (made_run(name),)) for name in ("one", "other", "third")]
    comparison = judge(groups)
    assert comparison.sentences.count("parameters: equal, 166") == 1
    assert sum(sentence.startswith("accuracy: nothing can be") for sentence in comparison.sentences) == 1
    assert len(comparison.verdicts) > len(comparison.sentences)


def test_a_design_of_one_run_among_others_is_named(made_run: Callable[..., Run]) -> None:
    groups = [
        Group("first", (made_run("first", 0, 0.9), made_run("first", 1, 0.91))),
        Group("second", (made_run("second", 0, 0.92), made_run("second", 1, 0.9))),
        Group("lone", (made_run("lone", 0, 0.95),)),
    ]
    told = [v.sentence for v in judge(groups).verdicts if v.measure == "accuracy"]
    assert told[0].startswith("accuracy: no difference shown between second and first")
    assert told[1] == (
        "accuracy: nothing can be concluded on lone from one run, which may be chance; give more --seeds"
    )


def test_about_equal_is_no_ratio(made_run: Callable[..., Run]) -> None:
    # (64 + 1) × 250 in the hidden layer and (250 + 1) × 2 in the last, and so with 251.
    networks = {
        name: f"8x8x1 | flatten | dense {width} | dense 2" for name, width in (("a", 250), ("b", 251))
    }
    groups = [Group(name, (made_run(name, network=text),)) for name, text in networks.items()]
    assert sentence(judge(groups), "parameters", "b") == (
        "parameters: b has about as much, 16,819 against a's 16,752; that is so by design"
    )


def test_several_designs_are_corrected(made_run: Callable[..., Run]) -> None:
    values = {"first": [0.90, 0.91, 0.93], "second": [0.92, 0.931, 0.952], "third": [0.91, 0.9, 0.94]}
    comparison = judge(
        [
            Group(name, tuple(made_run(name, seed, value) for seed, value in enumerate(each)))
            for name, each in values.items()
        ]
    )
    told = [v for v in comparison.verdicts if v.measure == "accuracy"]
    assert [v.against for v in told] == ["first", "first"]
    plain = [v.gap.p for v in told if v.gap]
    assert told[0].p == pytest.approx(2 * plain[0])
    assert told[1].p == pytest.approx(plain[1])
    assert "after Holm's correction for 2 comparisons" in told[0].sentence
    assert "corrected for its 2 comparisons (Holm 1979)" in str(comparison)


def test_times_of_different_machines_are_not_judged(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.9, 0.91], [0.9, 0.92], hardware={"device": "cuda:0", "name": "a GPU"})
    assert sentence(comparison, "seconds") == (
        "training time: no verdict, since the runs were trained on 2 different machines"
    )


def test_the_time_to_an_accuracy_counts_runs_that_got_there(made_run: Callable[..., Run]) -> None:
    def metrics(last: float) -> list[dict[str, float]]:
        head = {"train_loss": 1.0, "val_loss": 1.0}
        return [
            {"epoch": 1, **head, "val_accuracy": 0.5, "seconds": 3.0},
            {"epoch": 2, **head, "val_accuracy": last, "seconds": 6.0},
        ]

    groups = [
        Group("one", tuple(made_run("one", seed, metrics=metrics(0.9)) for seed in range(2))),
        Group(
            "other", tuple(made_run("other", seed, metrics=metrics(0.7 + 0.2 * seed)) for seed in range(2))
        ),
    ]
    assert sentence(judge(groups, target=0.85), "target_seconds", "other") == (
        "time to 85.0 %: no verdict, since only 2 of 2 runs of one and 1 of 2 runs of other have one"
    )
    common = judge(groups)
    assert common.target == 0.7
    line = next(line for line in common.lines if line.measure.key == "target_seconds")
    assert line.label == "time to 70.0 %"
    assert line.values == {"one": {0: 6.0, 1: 6.0}, "other": {0: 6.0, 1: 6.0}}


def test_the_table_has_means_and_deviations(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.90, 0.92], [0.95, 0.95])
    line = comparison.lines[0]
    assert (line.cell("narrow"), line.cell("wide")) == ("91.00 % ± 1.41 %", "95.00 % ± 0.00 %")
    facts = comparison.to_dict()["measures"][0]["designs"]["narrow"]
    assert facts["values"] == {"0": 0.90, "1": 0.92}
    assert (facts["mean"], facts["deviation"]) == (pytest.approx(0.91), pytest.approx(0.02 / 2**0.5))
    assert "| accuracy | 91.00 % ± 1.41 % | 95.00 % ± 0.00 % |" in comparison.markdown()


def test_recipes_that_differ_are_told(made_run: Callable[..., Run]) -> None:
    groups = [Group(name, (made_run(name, recipe={"shift": shift}),)) for name, shift in (("a", 0), ("b", 2))]
    assert "the recipes differ: a shift 0; b shift 2" in judge(groups).remarks


def test_pictures_hold_every_run(made_run: Callable[..., Run]) -> None:
    comparison = two(made_run, [0.90, 0.92], [0.95, 0.94])
    curves, dots = comparison.figure(), comparison.dots()
    assert isinstance(curves, Figure)
    by_epoch = curves.axes[0]
    assert [text.get_text() for text in by_epoch.get_legend().get_texts()] == ["narrow", "wide"]
    assert len(by_epoch.lines) == 2 * (1 + 2)  # a mean and two runs of each
    np.testing.assert_allclose(by_epoch.lines[0].get_ydata(), [0.5, 0.8])
    np.testing.assert_allclose(curves.axes[1].lines[0].get_xdata(), [5.0, 10.0])
    drawn = np.concatenate([c.get_offsets() for c in dots.axes[0].collections[::2]])
    assert sorted(map(tuple, drawn)) == [(166, 0.90), (166, 0.92), (330, 0.94), (330, 0.95)]


def test_curves_of_unlike_lengths_are_drawn_where_all_are(made_run: Callable[..., Run]) -> None:
    def metrics(count: int) -> list[dict[str, float]]:
        return [{"epoch": i, "train_loss": 1.0 / i, "seconds": 2.0 * i} for i in range(1, count + 1)]

    groups = [
        Group("one", (made_run("one", 0, metrics=metrics(3)), made_run("one", 1, metrics=metrics(5)))),
        Group("other", (made_run("other", 0, metrics=metrics(1)), made_run("other", 1, metrics=metrics(2)))),
    ]
    figure = judge(groups).figure()
    assert len(figure.axes) == 2  # the loss alone, since no accuracy was measured
    mean = figure.axes[1].lines[0]
    assert (min(mean.get_xdata()), max(mean.get_xdata())) == (2, 6)


def test_refusals(made_run: Callable[..., Run]) -> None:
    one, stopped = made_run("one"), made_run("stopped", state="stopped")
    other = made_run("other", digest="different")
    with pytest.raises(UsageError, match="needs at least two designs"):
        judge([Group("one", (one,))])
    with pytest.raises(UsageError, match="stopped-seed0 isn't done but stopped; resume it, or leave it out"):
        judge([Group("one", (one,)), Group("stopped", (stopped,))])
    with pytest.raises(UsageError, match="weren't trained and judged on the same pictures"):
        judge([Group("one", (one,)), Group("other", (other,))])
