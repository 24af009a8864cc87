"""What all tests share: searches for counterexamples are not timed, for a machine may be busy with something else.

Where `CI` is set, Hypothesis itself sees to that, and searches along the same way each time. What commands print is
read without colours, whatever the terminal of whoever runs the tests asks for.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
os.environ.pop("FORCE_COLOR", None)
