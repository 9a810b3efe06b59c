"""The energy that a training takes and its CO2, as codecarbon's offline tracker estimates them."""

import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from striate.core import UsageError
from striate.runs import Energy, Results

_SECONDS = 5


def require_energy(country: str) -> None:
    """Raises UsageError when codecarbon isn't installed or knows no country of that ISO code."""
    if find_spec("codecarbon") is None:
        raise UsageError("codecarbon isn't installed; pip install 'striate[energy]', or leave --energy out")
    with _silent():
        from codecarbon.input import DataSource

        countries: dict[str, Any] = DataSource().get_global_energy_mix_data()
    if country not in countries:
        raise UsageError(
            f"codecarbon knows no country '{country}'; give its code of three letters (ISO 3166), such as DEU"
        )


@contextmanager
def metered(country: str | None, results: Results, say: Callable[[str], None]) -> Generator[None]:
    """Adds to a run's results what is used within, or says that it can't be measured; None measures nothing.

    Nothing is sent or written.
    """
    if country is None:
        yield
        return
    with _silent():
        from codecarbon import OfflineEmissionsTracker

        tracker = OfflineEmissionsTracker(
            country_iso_code=country,
            output_methods=[],
            allow_multiple_runs=True,
            measure_power_secs=_SECONDS,
            log_level="critical",
        )
        tracker.start()
    try:
        yield
    finally:
        with _silent():
            tracker.stop()
        # It catches its own errors, so what it lacks tells of them.
        used = getattr(tracker, "final_emissions_data", None)
        if used is None:
            say("codecarbon couldn't measure the energy on this machine, so none is told")
        else:
            results.energy = _added(results.energy, used.energy_consumed, used.emissions, country)


def _added(before: Energy | None, kwh: float, kg_co2eq: float, country: str) -> Energy:
    return Energy(
        kwh=kwh + (before.kwh if before else 0.0),
        kg_co2eq=kg_co2eq + (before.kg_co2eq if before else 0.0),
        country=country,
        method=(
            f"codecarbon {version('codecarbon')} offline: the machine's counters of energy where it may read "
            f"them, else the load times the processor's rated power; the energy mix of {country}"
        ),
    )


@contextmanager
def _silent() -> Generator[None]:
    """Without codecarbon's messages and warnings."""
    logger = logging.getLogger("codecarbon")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was_disabled
