"""What the processes of a team hand on to each other."""

from threading import Event

import numpy as np

from striate.core import Shape, cache_folder
from striate.data import cache, prepare_split
from striate.data.images import ArrayPictures
from striate.train.distributed import Team


def test_others_find_in_the_cache_what_the_first_has_decoded(monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    write, may_write, found = cache._write, Event(), []
    monkeypatch.setattr(cache, "_write", lambda *of: (may_write.wait(10), write(*of)))

    class Store:
        def set(self, key, word):
            found.extend([key, word, *(cache_folder() / "prepared").glob("*.npy")])

    pictures = ArrayPictures(np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3), np.uint8), "memory")
    with Team(rank=2, size=4, local_rank=0, local_size=2, _store=Store()).in_turns():
        prepare_split(pictures, Shape((8, 8), 3), "crop")
        assert not list(cache_folder().rglob("*.npy"))
        may_write.set()
    assert found[:2] == ["turn/1/2", "done"]
    assert len(found) == 3
