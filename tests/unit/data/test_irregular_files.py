import os
import re
import sys

import pytest

from striate.core import DataError
from striate.data.load import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")


@pytest.mark.parametrize(
    "name", ["a.npz", "train.parquet", "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"]
)
def test_a_pipe_in_a_folder_is_not_opened(name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    os.mkfifo(tmp_path / name)
    told = f"{tmp_path / name} isn't a regular file; copy its content into one and give that"
    with pytest.raises(DataError, match=re.escape(told)):
        load(tmp_path)


@pytest.mark.parametrize("name", ["a.npz", "train.parquet", "train-images-idx3-ubyte", "pipe"])
def test_a_pipe_is_not_opened(name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="isn't a regular file"):
        load(tmp_path / name)


def test_a_device_is_not_opened():
    with pytest.raises(DataError, match=r"^/dev/zero isn't a regular file"):
        load("/dev/zero")
