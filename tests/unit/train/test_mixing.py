"""Mixed batches, against what the papers' formulas give."""

import numpy as np
import pytest
import torch

from striate.core import UsageError
from striate.train.mixing import Mixing


def batch(count=6, size=8, classes=3):
    """Pictures each of one brightness, so that a mixed one tells what it was mixed from."""
    pixels = (20 * torch.arange(1, count + 1)).to(torch.uint8).view(-1, 1, 1, 1)
    return pixels.expand(count, 2, size, size).contiguous(), torch.arange(count) % classes


def test_mixup_blends_numbers_and_shares_in_one_proportion():
    pixels, labels = batch()
    row = torch.rand((6, 4))
    target = torch.rand((6, 2))
    mixing = Mixing(mixup=1.0, cutmix=0.0, classes=(3, 0), seed=5)
    (mixed, mixed_row), (shares, numbers) = mixing([pixels, row], [labels, target], 7)
    assert (mixed.dtype, mixed.shape) == (pixels.dtype, pixels.shape)
    rng = np.random.default_rng([2, 5, 7])
    own, partner = rng.beta(1.0, 1.0), rng.permutation(6)
    expected = own * pixels.double() + (1 - own) * pixels[partner].double()
    torch.testing.assert_close(mixed.double(), expected, atol=0.51, rtol=0)
    torch.testing.assert_close(mixed_row, own * row + (1 - own) * row[partner])
    torch.testing.assert_close(numbers, own * target + (1 - own) * target[partner])
    for index, (one, other) in enumerate(zip(labels, labels[partner], strict=True)):
        wanted = np.zeros(3)
        wanted[one] += own
        wanted[other] += 1 - own
        np.testing.assert_allclose(shares[index], wanted, atol=1e-6)


@pytest.mark.parametrize("number", range(12))
def test_cutmix_pastes_one_box_and_counts_its_places(number):
    pixels, labels = batch(size=9)
    small = pixels[:, :1, :3, :3].contiguous()
    mixing = Mixing(mixup=0.0, cutmix=1.0, classes=(3,), seed=1)
    (mixed, mixed_small), (shares,) = mixing([pixels, small], [labels], number)
    for index in range(6):
        changed = mixed[index, 0] != pixels[index, 0]
        assert torch.equal(mixed[index, 1] != pixels[index, 1], changed)
        if changed.any():
            rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
            box = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert box.all()
            assert len(mixed[index, 0][changed].unique()) == 1
            left = 1 - changed.float().mean().item()
            other = mixed[index, 0][changed][0].item() // 20 - 1
            assert shares[index, labels[index]] == pytest.approx(
                left + (1 - left) * (labels[other] == labels[index]).item(), abs=1e-6
            )
        assert shares[index].sum() == pytest.approx(1)
        # A smaller picture of the same row is cut at the same place.
        assert set(mixed_small[index].unique().tolist()) <= set(mixed[index].unique().tolist()) | {
            pixels[index, 0, 0, 0].item()
        } | set(pixels.unique().tolist())


def test_what_is_drawn_depends_on_seed_and_step_alone():
    pixels, labels = batch()
    both = Mixing(mixup=0.4, cutmix=1.0, classes=(3,), seed=3)
    told = [both([pixels], [labels], number) for number in (4, 4, 5)]
    assert torch.equal(told[0][0][0], told[1][0][0])
    assert torch.equal(told[0][1][0], told[1][1][0])
    assert not torch.equal(told[0][1][0], told[2][1][0])
    other = Mixing(mixup=0.4, cutmix=1.0, classes=(3,), seed=4)([pixels], [labels], 4)
    assert not torch.equal(told[0][1][0], other[1][0])


def test_of_both_each_step_takes_one():
    pixels, labels = batch(count=12)
    both = Mixing(mixup=1.0, cutmix=1.0, classes=(3,), seed=0)
    known = set(pixels.unique().tolist())
    pasted = [set(both([pixels], [labels], n)[0][0].unique().tolist()) <= known for n in range(40)]
    assert 8 < sum(pasted) < 32


def test_signals_and_voxels_are_cut_and_rows_of_numbers_blended():
    signal, row = torch.zeros((4, 1, 50)), torch.zeros((4, 3))
    signal[0], row[0] = 1, 1
    mixing = Mixing(mixup=0.0, cutmix=1.0, classes=(2,), seed=2)
    (mixed, mixed_row), _ = mixing([signal, row], [torch.tensor([0, 1, 1, 1])], 0)
    assert set(mixed.unique().tolist()) <= {0.0, 1.0}
    assert mixed_row.unique().numel() > 1


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (
            "flatten | dense 4 relu | dense",
            {"cutmix": 1.0, "tokens": True},
            "tokens can't be mixed as pictures can; take mixup and cutmix out",
        ),
        (
            "dense 4 relu | dense",
            {"cutmix": 1.0},
            "cutmix pastes parts of pictures, and the network takes rows of numbers; choose mixup instead",
        ),
    ],
)
def test_what_cannot_be_mixed_is_told(trained, tmp_path, network, changes, message):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    path = tmp_path / "rows.npz"
    if changes.pop("tokens", False):
        np.savez(path, x_train=rng.integers(0, 9, (40, 6)), y_train=labels)
        network = f"6x1 tokens | embedding 9 3 | {network}"
    else:
        np.savez(path, x_train=rng.random((40, 5)).astype(np.float32), y_train=labels)
    with pytest.raises(UsageError) as caught:
        trained(network, str(path), **changes)
    assert str(caught.value) == message
