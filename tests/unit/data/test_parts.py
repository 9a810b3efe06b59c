import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.core import Shape, UsageError
from striate.data import Deal, load, part, prepare_split
from striate.data.images import ArrayPictures, EncodedPictures, Split
from striate.data.shards import rows_of_part

GREY = Shape((2, 2), 1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@given(rows=st.integers(1, 500), of=st.integers(1, 7))
def test_parts_hold_each_row_once_and_as_many_as_a_deal_gives(rows, of):
    if of > rows:
        return
    parts = [rows_of_part(rows, rank, of) for rank in range(of)]
    assert [row for one in parts for row in one] == list(range(rows))
    assert [len(one) for one in parts] == [len(range(rows)[Deal(rank, of).dealt(rows)]) for rank in range(of)]


def test_parts_that_are_none_are_refused():
    for rank, of in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(UsageError, match=rf"^part {rank} of {of} isn't one; count the parts from 0 to "):
            rows_of_part(10, rank, of)
    with pytest.raises(UsageError) as caught:
        rows_of_part(3, 0, 4)
    assert str(caught.value) == "3 rows can't be shared by 4 processes; start at most 3"


def png(brightness):
    file = io.BytesIO()
    Image.new("L", (2, 2), brightness).save(file, "PNG")
    return file.getvalue()


def shards(folder, *sizes):
    folder.mkdir()
    row = 0
    for number, size in enumerate(sizes):
        with tarfile.open(folder / f"train-{number}.tar", "w") as archive:
            for _ in range(size):
                for name, content in ((f"{row:04}.png", png(row)), (f"{row:04}.cls", str(row % 2).encode())):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
                row += 1
    return folder


def test_each_process_reads_its_own_shards(tmp_path, monkeypatch):
    images = load(shards(tmp_path / "d", 3, 4, 2, 5))
    split = images.split("train")
    opened = []
    original = type(split.pictures).open
    monkeypatch.setattr(
        type(split.pictures), "open", lambda self, row: opened.append(row) or original(self, row)
    )
    seen = []
    for rank, rows in ((0, range(7)), (1, range(7, 14))):
        own = part(split, rank, 2)
        pixels = prepare_split(own, GREY, "crop")
        assert sorted(opened) == list(rows)  # nothing of the others'
        opened.clear()
        assert own.labels.tolist() == [row % 2 for row in rows]
        seen += pixels[:, 0, 0, 0].tolist()
    assert seen == list(range(14))


def test_rows_without_shards_are_shared_equally():
    array = np.arange(7 * 4, dtype=np.uint8).reshape(7, 2, 2, 1)
    encoded = EncodedPictures([png(row) for row in range(7)], [str(row) for row in range(7)])
    numbers = np.arange(7)
    for pictures in (ArrayPictures(array, "memory"), encoded):
        split = Split(pictures, numbers, {"age": numbers.astype(np.float32)})
        parts = [part(split, rank, 3) for rank in range(3)]
        assert [one.labels.tolist() for one in parts] == [[0, 1, 2], [3, 4], [5, 6]]
        assert [one.numbers("age").tolist() for one in parts] == [[0, 1, 2], [3, 4], [5, 6]]
        joined = np.concatenate([prepare_split(one, GREY, "crop") for one in parts])
        np.testing.assert_array_equal(joined, prepare_split(split, GREY, "crop"))
