import os
import pickle
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import DataError
from striate.data.plain_pickle import read_plain_pickle


class Malicious:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_malicious_pickle_is_refused_by_name_and_not_executed(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "executed"
    content = pickle.dumps({"data": Malicious(f"touch {trace}")}, protocol)
    name = f"{os.system.__module__}.system"
    with pytest.raises(DataError) as caught:
        read_plain_pickle(content, "batch")
    assert str(caught.value) == (
        f"batch was refused and not executed, since it holds the name '{name}', which no CIFAR batch needs; "
        "fetch the file from a source you trust"
    )
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"cposix\nsystem\n(S'true'\ntR.", "the name 'posix.system'"),
        (b"cbuiltins\neval\n.", "the name 'builtins.eval'"),
        (b"(S'true'\nios\nsystem\n.", "the pickle instruction STRING"),
        (b"\x80\x02cnumpy\nndarray\nK\x00\x85R.", "an unexpected call of 'numpy.ndarray'"),
        (b"\x80\x02cnumpy\ndtype\nU\x01O\x85R.", "an unexpected call of 'numpy.dtype'"),
        (b"\x80\x02K\x01K\x00\x85R.", "an unexpected call of 'something unnamed'"),
        (b"\x80\x02}}b.", "a state for something that isn't an array"),
    ],
)
def test_whatever_isnt_needed_is_refused(content: bytes, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read_plain_pickle(content, "batch")
    assert f"batch was refused and not executed, since it holds {what}, which" in str(caught.value)


def test_other_classes_are_refused() -> None:
    with pytest.raises(DataError, match=r"holds the name 'collections\.OrderedDict'"):
        read_plain_pickle(pickle.dumps({"x": OrderedDict(a=1)}), "batch")


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(DataError, match="was refused and not executed"):
        read_plain_pickle(pickle.dumps({"data": np.array([object()])}, 3), "batch")


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_written_anew_by_python_3_read_too(protocol: int, order: str) -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4, order=order)  # type: ignore[call-overload]
    content = {
        b"data": array,
        b"labels": list(range(2000)),
        "name": "x",
        "none": None,
        "yes": (True, 1 << 40),
    }
    read = read_plain_pickle(pickle.dumps(content, protocol), "batch")
    assert np.array_equal(read["data"], array)
    assert read["labels"] == content[b"labels"]
    assert (read["name"], read["none"], read["yes"]) == ("x", None, (True, 1 << 40))


@pytest.mark.parametrize(
    "content",
    [b"", b"no pickle", b"\x80\x02}(K\x01", b"\x80\x02}(K\x01K\x02u.", b"\x80\x02u.", b"\x80\x02h\x05."],
)
def test_what_isnt_a_whole_pickle_is_told(content: bytes) -> None:
    with pytest.raises(DataError, match="batch isn't a whole Python batch of CIFAR; fetch it again"):
        read_plain_pickle(content, "batch")


def test_a_pickle_of_something_else_than_a_dict_is_told() -> None:
    with pytest.raises(DataError, match="batch holds a list, not a dict; fetch CIFAR's Python batches"):
        read_plain_pickle(pickle.dumps([1]), "batch")


def test_values_nested_a_million_deep_do_no_harm() -> None:
    deep = b"\x80\x02}K\x01" + b"\x85" * 1_000_000 + b"K\x01s."
    with pytest.raises(DataError, match="isn't a whole Python batch"):
        read_plain_pickle(deep, "batch")


@given(st.binary(max_size=60))
def test_any_bytes_give_a_dict_or_a_data_error(content: bytes) -> None:
    with suppress(DataError):
        assert isinstance(read_plain_pickle(b"\x80\x02}" + content, "batch"), dict)
