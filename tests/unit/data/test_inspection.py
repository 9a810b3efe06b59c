import json
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from striate.data.images import ArrayPictures, EncodedPictures, Images, Split
from striate.data.inspection import common_size, depth, inspect, median_size
from striate.data.splits import SubsetPictures
from striate.data.statistics import channel_statistics


def noise(*axes, seed=0):
    return np.random.default_rng(seed).integers(0, 256, axes, dtype=np.uint8)


def photo_file(height, width, mode="RGB", file_format="PNG", **options):
    file = BytesIO()
    Image.new(mode, (width, height)).save(file, file_format, **options)
    return file.getvalue()


def photos(*files):
    return EncodedPictures(files, [f"set[{index}]" for index in range(len(files))])


def images(classes=("cat", "dog"), **splits):
    return Images("pets", classes, {name: Split(*split) for name, split in splits.items()})


MIXED = photos(photo_file(10, 20), photo_file(30, 12, "L"), photo_file(16, 16), b"no picture")


def test_files_are_inspected():
    found = inspect(
        images(train=(MIXED, np.array([0, 1, 1, 1])), val=(photos(photo_file(8, 8)), np.array([0])))
    )
    assert found.counts == {"train": {"cat": 1, "dog": 3}, "val": {"cat": 1, "dog": 0}}
    assert found.unreadable == 1
    assert (found.height.least, found.height.median, found.height.greatest) == (8, 10, 30)
    assert (found.width.least, found.width.median, found.width.greatest) == (8, 12, 20)
    assert found.modes == {"RGB": 3, "L": 1}
    assert found.mean == (0, 0, 0)
    assert found.deviation == (1, 1, 1)
    assert json.loads(json.dumps(found.to_dict()))["height"] == {"least": 8, "median": 10, "greatest": 30}
    assert str(found) == (
        "pets: 5 pictures, 2 classes\n"
        "\n"
        "       train  val\n"
        "cat        1    1\n"
        "dog        3    0\n"
        "total      4    1\n"
        "\n"
        "height     8 to 30, median 10\n"
        "width      8 to 20, median 12\n"
        "modes      RGB 3, L 1\n"
        "mean       0.0000 0.0000 0.0000\n"
        "deviation  1.0000 1.0000 1.0000\n"
        "unreadable 1; `striate data check` lists them"
    )


def test_arrays_are_inspected_and_statistics_are_those_of_all_when_few():
    array = noise(50, 6, 7, 1)
    found = inspect(images(train=(ArrayPictures(array, "memory"), np.arange(50) % 2)))
    assert (str(found.height), str(found.width), found.modes) == ("6", "7", {"L": 50})
    assert found.mean[0] == pytest.approx(array.mean() / 255)
    assert found.deviation[0] == pytest.approx(array.std() / 255)


def test_regression_targets_have_no_classes():
    pictures = ArrayPictures(noise(4, 6, 7, 3), "memory")
    found = inspect(images((), train=(pictures, np.zeros((4, 2), np.float32))))
    assert found.counts == {"train": {"": 4}}
    assert "4 pictures, regression targets" in str(found)


def test_nothing_readable_is_still_inspected():
    found = inspect(images(train=(photos(b"nothing"), np.array([0]))))
    assert (found.height, found.modes, found.mean, found.unreadable) == (None, {}, (), 1)
    assert "height     unknown" in str(found)
    assert inspect(Images("none", (), {})).counts == {}


def test_size_and_depth_for_a_default_network():
    mixed = images(train=(MIXED, np.zeros(4, np.int64)))
    assert (common_size(mixed), median_size(mixed), depth(mixed)) == (None, (16, 16), 3)
    grey = images(train=(photos(photo_file(9, 5, "L"), photo_file(9, 5, "1")), np.zeros(2, np.int64)))
    assert (common_size(grey), median_size(grey), depth(grey)) == ((9, 5), (9, 5), 1)
    base = ArrayPictures(noise(4, 6, 7, 5), "memory")
    subset = images(train=(SubsetPictures(base, np.array([2, 0])), np.zeros(2, np.int64)))
    assert (common_size(subset), depth(subset)) == ((6, 7), 5)
    nothing = images(train=(photos(b"nothing"), np.array([0])))
    assert (common_size(nothing), median_size(nothing), depth(nothing)) == (None, None, 3)


def test_sizes_are_those_of_the_upright_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = photos(photo_file(10, 20, file_format="JPEG", exif=exif))
    assert common_size(images(train=(lying, np.array([0])))) == (20, 10)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 600), channels=st.integers(1, 4), low=st.integers(0, 255), seed=st.integers(0, 99)
)
def test_statistics_of_bytes_are_exact(count, channels, low, seed):
    pixels = np.random.default_rng(seed).integers(low, 256, (count, channels, 3, 2), dtype=np.uint8)
    mean, deviation = channel_statistics(pixels)
    unit = pixels / 255
    np.testing.assert_allclose(mean, unit.mean(axis=(0, 2, 3)), rtol=1e-12)
    expected = unit.std(axis=(0, 2, 3))
    constant = [len(np.unique(pixels[:, channel])) == 1 for channel in range(channels)]
    np.testing.assert_allclose(deviation, np.where(constant, 1, expected), rtol=1e-9)


def test_statistics_of_floats_are_those_of_the_floats():
    pixels = np.random.default_rng(0).normal(1000, 0.5, (600, 2, 3, 3)).astype(np.float32)
    pixels[:, 1] = 4
    mean, deviation = channel_statistics(pixels)
    np.testing.assert_allclose(mean, [pixels[:, 0].mean(dtype=np.float64), 4], rtol=1e-12)
    np.testing.assert_allclose(deviation, [pixels[:, 0].std(dtype=np.float64), 1], rtol=1e-9)


def test_columns_of_numbers_are_told_with_what_they_lack():
    columns = {
        "age\n": np.array([1.0, np.nan, 3.0], np.float32),
        "a name of many letters": np.full(3, np.nan, np.float32),
        "x": np.array([[1, 2], [3, 4], [5, 6]]),
    }
    told = str(inspect(Images("people", (), {"train": Split(None, None, columns)}))).splitlines()
    assert told[-3:] == [
        r"age\n                  numbers, 1 a row, from 1 to 3, 1 missing or not finite",
        "a name of many letters numbers, 1 a row, none finite",
        "x                      whole numbers, 2 a row, from 1 to 6",
    ]
