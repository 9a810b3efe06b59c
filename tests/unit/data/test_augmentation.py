import pytest
import torch

from striate.core import UsageError
from striate.data.augment import Augmentation


def batch(count=64, depth=3, height=9, width=11):
    return torch.randint(0, 256, (count, depth, height, width), dtype=torch.uint8,
                         generator=torch.Generator().manual_seed(0))  # fmt: skip


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def shifted(picture, down, across):
    """The slow, obvious way: each pixel fetched by itself, from the edge when it lies outside."""
    _, height, width = picture.shape
    result = torch.empty_like(picture)
    for row in range(height):
        for column in range(width):
            source_row = min(max(row + down, 0), height - 1)
            source_column = min(max(column + across, 0), width - 1)
            result[:, row, column] = picture[:, source_row, source_column]
    return result


def all_variants(picture, shift, flip):
    steps = range(-shift, shift + 1)
    moved = {(down, across, False): shifted(picture, down, across) for down in steps for across in steps}
    if flip:
        moved |= {(down, across, True): variant.flip(2) for (down, across, _), variant in moved.items()}
    return moved


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_every_picture_is_one_of_the_possible_variants_and_all_occur(shift, flip):
    pixels = batch(count=300, depth=2, height=4, width=5)
    augmented = Augmentation(shift=shift, flip=flip)(pixels, seeded())
    assert augmented.dtype == torch.uint8
    seen = set()
    for before, after in zip(pixels, augmented, strict=True):
        variants = all_variants(before, shift, flip)
        which = [name for name, variant in variants.items() if torch.equal(variant, after)]
        assert len(which) == 1
        seen.add(which[0])
    assert len(seen) == (2 * shift + 1) ** 2 * (1 + flip)


def test_shift_larger_than_the_picture_still_shows_its_edge():
    assert Augmentation(shift=50)(batch(), seeded()).shape == (64, 3, 9, 11)


def test_nothing_asked_nothing_done():
    pixels = batch()
    assert Augmentation()(pixels, seeded()) is pixels


def test_same_generator_same_result_and_the_batch_is_left_alone():
    pixels = batch()
    before = pixels.clone()
    augmentation = Augmentation(shift=2, flip=True, crop=0.7)
    assert torch.equal(augmentation(pixels, seeded()), augmentation(pixels, seeded()))
    assert not torch.equal(augmentation(pixels, seeded()), augmentation(pixels, seeded(2)))
    assert torch.equal(pixels, before)


def test_crop_shows_a_part_enlarged():
    """On a ramp along x, a crop is again a ramp, of a slope as steep as the part is wide."""
    ramp = (torch.arange(101) * 2).to(torch.uint8).expand(400, 1, 11, 101)
    cropped = Augmentation(crop=0.5)(ramp, seeded())
    assert cropped.dtype == torch.uint8
    middle = cropped[:, 0, 5].float()
    sides = (middle[:, 60] - middle[:, 40]) / 20 / 2
    assert sides.min() > 0.48
    assert sides.max() < 1.02
    assert sides.std() > 0.1
    centres = middle[:, 50] / 2
    # Half the width of the part away from either edge: nothing from outside the picture is shown.
    assert (centres >= sides * 50 - 2).all()
    assert (centres <= 100 - sides * 50 + 2).all()


def test_crop_moves_rows_and_columns_alike():
    square = torch.rand((1, 1, 20, 20), generator=seeded()).expand(2, 1, 20, 20)
    assert Augmentation(crop=0.6)(square, seeded()).dtype == torch.float32
    constant = torch.full((3, 2, 6, 5), 77, dtype=torch.uint8)
    assert torch.equal(Augmentation(crop=0.3)(constant, seeded()), constant)


def test_bounds_are_told():
    with pytest.raises(UsageError, match="shift is -1 pixels; give 0 or more"):
        Augmentation(shift=-1)
    for crop in (0, 1.5, float("nan")):
        with pytest.raises(UsageError, match="give a fraction above 0 and at most 1"):
            Augmentation(crop=crop)
