import re

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, UnknownNameError, UsageError
from striate.graph import KERNEL_NAMES
from striate.look import named_kernel, read_kernel, read_matrix, read_pixels
from striate.look.matrices import number_text


@pytest.mark.parametrize(
    "text", ["12/34", "1,2/3,4", "1,2;3,4", "1 2 / 3 4", "1, 2\n3, 4\n", "12;34;", "1.0,2/3,4e0", "01,02/3,4"]
)
def test_the_ways_to_write_a_matrix(text):
    assert read_matrix(text).tolist() == [[[1, 2], [3, 4]]]


def test_planes_are_channels():
    expected = [[[1, 0], [0, 1]], [[2, 3], [4, 5]]]
    assert read_matrix("10/01//23/45").tolist() == expected
    assert read_matrix("1 0\n0 1\n\n2 3\n4 5").tolist() == expected
    assert read_matrix("-1.5,2/0,1e3").tolist() == [[[-1.5, 2], [0, 1000]]]


def test_a_file_of_numbers(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_bytes(b"\xef\xbb\xbf1,2\r\n3,4\r\n")
    assert read_matrix(str(path)).tolist() == [[[1, 2], [3, 4]]]
    assert read_kernel(str(path)).tolist() == [[[1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("110/01", "row 2 of '110/01' has 2 numbers and the first 3; give each row as many"),
        ("11/11//11", "the planes of '11/11//11' have 2 and 1 rows; give each as many"),
        ("1,2/3,", "'' in '1,2/3,' is no number; write one in its place"),
        ("1,,2", "'' in '1,,2' is no number; write one in its place"),
        ("1,1e999", "1e999 in '1,1e999' is too large; write a smaller number"),
        ("nowhere.txt", "'nowhere.txt' is no matrix and no file of one; write rows of numbers such as"),
        ("", "'' is no matrix and no file of one"),
        ("9" * 5000 + "x", "is no matrix and no file of one"),
    ],
)
def test_what_is_no_matrix(text, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        read_matrix(text)


def test_a_picture_is_no_matrix(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("L", (4, 4)).save(path)
    with pytest.raises(
        UsageError, match="holds no text; write numbers into it, or give a picture with --image"
    ):
        read_matrix(str(path))


def test_kernels_have_names():
    assert named_kernel("sobel-x").tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert named_kernel("cross").tolist() == [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]
    for name in KERNEL_NAMES:
        assert np.array_equal(read_kernel(name), named_kernel(name)[None])
    for read in (read_kernel, named_kernel):
        with pytest.raises(UnknownNameError, match="unknown kernel 'sobel'; did you mean 'sobel-"):
            read("sobel")


def test_a_picture_is_read_upright_and_whole(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 10), (255, 0, 0)).save(path, exif=exif, quality=95)
    pixels = read_pixels(path, depth=3)
    assert pixels.shape == (3, 30, 10)
    assert pixels[:, 5, 5] == pytest.approx([255, 0, 0], abs=3)
    assert read_pixels(path, depth=1).shape == (1, 30, 10)
    assert read_pixels(path, depth=1, longest=30).shape == (1, 30, 10)
    assert read_pixels(path, depth=1, longest=15).shape == (1, 15, 5)
    with pytest.raises(UsageError, match=r"nowhere.png is no file; give the path of a picture"):
        read_pixels("nowhere.png", depth=1)
    path.write_text("no picture")
    with pytest.raises(DataError, match="as a picture"):
        read_pixels(path, depth=1)


def test_numbers_are_written_short():
    told = [number_text(value) for value in (4.0, -0.0, 0.0625, -1 / 3, 123456.0, 1e20)]
    assert told == ["4", "0", "0.0625", "-0.3333", "123456", "1e+20"]
