"""Whether the workers hear what they are told. The row is the truth: a broker that answers proves nothing."""

from django.conf import settings

from performance.readiness import register
from posts.generation.models import Run


class RunsLeftAlone(Exception):
    """Runs are due, and no worker carries any."""


def ask_workers() -> None:
    """Raise `RunsLeftAlone` when no worker took what has been due for two leases.

    A run whose worker died is found within one lease and a sweep, hence before this.
    """
    if Run.objects.left_alone(seconds=2 * settings.RUN_LEASE_SECONDS).exists():
        raise RunsLeftAlone


# Pages and reads go on without a worker.
register("generation", ask_workers)
