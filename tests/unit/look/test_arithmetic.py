"""A convolution's arithmetic, against answers computed by hand, by scipy and by torch."""

import json
import re

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch.nn import functional as F

from striate.build import build
from striate.core import GraphError, UnknownNameError, UsageError
from striate.graph import Conv, Input, Network
from striate.look import MOST_WRITTEN, convolve, read_matrix

PICTURE = read_matrix("11100/01110/00111/00110/01100")
KERNEL = read_matrix("101/010/101")


def some(*shape, seed=0):
    return np.random.default_rng(seed).integers(-5, 6, shape).astype(float)


def test_the_textbook_case():
    told = convolve(PICTURE, KERNEL)
    assert told.map.tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert told.told(0, 0) == "1·1 + 1·0 + 1·1 + 0·0 + 1·1 + 1·0 + 0·1 + 0·0 + 1·1 = 4"
    assert told.macs == 81


def test_seven_by_seven_under_three_by_three_gives_five_by_five():
    picture, kernel = some(7, 7), some(3, 3, seed=1)
    told = convolve(picture, kernel)
    assert told.map.shape == (5, 5)
    assert np.array_equal(told.map, correlate2d(picture, kernel, mode="valid"))


def test_three_channels_sum_to_one_map():
    picture, kernel = some(3, 6, 5), some(3, 3, 3, seed=1)
    told = convolve(picture, kernel)
    parts = [correlate2d(p, k, mode="valid") for p, k in zip(picture, kernel, strict=True)]
    assert np.array_equal(told.parts, parts)
    assert np.array_equal(told.map, sum(parts))
    one, two, three = (part[1, 2] for part in parts)
    lines = told.told(1, 2).split("\n")
    assert [line.split(":")[0] for line in lines[:3]] == ["channel 1", "channel 2", "channel 3"]
    assert [float(line.rsplit("= ", 1)[1]) for line in lines] == [one, two, three, one + two + three]


def test_a_kernel_of_one_channel_serves_every_channel():
    picture, kernel = some(3, 6, 5), some(3, 3, seed=1)
    assert np.array_equal(convolve(picture, kernel).map, convolve(picture.sum(axis=0), kernel).map)


@pytest.mark.parametrize("fill", ["zero", "replicate", "reflect", "circular"])
@pytest.mark.parametrize("padding", ["valid", "same", "full", 2, (1, 2), ((1, 0), (0, 2))])
@pytest.mark.parametrize(("stride", "kernel"), [(1, (3, 3)), (2, (3, 2)), ((1, 3), (2, 4))])
def test_it_is_what_the_network_computes(stride, kernel, padding, fill):
    picture, weights = some(2, 7, 8), some(2, *kernel, seed=1)
    told = convolve(picture, weights, stride=stride, padding=padding, fill=fill)
    image = Input(7, 8, 2)
    layer = Conv(1, kernel, stride=stride, padding=padding, pad=fill, bias=False)
    module = build(Network(image, layer(image))).eval()
    with torch.no_grad():
        module["conv1"].get_parameter("weight").copy_(torch.from_numpy(weights)[None])
        expected = module(torch.from_numpy(picture)[None].float())
    assert torch.equal(expected, torch.from_numpy(told.map)[None, None].float())


def test_it_is_what_torch_computes():
    picture, kernel = some(3, 9, 7), some(3, 3, 3, seed=1)
    expected = F.conv2d(
        torch.from_numpy(picture)[None], torch.from_numpy(kernel)[None], stride=(2, 1), padding=(1, 0)
    )
    assert np.array_equal(convolve(picture, kernel, stride="2x1", padding="1x0").map, expected[0, 0].numpy())


def test_each_place_is_the_sum_of_its_products():
    told = convolve(some(2, 6, 6), some(2, 3, 3, seed=1), stride=2, padding="same", fill="reflect")
    for place in np.ndindex(*told.map.shape):
        assert told.products(*place).sum() == told.map[place]
    assert np.abs(told.map[told.strongest]) == np.abs(told.map).max()


def test_the_text_writes_every_product_of_a_small_map():
    text = str(convolve(PICTURE, KERNEL))
    assert text.startswith("5×5×1 picture, 3×3 kernel → 3×3 map: conv 1 3x3 nobias\n")
    assert "a cross-correlation, the kernel isn't turned round" in text
    assert re.findall(r"^row \d, column \d: .* = (\d)$", text, re.MULTILINE) == list("434243234")
    assert text.endswith("map\n  4 3 4\n  2 4 3\n  2 3 4")


def test_negative_and_broken_numbers_are_legible():
    told = convolve([[1, -2], [0.5, 3]], [[-1, 0], [0, 1 / 3]])
    assert told.told(0, 0) == "1·(-1) + (-2)·0 + 0.5·0 + 3·0.3333 = 0"


def test_the_text_of_a_larger_map_writes_its_strongest_place_alone():
    picture = np.zeros((11, 11))
    picture[7, 4] = 9
    text = str(convolve(picture, np.ones((3, 3)) * 2, padding="same"))
    assert f"the products of {MOST_WRITTEN} places at most are written out" in text
    assert re.findall(r"^row (\d+), column (\d+): .* = (\d+)$", text, re.MULTILINE) == [("7", "4", "18")]
    assert "map\n" in text


def test_the_text_of_a_picture_tells_the_range():
    text = str(convolve(some(40, 50), "edge"))
    assert "row" in text
    assert "picture\n" not in text
    assert re.search(r"the map runs from -\d+ to \d+$", text)


def test_the_text_tells_of_channels_and_padding():
    text = str(convolve(some(2, 3, 3), np.ones((2, 2, 2)), padding="same"))
    assert "picture (before padding: 0 above, 1 below, 0 to the left, 1 to the right)\nchannel 1\n" in text
    assert "map of channel 2\n" in text
    assert "map, the sum of the channels\n" in text


def test_what_a_program_may_want():
    facts = json.loads(json.dumps(convolve(PICTURE, KERNEL, padding="same").to_dict()))
    assert facts["picture"] == [1, 5, 5]
    assert facts["padding"] == {"before": [1, 1], "after": [1, 1]}
    assert len(facts["places"]) == 25
    place = facts["places"][6]
    assert (place["row"], place["column"], place["sum"]) == (1, 1, 4)
    assert np.sum(place["products"]) == 4
    assert facts["map"][1][1:4] == [4, 3, 4]
    large = convolve(np.ones((80, 80)), "blur").to_dict()
    assert (large["map"], large["parts"], large["places"]) == (None, None, None)
    assert (large["map_shape"], large["least"], large["greatest"]) == ([78, 78], 1, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"kernel": "blurr"}, UnknownNameError, "unknown kernel 'blurr'; did you mean 'blur'?"),
        (
            {"fill": "mirror"},
            UnknownNameError,
            "unknown fill 'mirror'; choose one of circular, reflect, replicate, zero",
        ),
        ({"kernel": np.ones((2, 3, 3))}, UsageError, "the kernel has 2 channels and the picture 1; give"),
        ({"kernel": np.ones((6, 6))}, GraphError, "5×5 input is smaller than the 6×6 kernel; add 'same'"),
        ({"stride": "0"}, GraphError, "stride of conv: a whole number of at least 1"),
        ({"padding": "big"}, GraphError, "padding of conv: 'valid', 'same', 'full', a whole number"),
        ({"picture": [1, 2, 3]}, UsageError, "the picture has the shape (3,); give (height, width)"),
        ({"picture": [[1, np.nan]]}, UsageError, "the picture has a number that isn't finite; replace it"),
    ],
)
def test_what_cannot_be_convolved(arguments, error, told):
    with pytest.raises(error, match=re.escape(told)):
        convolve(**{"picture": PICTURE, "kernel": KERNEL} | arguments)
