"""How it was trained and where: the recipe, the machine, the versions, the energy."""

from typing import Any

from striate.report.material import Material
from striate.report.section import Section, section
from striate.train import Recipe


def recipe(material: Material) -> Section:
    """Every value of the recipe; those that aren't the defaults are marked."""
    followed = material.manifest.recipe
    defaults = Recipe().model_dump(mode="json")
    values = [
        (name.replace("_", " "), _said(value), value != defaults.get(name))
        for name, value in followed.items()
    ]
    return section(
        "recipe",
        "The recipe",
        changed=[(name, value) for name, value, is_changed in values if is_changed],
        others=[(name, value) for name, value, is_changed in values if not is_changed],
    )


def environment(material: Material) -> Section:
    """The command, when and on what it ran, with which versions, and what energy it took."""
    manifest = material.manifest
    hardware = {name.replace("_", " "): _said(value) for name, value in manifest.hardware.items()}
    return section(
        "environment",
        "Environment",
        command=" ".join(map(_quoted, manifest.command)),
        created=when(manifest.created),
        hardware=hardware,
        versions=manifest.versions,
        options=manifest.options,
        energy=manifest.results.energy,
        folder=str(material.run.path),
    )


def when(time: str) -> str:
    """A time of ISO 8601 in UTC as a person writes it."""
    return time.replace("T", " ").replace("+00:00", " UTC")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(word: str) -> str:
    return f"'{word}'" if not word or set(word) & set(" |;*()[]<>&$'\"") else word
