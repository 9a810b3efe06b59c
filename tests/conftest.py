"""What every test shares: types checked while code runs, and how many random examples a property gets."""

from beartype.claw import beartype_packages
from hypothesis import HealthCheck, settings

# Annotations are promises; under test they are kept or an error is raised.
beartype_packages(
    tuple(
        f"striate.train.{module}"
        for module in ("evaluation", "scoring", "optimizers", "compute", "checkpoint", "figures")
    ),
)

# Derandomized, so that a failing build fails again; no deadline, since the first torch call is slow.
settings.register_profile(
    "striate",
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("striate")
