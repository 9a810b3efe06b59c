import os
import sys

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, Shape, UsageError
from striate.data.assemble import classified
from striate.data.check import check
from striate.data.images import ArrayPictures, EncodedPictures, Images, Split
from striate.data.load import load
from striate.data.picture import read_picture
from striate.data.prepare import prepare_split
from striate.data.text import printable

PICTURES = ArrayPictures(np.zeros((2, 2, 2, 1), np.uint8), "memory")


def test_only_what_garbles_a_terminal_is_escaped():
    assert printable("Ångström 猫 × 'a\\b'") == "Ångström 猫 × 'a\\b'"
    assert printable("a\nb\x1b[2J\u2028\udcff\x9b") == r"a\nb\x1b[2J\u2028\udcff\x9b"


def test_messages_show_names_from_the_data_in_one_line(tmp_path):
    bad = tmp_path / "bad\n\x1b[31m.png"
    bad.write_text("no picture")
    with pytest.raises(DataError, match=r"bad\\n\\x1b\[31m\.png as a picture"):
        read_picture(bad)
    with pytest.raises(DataError, match=r"bad\\n\\x1b\[31m\.png isn't in a form"):
        load(bad)
    with pytest.raises(UsageError, match=r"^'no\\nwhere' names no data set"):
        load("no\nwhere")
    split = Split(EncodedPictures([bad, bad], [str(bad)] * 2), np.array([0, 1]))
    with pytest.raises(DataError, match=r"first .*bad\\n\\x1b\[31m\.png \("):
        prepare_split(split, Shape((4, 4), 3), "crop")
    finding = check(Images("odd", ("a", "b"), {"train": split}))[0]
    assert finding.text.startswith(f"{tmp_path}/bad\\n\\x1b[31m.png in train can't be read")
    assert finding.files == (str(bad),)


def test_names_that_are_not_unicode_become_so():
    images = classified("s\udcff", "HERE", {"train": (PICTURES, np.array([0, 1]))}, ["\udcff bad", "\ud800"])
    assert images.classes == ("\\udcff bad", "\\ud800")
    assert images.name == "s\\udcff"
    told = "HERE has classes whose names differ only in what isn't Unicode; give them other names"
    with pytest.raises(DataError, match=told):
        classified("set", "HERE", {"train": (PICTURES, np.array([0, 1]))}, ["\\udcff", "\udcff"])


@pytest.mark.skipif(sys.platform != "linux", reason="only there any bytes are a file's name")
def test_folders_whose_names_are_not_unicode_keep_their_paths(tmp_path):
    for name in (b"\xff bad", b"good"):
        folder = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(folder)  # noqa: PTH102 - as bytes
        Image.new("L", (2, 2)).save(os.fsdecode(folder + b"/1.png"))
    images = load(tmp_path)
    assert images.classes == ("good", "\\udcff bad")
    with images.split("train").pictures.open(1) as picture:
        assert picture.size == (2, 2)


def test_an_empty_list_of_names_is_told():
    told = "HERE has an empty list of class names; name every class or leave the list out"
    with pytest.raises(DataError, match=told):
        classified("set", "HERE", {"train": (PICTURES, np.array([0, 1]))}, [])
