"""The memory that a training step takes, where repeating one is quick."""

from statistics import median

from striate.core import RunError, units
from striate.report.material import Material
from striate.train import peak_of_step

# A page shouldn't wait longer than this for one of its numbers.
_LONGEST = 3.0
_STEPS = 2


def measured_peak(material: Material) -> int:
    """What the allocator held at most in a step as the run took them; see `peak_of_step`.

    Raises RunError when it would take too long to find out, or wouldn't tell of the run.
    """
    rates = [entry["pictures_per_second"] for entry in material.metrics if entry.get("pictures_per_second")]
    if not rates:
        raise RunError("not measured: no epoch has ended, so it isn't known how long a step takes")
    batch = material.manifest.hardware.get("micro_batch", material.recipe.batch)
    seconds = _STEPS * batch / median(rates)
    if seconds > _LONGEST:
        raise RunError(f"not measured: two steps would take about {units.duration(seconds)}")
    return peak_of_step(material.run, material.rows, device=material.device)
