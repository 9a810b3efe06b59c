import numpy as np
import pytest
from PIL import Image

from striate.data.check import check
from striate.data.images import ArrayPictures, EncodedPictures, Images, Split


def picture(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Makes a data set of files: `{"train": {"cat": {"a.png": 1}}}`, where numbers name pictures."""

    def make(splits, classes=("cat", "dog")):
        made = {}
        for split, of_class in splits.items():
            files, labels = [], []
            for label, seeds in of_class.items():
                for name, seed in seeds.items():
                    path = tmp_path / split / label / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    picture(seed).save(path)
                    files.append(path)
                    labels.append(classes.index(label))
            names = [path.relative_to(tmp_path).as_posix() for path in files]
            made[split] = Split(EncodedPictures(files, names), np.array(labels, np.int64))
        return Images("pets", classes, made)

    return make


def test_sound_data_has_no_findings(folder):
    sound = {
        "train": {"cat": {"a.png": 1, "b.png": 2}, "dog": {"c.png": 3, "d.png": 4}},
        "val": {"cat": {"e.png": 5}},
    }
    assert check(folder(sound)) == []


def test_every_kind_is_found_errors_first(folder, tmp_path):
    images = folder(
        {
            "train": {
                "cat": {"a.png": 1, "a.bmp": 1, "b.png": 2, "c.png": 3, "broken.png": 4},
                "dog": {"c.tif": 3},
            },
            "val": {"cat": {"b.png": 2}},
        },
        classes=("cat", "dog", "eel"),
    )
    broken = tmp_path / "train" / "cat" / "broken.png"
    broken.write_bytes(broken.read_bytes()[:50])
    told = []
    findings = check(images, progress=lambda *numbers: told.append(numbers))
    assert [(finding.kind, finding.severity, finding.files) for finding in findings] == [
        ("contradiction", "error", ("train/cat/c.png", "train/dog/c.tif")),
        ("empty class", "error", ()),
        ("leak", "error", ("train/cat/b.png", "val/cat/b.png")),
        ("unreadable", "error", ("train/cat/broken.png",)),
        ("duplicate", "warning", ("train/cat/a.png", "train/cat/a.bmp")),
        ("lone picture", "warning", ("train/dog/c.tif",)),
    ]
    texts = {finding.kind: finding.text for finding in findings}
    assert texts["contradiction"] == (
        "train/cat/c.png, train/dog/c.tif are the same picture, labelled cat and dog; keep it under one label"
    )
    assert texts["leak"] == (
        "train/cat/b.png, val/cat/b.png are the same picture, in train and val; keep it in one split"
    )
    assert texts["duplicate"] == (
        "train/cat/a.png, train/cat/a.bmp are the same picture in train; keep one of them"
    )
    assert texts["unreadable"].startswith("train/cat/broken.png in train can't be read (")
    assert texts["empty class"] == "class eel has no picture in train; add some or leave the class out"
    assert texts["lone picture"] == "class dog has a single picture in train; add more"
    assert told[-1] == (7, 7)


def test_pixels_decide_not_palettes_or_sizes(folder, tmp_path):
    images = folder({"train": {"cat": {"a.png": 1, "b.png": 2, "c.png": 3, "d.png": 4}}}, classes=("cat",))
    root = tmp_path / "train" / "cat"
    red, blue = (Image.new("P", (4, 4)) for _ in range(2))
    red.putpalette([255, 0, 0])
    blue.putpalette([0, 0, 255])
    red.save(root / "a.png")
    blue.save(root / "b.png")
    Image.new("L", (2, 8)).save(root / "c.png")
    Image.new("L", (8, 2)).save(root / "d.png")
    assert check(images) == []


def test_missing_file_is_unreadable(folder, tmp_path):
    images = folder({"train": {"cat": {"a.png": 1, "b.png": 2, "c.png": 5}}}, classes=("cat",))
    (tmp_path / "train" / "cat" / "a.png").unlink()
    (finding,) = check(images)
    assert finding.text == (
        "train/cat/a.png in train can't be read (No such file or directory); replace it or leave it out"
    )


def test_arrays_and_regression_targets_are_checked_too():
    array = np.zeros((5, 2, 2, 1), np.float32)
    array[:, 0, 0, 0] = [1, 2, 1, 3, 1]
    targets = np.array([[0.5], [1], [0.5], [2], [0.5]], np.float32)
    (finding,) = check(Images("numbers", (), {"train": Split(ArrayPictures(array, "memory"), targets)}))
    assert (finding.kind, finding.files) == ("duplicate", ("memory[0]", "memory[2]", "memory[4]"))
    array[:] = 0
    (finding,) = check(Images("numbers", (), {"train": Split(ArrayPictures(array, "memory"), targets)}))
    assert finding.text == (
        "memory[0], memory[1], memory[2] and 2 more are the same picture, "
        "labelled [0.5] and [1.0] and [2.0]; keep it under one label"
    )


def test_what_preparation_refuses_is_unreadable_here_too(tmp_path):
    Image.fromarray(np.full((4, 4), -5, np.int32)).save(tmp_path / "negative.tif")
    Image.fromarray(np.full((4, 4), 7.5, np.float32)).save(tmp_path / "bright.tif")
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "sound.tif")
    files = [tmp_path / name for name in ("negative.tif", "bright.tif", "sound.tif")]
    split = Split(EncodedPictures(files, [file.name for file in files]), np.zeros((3, 1), np.float32))
    assert [finding.text for finding in check(Images("grey", (), {"train": split}))] == [
        "negative.tif in train can't be read (its grey runs from -5 to -5, outside 0 to 65535; "
        "save it with 8 bits); replace it or leave it out",
        "bright.tif in train can't be read (its grey runs from 7.5 to 7.5, outside 0 to 1; "
        "save it with 8 bits); replace it or leave it out",
    ]


def test_numbers_that_are_missing_or_not_finite_are_found():
    table = np.array([[1, 2], [np.nan, 1], [3, np.inf], [4, 4]], np.float32)
    columns = {"table": table, "age": np.arange(4), "label": np.array([0, 1, 0, 1])}
    (finding,) = check(Images("people", ("a", "b"), {"train": Split(None, None, columns)}))
    assert (finding.kind, finding.severity, finding.files) == ("missing number", "error", ())
    assert finding.text == (
        "rows of 'table' in train with a number that is missing or not finite: 2, first row 1, counted "
        "from 0; fill them in or leave them out"
    )
