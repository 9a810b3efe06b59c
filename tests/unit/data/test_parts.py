import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.core import Shape, UsageError
from striate.data import load, part, prepare_split, with_held_out
from striate.data.images import ArrayPictures, EncodedPictures, Split
from striate.data.shards import rows_of_part

GREY = Shape((2, 2), 1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@given(sizes=st.lists(st.integers(1, 50), max_size=12), of=st.integers(1, 6), more=st.integers(0, 30))
def test_parts_hold_each_row_once_and_end_with_shards_where_there_are_enough(sizes, of, more):
    starts = np.cumsum([0, *sizes])[:-1] if sizes else []
    rows = sum(sizes) if sizes else more + of
    if of > rows:
        return
    parts = [rows_of_part(rows, starts, rank, of) for rank in range(of)]
    assert [row for one in parts for row in one] == list(range(rows))
    assert all(len(one) > 0 for one in parts)
    whole = all(one.start in {0, *map(int, starts)} for one in parts)
    assert whole or max(map(len, parts)) - min(map(len, parts)) <= 1
    if sizes and len(set(sizes)) == 1 and len(sizes) >= of:
        assert whole
        assert max(map(len, parts)) - min(map(len, parts)) <= sizes[0]


def test_parts_that_are_none_are_refused():
    for rank, of in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(UsageError, match=rf"^part {rank} of {of} isn't one; count the parts from 0 to "):
            rows_of_part(10, [], rank, of)
    with pytest.raises(UsageError) as caught:
        rows_of_part(3, [], 0, 4)
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
    images = load(shards(tmp_path / "d", 3, 5, 2, 4))
    split = images.split("train")
    opened = []
    original = type(split.pictures).open
    monkeypatch.setattr(
        type(split.pictures), "open", lambda self, row: opened.append(row) or original(self, row)
    )
    seen = []
    for rank, rows in ((0, range(8)), (1, range(8, 14))):
        own = part(split, rank, 2)
        pixels = prepare_split(own, GREY, "crop")
        assert sorted(opened) == list(rows)  # nothing of the others'
        opened.clear()
        assert own.labels.tolist() == [row % 2 for row in rows]
        seen += pixels[:, 0, 0, 0].tolist()
    assert seen == list(range(14))


def test_what_is_held_out_of_shards_still_ends_with_them(tmp_path):
    images = load(shards(tmp_path / "d", *[10] * 6))
    train = with_held_out(images, validation=0.1, seed=0).split("train")
    parts = [part(train, rank, 3) for rank in range(3)]
    names = [[one.pictures.name(row) for row in range(len(one))] for one in parts]
    assert [name for one in names for name in one] == [train.pictures.name(row) for row in range(len(train))]
    files = [{name.rpartition("/")[0] for name in one} for one in names]
    assert not files[0] & files[1]
    assert not files[1] & files[2]


def test_rows_without_shards_are_shared_equally():
    array = np.arange(7 * 4, dtype=np.uint8).reshape(7, 2, 2, 1)
    encoded = EncodedPictures([png(row) for row in range(7)], [str(row) for row in range(7)])
    numbers = np.arange(7)
    for pictures in (ArrayPictures(array, "memory"), encoded):
        split = Split(pictures, numbers, {"age": numbers.astype(np.float32)})
        parts = [part(split, rank, 3) for rank in range(3)]
        assert [one.labels.tolist() for one in parts] == [[0, 1], [2, 3], [4, 5, 6]]
        assert [one.numbers("age").tolist() for one in parts] == [[0, 1], [2, 3], [4, 5, 6]]
        joined = np.concatenate([prepare_split(one, GREY, "crop") for one in parts])
        np.testing.assert_array_equal(joined, prepare_split(split, GREY, "crop"))
