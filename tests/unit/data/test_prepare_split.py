import time
from io import BytesIO
from threading import Event

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, Shape, UsageError
from striate.data import cache, prepare
from striate.data.images import ArrayPictures, EncodedPictures, Split
from striate.data.picture import prepare_picture
from striate.data.prepare import prepare_split
from striate.data.splits import SubsetPictures

GREY, RGB = Shape((8, 8), 1), Shape((8, 8), 3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


def noise(*axes, seed=0):
    return np.random.default_rng(seed).integers(0, 256, axes, dtype=np.uint8)


def encoded(count, size=(12, 10)):
    files = []
    for index in range(count):
        file = BytesIO()
        Image.fromarray(noise(*size, 3, seed=index)).save(file, "PNG")
        files.append(file.getvalue())
    return EncodedPictures(files, [f"set[{index}]" for index in range(count)])


def one_by_one(pictures, shape, fit="crop"):
    return np.stack([prepare_picture(pictures.open(i), shape, fit) for i in range(len(pictures))])


def entries():
    cache.wait_for_writing()
    return sorted((cache.cache_folder() / "prepared").glob("*"))


@pytest.mark.parametrize("depth", [1, 3, 4, 2])
@pytest.mark.parametrize("shape", [GREY, RGB])
@pytest.mark.parametrize("size", [8, 9])
def test_arrays_come_out_as_one_by_one(depth, shape, size):
    pictures = ArrayPictures(noise(1030, size, size, depth), "memory")
    prepared = prepare_split(pictures, shape, "crop")
    np.testing.assert_array_equal(prepared, one_by_one(pictures, shape))


def test_arrays_of_the_size_need_no_cache():
    pixels = prepare_split(ArrayPictures(noise(5, 8, 8, 6), "memory"), Shape((8, 8), 6), "crop")
    assert pixels.shape == (5, 6, 8, 8)
    assert prepare_split(ArrayPictures(noise(0, 8, 8, 1), "memory"), GREY, "crop").shape == (0, 1, 8, 8)
    assert entries() == []


def test_floats_stay_floats_and_must_have_the_size():
    array = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    prepared = prepare_split(ArrayPictures(array, "memory"), GREY, "crop")
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared[:, 0], array[..., 0])
    with pytest.raises(
        DataError, match=r"4 of 4 pictures can't be read, first memory\[0\] \(a picture of floats"
    ):
        prepare_split(ArrayPictures(array, "memory"), Shape((9, 9), 1), "crop")
    with pytest.raises(DataError, match="a picture of floats is 8×8×1 but the network's input 8×8×3"):
        prepare_split(ArrayPictures(array, "memory"), RGB, "crop")


def test_files_come_out_as_one_by_one_and_progress_is_told():
    pictures = encoded(150)
    told = []
    prepared = prepare_split(Split(pictures, np.zeros(150, np.int64)), RGB, "pad",
                             progress=lambda *numbers: told.append(numbers))  # fmt: skip
    np.testing.assert_array_equal(prepared, one_by_one(pictures, RGB, "pad"))
    assert told == sorted(told)
    assert told[-1] == (150, 150)


def test_slow_pictures_are_decoded_in_threads_and_keep_their_order(monkeypatch):
    monkeypatch.setattr("striate.data.threads._SECONDS_WORTH_A_THREAD", 0)
    pictures = encoded(150)
    np.testing.assert_array_equal(prepare_split(pictures, GREY, "crop"), one_by_one(pictures, GREY))


def test_cache_spares_the_decoding(monkeypatch):
    first = prepare_split(encoded(5), RGB, "crop")
    monkeypatch.setattr(prepare, "_decode", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(prepare_split(encoded(5), RGB, "crop"), first)
    assert len(entries()) == 1


def test_pictures_are_there_for_all_before_the_cache_is_written(monkeypatch):
    may_write = Event()
    write = cache._write
    monkeypatch.setattr(cache, "_write", lambda *of: (may_write.wait(10), write(*of)))
    first = prepare_split(encoded(5), RGB, "crop")
    assert not list((cache.cache_folder() / "prepared").glob("*.npy"))
    monkeypatch.setattr(prepare, "_decode", lambda *_: pytest.fail("decoded again"))
    assert prepare_split(encoded(5), RGB, "crop") is first
    assert not list((cache.cache_folder() / "prepared").glob("*.npy"))
    may_write.set()
    assert len(entries()) == 1
    again = prepare_split(encoded(5), RGB, "crop")
    assert again is not first
    np.testing.assert_array_equal(again, first)


def test_what_could_not_be_read_is_tried_again_beside_what_is_being_written(tmp_path, monkeypatch):
    may_write = Event()
    write = cache._write
    monkeypatch.setattr(cache, "_write", lambda *of: (may_write.wait(10), write(*of)))
    files = [tmp_path / f"{index}.png" for index in range(3)]
    for index, file in enumerate(files):
        Image.fromarray(noise(9, 9, 3, seed=index)).save(file)
    broken = EncodedPictures(files, [file.name for file in files])
    monkeypatch.setattr(type(broken), "fingerprint", "the same", raising=False)
    whole = one_by_one(broken, RGB)
    content = files[1].read_bytes()
    files[1].write_bytes(content[:40])
    first, failures = prepare.prepared(broken, RGB, "crop", None)
    assert list(failures) == [1]
    files[1].write_bytes(content)
    second, failures = prepare.prepared(broken, RGB, "crop", None)
    assert not failures
    np.testing.assert_array_equal(second, whole)
    assert not first[1].any()
    may_write.set()
    assert len(entries()) == 1


def test_cache_tells_pictures_shapes_and_fits_apart():
    for count, shape, fit in ((5, RGB, "crop"), (5, RGB, "pad"), (5, GREY, "pad"), (4, GREY, "pad")):
        pictures = encoded(count)
        np.testing.assert_array_equal(prepare_split(pictures, shape, fit), one_by_one(pictures, shape, fit))
    assert len(entries()) == 4


@pytest.mark.parametrize("damage", [b"", b"nonsense", "shorter", "other shape"])
def test_damaged_cache_is_made_anew(damage):
    first = prepare_split(encoded(5), RGB, "crop")
    (entry,) = entries()
    whole = entry.read_bytes()
    if damage == "other shape":
        np.save(entry, np.zeros((2, 2), np.uint8))
    else:
        entry.write_bytes(whole[:-7] if damage == "shorter" else damage)
    np.testing.assert_array_equal(prepare_split(encoded(5), RGB, "crop"), first)
    assert entries() == [entry]
    assert entry.read_bytes() == whole


def test_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    assert prepare_split(encoded(3), RGB, "crop").shape == (3, 3, 8, 8)


@pytest.mark.parametrize("fault", ["fsync", "write"])
def test_full_disk_is_no_error_and_leaves_nothing(monkeypatch, fault):
    def full(*_args, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((cache.os, "fsync") if fault == "fsync" else (cache.np, "save")), full)
    assert prepare_split(encoded(3), RGB, "crop").shape == (3, 3, 8, 8)
    assert entries() == []


def test_large_splits_stay_on_disk(monkeypatch):
    pictures = encoded(6)
    expected = one_by_one(pictures, RGB)
    monkeypatch.setattr(cache, "LARGEST_IN_MEMORY", 100)
    monkeypatch.setattr(prepare, "LARGEST_IN_MEMORY", 100)
    for _ in range(2):
        prepared = prepare_split(pictures, RGB, "crop")
        assert isinstance(prepared, np.memmap)
        np.testing.assert_array_equal(prepared, expected)
    subset = prepare_split(SubsetPictures(pictures, np.array([4, 1])), RGB, "crop")
    assert isinstance(subset, np.memmap)
    np.testing.assert_array_equal(subset, expected[[4, 1]])
    assert {entry.suffix for entry in entries()} == {".npy"}


def test_large_splits_are_decoded_in_memory_when_the_disk_is_too_small(monkeypatch):
    monkeypatch.setattr(cache, "LARGEST_IN_MEMORY", 100)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    pictures = encoded(6)
    prepared = prepare_split(pictures, RGB, "crop")
    assert not isinstance(prepared, np.memmap)
    np.testing.assert_array_equal(prepared, one_by_one(pictures, RGB))
    assert entries() == []


def test_cache_stays_bounded_and_forgets_what_was_unused_for_longest(monkeypatch):
    monkeypatch.setattr(cache, "LARGEST_CACHE", 2500)
    prepare_split(encoded(4), RGB, "crop")
    prepare_split(encoded(3), RGB, "crop")
    oldest, younger = sorted(entries(), key=lambda path: -path.stat().st_size)
    for age, entry in ((20, oldest), (10, younger)):
        cache.os.utime(entry, (1e9 - age, 1e9 - age))
    prepare_split(encoded(4), RGB, "crop")  # used again
    prepare_split(encoded(5), RGB, "crop")
    assert oldest in entries()
    assert younger not in entries()
    assert len(entries()) == 2


@pytest.mark.parametrize(("age", "stays"), [(60, True), (7200, False)])
def test_what_another_process_still_writes_stays_and_pushes_nothing_out(monkeypatch, age, stays):
    monkeypatch.setattr(cache, "LARGEST_CACHE", 2500)
    prepare_split(encoded(3), RGB, "crop")
    (finished,) = entries()
    folder = finished.parent
    unfinished = folder / "other-1.partial"
    unfinished.write_bytes(bytes(2000))
    cache.os.utime(unfinished, (time.time() - age,) * 2)
    prepare_split(encoded(4), RGB, "crop")
    assert len(entries()) == 2 + stays
    assert unfinished.exists() is stays
    assert finished.exists()


def test_an_entry_that_goes_while_room_is_made_is_no_error(monkeypatch):
    prepare_split(encoded(3), RGB, "crop")
    (entry,) = entries()
    iterdir = cache.Path.iterdir
    monkeypatch.setattr(cache.Path, "iterdir", lambda folder: [*iterdir(folder), folder / "gone.partial"])
    prepare_split(encoded(4), RGB, "crop")
    assert len(entries()) == 2
    assert entry in entries()


def test_subset_is_taken_from_the_base_decoded_once(monkeypatch):
    pictures = encoded(6)
    expected = one_by_one(pictures, RGB)
    np.testing.assert_array_equal(
        prepare_split(SubsetPictures(pictures, np.array([5, 0, 2])), RGB, "crop"), expected[[5, 0, 2]]
    )
    monkeypatch.setattr(prepare, "_decode", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(
        prepare_split(SubsetPictures(pictures, np.array([1, 3])), RGB, "crop"), expected[[1, 3]]
    )


@pytest.mark.parametrize("size", [8, 9])
def test_subset_of_arrays_prepares_only_what_it_takes(size):
    base = ArrayPictures(noise(10, size, size, 1), "memory")
    subset = SubsetPictures(base, np.array([7, 2]))
    np.testing.assert_array_equal(prepare_split(subset, GREY, "crop"), one_by_one(base, GREY)[[7, 2]])


def test_unreadable_pictures_are_told_all_at_once(tmp_path):
    files = []
    for index in range(40):
        files.append(tmp_path / f"{index}.png")
        Image.fromarray(noise(9, 9, 3, seed=index)).save(files[-1])
    files[7].write_bytes(files[7].read_bytes()[:40])
    files[9].write_text("no picture")
    files.append(tmp_path / "gone.png")
    pictures = EncodedPictures(files, [path.name for path in files])
    with pytest.raises(DataError) as caught:
        prepare_split(pictures, RGB, "crop")
    text = str(caught.value)
    assert text.startswith("3 of 41 pictures can't be read, first 7.png (")
    assert text.endswith("); list them with `striate data check`, then replace them or leave them out")


def test_shape_and_fit_are_checked_before_anything_is_decoded():
    with pytest.raises(UsageError, match="need an input of height×width×channels"):
        prepare_split(encoded(1), Shape((8,), 1), "crop")
    with pytest.raises(UsageError, match="unknown fit 'zoom'"):
        prepare_split(encoded(1), RGB, "zoom")
