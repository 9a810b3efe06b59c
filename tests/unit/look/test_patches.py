"""Strongest patches: found, cut out by exact receptive field, and projected back by the deconvnet."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from striate.core import UsageError
from striate.graph import AvgPool, Concat, Conv, Input, Network
from striate.look import strongest_patches
from striate.look.mosaic import EMPTY
from striate.look.patches_figure import cut
from subjects import left_behind, random_bytes, sample_of, set_weights, subject_of


@st.composite
def mapped_networks(draw, *, gaps: bool) -> Network:
    """Networks of maps with strides, padding, branches and sides that differ, and with `gaps` in windows."""
    source = Input(draw(st.integers(7, 16)), draw(st.integers(7, 16)), draw(st.sampled_from([1, 3])))
    volume = source
    for _ in range(draw(st.integers(1, 3))):
        kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        stride = tuple(draw(st.integers(1, 2 if gaps else min(2, size))) for size in kernel)
        dilation = draw(st.integers(1, 2)) if gaps else 1
        match draw(st.integers(0, 2)):
            case 0:
                volume = Conv(2, kernel, stride, "same", dilation=dilation)(volume)
            case 1:
                volume = AvgPool(kernel, stride, "same")(volume)
            case _:
                wide = Conv(1, kernel, padding="same", dilation=dilation)(volume)
                volume = Concat()(
                    volume, AvgPool(3, 1, "same")(wide), Conv(1, (1, 3), padding="same")(volume)
                )
    return Network(source, volume)


@settings(max_examples=40)
@given(st.data(), st.booleans(), st.integers(0, 99))
def test_what_a_patch_has_seen_is_what_its_gradient_reaches(data, gaps: bool, seed: int) -> None:
    network = data.draw(mapped_networks(gaps=gaps))
    subject = subject_of(network)
    for weight in subject.module.parameters():
        weight.data.fill_(1.0)  # nothing cancels
    pixels = random_bytes(subject, 3, seed)
    node = network.outputs[0]
    told = strongest_patches(subject, sample_of(subject, pixels), node, count=2)
    size = network[network.inputs[0]].shape.spatial
    for channel, patches in told.channels.items():
        for patch in patches:
            x = torch.from_numpy(patch.pixels)[None].float().requires_grad_()
            (gradient,) = torch.autograd.grad(subject.module(x)[(0, channel, *patch.place)], x)
            reached = gradient[0].abs().sum(0).nonzero()
            for axis, (first, last) in enumerate(patch.seen):
                least, most = int(reached[:, axis].min()), int(reached[:, axis].max())
                # Half in the padding, a window with gaps may miss the border itself.
                assert least == max(0, first) or (gaps and first < 0 <= least)
                assert most == min(size[axis] - 1, last) or (gaps and most < size[axis] <= last)
                assert last - first + 1 <= told.field[axis]


def test_each_map_has_its_strongest_rows_one_patch_of_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["striate.look.sampling"], "_LARGEST_BATCH", 4)
    subject = subject_of("8x7x1 | conv 5 3 same relu")
    pixels = random_bytes(subject, 11)
    told = strongest_patches(subject, sample_of(subject, pixels), count=4)
    assert told.node == "relu1"
    volume = subject.module(torch.from_numpy(pixels)).detach().numpy()
    for channel, patches in told.channels.items():
        most = volume[:, channel].reshape(11, -1).max(axis=1)
        order = [int(row) for row in np.argsort(-most, kind="stable")[:4] if most[row] > 0]
        assert [patch.row for patch in patches] == order
        for patch in patches:
            assert volume[(patch.row, channel, *patch.place)] == pytest.approx(most[patch.row])
            assert patch.response == pytest.approx(most[patch.row])
            np.testing.assert_array_equal(patch.pixels, pixels[patch.row])
            assert patch.name == f"made[{patch.row}]"


def test_the_reconstruction_is_the_deconvnets() -> None:
    subject = subject_of("12x12x1 | conv 4 3 relu | maxpool 2 | conv 5 3 relu | maxpool 2")
    pixels = random_bytes(subject, 6)
    told = strongest_patches(subject, sample_of(subject, pixels), "relu2", count=3)
    first, second = subject.module["conv1"], subject.module["conv2"]
    for channel, patches in told.channels.items():
        for patch in patches:
            x = torch.from_numpy(patch.pixels)[None].float() / 255
            pooled, switches = F.max_pool2d(F.relu(first(x)), 2, return_indices=True)
            back = torch.zeros(1, 5, 3, 3)
            back[(0, channel, *patch.place)] = patch.response
            back = F.conv_transpose2d(F.relu(back), second.weight)
            back = F.relu(F.max_unpool2d(back, switches, 2, output_size=(10, 10)))
            back = F.conv_transpose2d(back, first.weight).detach().numpy()[0]
            np.testing.assert_allclose(patch.reconstruction, back, rtol=1e-4, atol=1e-6)
            inside = tuple(slice(a, b + 1) for a, b in patch.seen)
            outside = patch.reconstruction.copy()
            outside[(slice(None), *inside)] = 0
            assert not outside.any()
            assert pooled.shape == (1, 4, 5, 5)
    assert left_behind(subject) == []


def test_a_map_that_never_responds_has_no_patches() -> None:
    subject = subject_of("5x5x3 | conv 2 3 relu")
    set_weights(subject, conv1_bias=[-100.0, 1.0])
    told = strongest_patches(subject, sample_of(subject, random_bytes(subject, 3)), count=5)
    assert told.silent == (0,)
    assert len(told.channels[1]) == 3  # no more than there are pictures
    assert "map 0: never above 0" in str(told).splitlines()
    assert "relu1 (relu): 2 of 2 maps, receptive field 3×3, over all 3 rows of 'test' of made" in str(told)
    texts = [text.get_text() for text in told.figure().axes[0].texts]
    assert texts[1].endswith("\nnever above 0: 0")
    assert len(told.figure().axes[0].images) == 1
    none = strongest_patches(subject, sample_of(subject, random_bytes(subject, 3)), channels=[0])
    assert none.figure().axes[0].images


def test_padding_is_shown_empty() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)[..., None].repeat(3, axis=2)
    # A field of 3×3 in the corner: its first row and column are padding.
    page = cut(picture, ((-1, 1), (-1, 1)), (3, 3))
    assert page.shape == (3, 3, 3)
    assert (page[0] == EMPTY).all()
    assert (page[:, 0] == EMPTY).all()
    np.testing.assert_array_equal(page[1:, 1:], picture[:2, :2])


def test_a_field_larger_than_the_picture_shows_what_is_seen_in_its_place() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)[..., None].repeat(3, axis=2)
    page = cut(picture, ((2, 6), (1, 5)), (5, 5))
    assert page.shape == (3, 4, 3)
    np.testing.assert_array_equal(page[2:, 1:], picture[2:, 1:])
    assert (page[:2] == EMPTY).all()
    assert (page[:, 0] == EMPTY).all()


def test_what_cannot_be_shown_is_told() -> None:
    subject = subject_of("5x5x3 | conv 2 3 relu | flatten | dense 3")
    sample = sample_of(subject, random_bytes(subject, 3))
    with pytest.raises(UsageError, match=r"'relu1' has no channel 2; it has 0 to 1$"):
        strongest_patches(subject, sample, channels=[0, 2])
    with pytest.raises(UsageError, match=r"'dense1' .* has no feature maps"):
        strongest_patches(subject, sample, "dense1")
    with pytest.raises(UsageError, match="0 patches of a map show nothing"):
        strongest_patches(subject, sample, count=0)


def test_floats_stay_floats() -> None:
    subject = subject_of("5x5x1 | conv 2 3 relu")
    pixels = np.random.default_rng(0).normal(size=(4, 1, 5, 5)).astype(np.float32)
    told = strongest_patches(subject, sample_of(subject, pixels))
    volume = subject.module(torch.from_numpy(pixels))
    patch = told.channels[0][0]
    assert patch.response == pytest.approx(float(volume[:, 0].detach().max()))
    weight = subject.module["conv1"].weight.detach().numpy()[0, 0]
    there = tuple(slice(a, b + 1) for a, b in patch.seen)
    np.testing.assert_allclose(patch.reconstruction[0][there], patch.response * weight, rtol=1e-5)
