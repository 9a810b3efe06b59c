"""What every test shares: on how many random examples a property is tried."""

from hypothesis import HealthCheck, settings

# Derandomized, so that a failing build fails again; no deadline, since the first torch call is slow.
settings.register_profile(
    "striate",
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("striate")
