from pathlib import Path

import pytest

from striate.core import cache, cache_folder


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", "/here")
    monkeypatch.setenv("XDG_CACHE_HOME", "/there")
    assert cache_folder() == Path("/here")
    monkeypatch.delenv("STRIATE_CACHE")
    assert cache_folder() == Path("/there/striate")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    for system, folder in (
        ("linux", "/home/ada/.cache/striate"),
        ("darwin", "/home/ada/Library/Caches/striate"),
    ):
        monkeypatch.setattr(cache.sys, "platform", system)
        assert cache_folder() == Path(folder)
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    monkeypatch.setattr(cache.sys, "platform", "win32")
    assert cache_folder() == Path("/local/striate/cache")
