"""Rooms meet at their doors: a room imports from another only what its `__init__` lists."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.glob("*/**/*.py"))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_room_imports_only_faces_of_others(module: Path) -> None:
    own = module.parts[0]
    for node in ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("striate."):
            continue
        room, *inner = node.module.split(".")[1:]
        if room == own:
            continue
        assert not inner, f"{module}:{node.lineno} reaches into {node.module}"
        listed = import_module(node.module).__all__
        for name in node.names:
            assert name.name in listed, f"{module}:{node.lineno} takes {name.name}, which {room} doesn't list"


def test_no_face_calls_a_thing_as_it_calls_a_module_of_its_own() -> None:
    """An imported submodule would take the place of a name that is imported when it is first used."""
    for room in {module.parts[0] for module in MODULES}:
        face = import_module(f"striate.{room}")
        modules = {path.stem for path in (SOURCE / room).iterdir() if path.suffix == ".py" or path.is_dir()}
        if "_MODULES" in vars(face):
            assert modules.isdisjoint(face.__all__)


def test_every_face_has_what_it_lists() -> None:
    for room in {module.parts[0] for module in MODULES}:
        face = import_module(f"striate.{room}")
        assert [name for name in face.__all__ if not hasattr(face, name)] == []
