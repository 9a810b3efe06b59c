"""Every method on networks so small that the answer is worked out by hand."""

import numpy as np
import pytest

from striate.core import UnknownNameError, UsageError
from striate.graph import Network
from striate.look import METHODS, attribute, occlusion

LINEAR = "2x2x1 | flatten | dense 2"
WEIGHTS = {"dense1.weight": [[1, -2, 3, 0], [0, 1, 0, -1]], "dense1.bias": [0.5, 0.0]}
PICTURE = [[[0.2, 0.4], [0.6, 0.8]]]
# Two filters of one place, w = 1 and w = -1, of which the second lets nothing of a bright picture through.
TWO_FILTERS = "1x2x1 | conv 2 1 relu | flatten | dense 2"
TWO = {
    "conv1.weight": [[[[1]]], [[[-1]]]],
    "conv1.bias": [0, 0],
    "dense1.weight": [[2, -3, 5, 7], [4, -2, 1, 1]],
    "dense1.bias": [0, 0],
}
BRIGHT = [[[0.5, 0.2]]]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("gradient", [[[1, -2], [3, 0]]]),
        ("smoothgrad", [[[1, -2], [3, 0]]]),
        ("input-x-gradient", [[[0.2, -0.8], [1.8, 0]]]),
        ("integrated", [[[0.2, -0.8], [1.8, 0]]]),
        ("occlusion", [[0.2, -0.8], [1.8, 0]]),
        # The bias of 0.5 keeps its part of the score of 1.7.
        ("lrp", [[[0.2, -0.8], [1.8, 0]]]),
    ],
)
def test_a_linear_network(made, shown, method, expected):
    told = attribute(made(LINEAR, WEIGHTS), shown(PICTURE), method, "class 0")
    assert told.values == pytest.approx(np.array(expected), abs=1e-5)
    assert (told.method, told.class_name, told.node) == (method, "class 0", "input1")


def test_evidence_is_counted_from_the_mean_colour(made, shown):
    network = Network.parse(LINEAR).with_preparation((0.5,), (0.25,))
    subject = made(network, WEIGHTS)
    for method in ("input-x-gradient", "integrated"):
        told = attribute(subject, shown(PICTURE), method, "class 0")
        assert told.values[0] == pytest.approx(np.array([[-1.2, 0.8], [1.2, 0]]), abs=1e-5), method
    told = occlusion(subject, shown(PICTURE), "class 0")
    assert told.values == pytest.approx(np.array([[-1.2, 0.8], [1.2, 0]]), abs=1e-5)


@pytest.mark.parametrize(
    ("method", "class_name", "expected"),
    [
        ("gradient", "class 0", [[2, -3]]),
        # Only what is positive passes, and only where the filter let something through.
        ("guided", "class 0", [[2, 0]]),
        # What is positive passes everywhere: 2 - 5 and 0 - 7.
        ("deconvnet", "class 0", [[-3, -7]]),
        # The mean gradient of the first map is 1.
        ("grad-cam", "class 1", [[0.5, 0.2]]),
        # 16 / (2·16 + 0.7·64) · 4 = 5/6 for the first place, and nothing for the second.
        ("grad-cam++", "class 1", [[0.5 * 5 / 6, 0.2 * 5 / 6]]),
        ("lrp", "class 0", [[1.0, -0.6]]),
    ],
)
def test_a_network_with_a_rectifier(made, shown, method, class_name, expected):
    told = attribute(made(TWO_FILTERS, TWO), shown(BRIGHT), method, class_name)
    assert told.values.reshape(1, 2) == pytest.approx(np.array(expected), abs=1e-5)


def test_an_empty_class_activation_map_says_so(made, shown):
    told = attribute(made(TWO_FILTERS, TWO), shown(BRIGHT), "grad-cam", "class 0")
    assert not told.values.any()
    assert (told.node, told.note) == ("relu1", "no place speaks for the class, so the map is empty")


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        # 3·0.5 is all that is positive, so it takes the whole score 2 (1.5 - 0.4) = 2.2.
        (None, [2.2, 0]),
        # Of (x - 0.45) both products are positive, 0.15 and 0.05 of a score of 0.4.
        (0.45, [0.3, 0.1]),
    ],
)
def test_relevance_goes_by_positive_products(made, shown, mean, expected):
    network = Network.parse("1x2x1 | conv 1 1x2 relu | flatten | dense 2")
    network = network if mean is None else network.with_preparation((mean,), (1.0,))
    weights = {"conv1.weight": [[[[3, -1]]]], "dense1.weight": [[2], [1]]}
    told = attribute(made(network, weights), shown([[[0.5, 0.4]]]), "lrp", "class 0")
    assert told.values.ravel() == pytest.approx(np.array(expected), abs=1e-5)


def test_a_map_sums_evidence_and_takes_the_size_of_the_rest(made, shown):
    weights = {"dense1.weight": [[1, 2, -4, -1], [0, 0, 0, 0]]}
    subject = made("1x2x2 | flatten | dense 2", weights)
    picture = shown(np.full((2, 1, 2), 0.5))
    assert attribute(subject, picture, "input-x-gradient", "class 0").map.tolist() == [[-1.5, 0.5]]
    assert attribute(subject, picture, "gradient", "class 0").map.tolist() == [[4, 2]]


def test_the_answer_is_explained_unless_a_class_is_named(made, shown):
    subject = made(LINEAR, WEIGHTS, ["ant", "bee"])
    assert attribute(subject, shown(PICTURE), "gradient").class_name == "ant"
    assert attribute(subject, shown(PICTURE), "gradient", "bee").values.tolist() == [[[0, 1], [0, -1]]]
    with pytest.raises(UnknownNameError, match=r"^unknown class 'bea'; did you mean 'bee'\?$"):
        attribute(subject, shown(PICTURE), "gradient", "bea")


def test_what_cannot_serve_says_why_and_what_can(made, shown):
    subject = made(LINEAR, WEIGHTS)
    can = "occlusion, gradient, input-x-gradient, integrated, smoothgrad, lrp"
    no_maps = "no volume behind its input has more than one place"
    for method, reason in (
        ("grad-cam", no_maps),
        ("grad-cam++", no_maps),
        ("guided", "it has no relu, whose way back this changes"),
    ):
        with pytest.raises(UsageError) as caught:
            attribute(subject, shown(PICTURE), method)
        assert str(caught.value) == f"{method} can't serve made: {reason}; use {can}"
    with pytest.raises(UnknownNameError, match=r"^unknown method 'gradcam'; did you mean 'grad-cam'\?$"):
        attribute(subject, shown(PICTURE), "gradcam")


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (
            "4x4x2 | conv 4 3 | lrn 5 | flatten | dense 2",
            "'lrn1' (lrn) has no rule to hand relevance back by",
        ),
        (
            "4x4x2 | multiply[ conv 2 1 ; conv 2 1 ] | flatten | dense 2",
            "'multiply1' multiplies volumes of which none is a gate (a sigmoid)",
        ),
    ],
)
def test_relevance_needs_a_rule_for_every_layer(made, shown, network, reason):
    with pytest.raises(UsageError) as caught:
        METHODS["lrp"].compute(made(network), shown(np.zeros((2, 4, 4), np.uint8)))
    assert str(caught.value) == f"lrp can't serve made: {reason}; use integrated or input-x-gradient"
