"""The broker flushed and PostgreSQL crashed under a real worker: every run ends in one post, no step is paid twice."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.concurrency import wait_until
from tests.faults.conftest import Measure
from tests.faults.household import Household

RECOVERED_WITHIN_SECONDS = 45
STEPS_THAT_ASK = 4

# The tables come from the test database, which is made for tests that say they need it.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("household")]


@pytest.fixture(scope="module")
def household(django_db_setup: None) -> Iterator[Household]:
    # The account that runs the servers must be able to walk to their folder.
    folder = Path(tempfile.mkdtemp(prefix="aviary-"))
    folder.chmod(0o755)
    household = Household(folder)
    try:
        household.open()
        yield household
    finally:
        household.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def count(is_full: bool) -> int:
    return 50 if is_full else 3


@pytest.fixture
def beat_seconds(is_full: bool) -> float:
    """The house's own schedule in the long form, a quick one in the ordinary suite."""
    return 0.0 if is_full else 0.5


def check(household: Household) -> None:
    ((runs, posts, authors),) = household.ask(
        "SELECT (SELECT count(*) FROM generation_run), count(*), count(DISTINCT author_id) FROM posts_post"
    )
    assert runs == posts == authors
    asked = household.asked()
    assert len(asked) == len(set(asked)) == runs * STEPS_THAT_ASK
    assert household.ask("SELECT sum(tokens_reserved), sum(micros_reserved) FROM generation_dailybudget") == [(0, 0)]
    assert household.ask("SELECT count(*) FROM generation_runstep WHERE state <> 'done'") == [(0,)]


def test_a_flushed_broker_loses_nothing(
    household: Household, count: int, beat_seconds: float, is_full: bool, measure: Measure
) -> None:
    household.rest()
    household.create_runs(count)
    household.flush()
    (household.script / "hold-title").touch()
    before = len(household.asked())
    household.work(seconds=beat_seconds)
    wait_until(lambda: any("title" in call for call in household.asked()[before:]), seconds=240)
    # Once more, with a worker that listens and runs that are half done.
    household.create_runs(count)
    household.flush()
    (household.script / "hold-title").unlink()
    seconds = household.seconds_until_done()
    check(household)
    measure("Broker flushed: until every run had its post", seconds, goal=RECOVERED_WITHIN_SECONDS, unit="s")
    # The ordinary suite also runs where everything is slow.
    assert seconds <= RECOVERED_WITHIN_SECONDS or not is_full


def test_a_crashed_database_loses_and_doubles_nothing(
    household: Household, count: int, beat_seconds: float, is_full: bool, measure: Measure
) -> None:
    (household.script / "hold-generate_image").touch()
    household.rest()
    household.create_runs(count)
    before = len(household.asked())
    household.work(seconds=beat_seconds)
    wait_until(lambda: any("generate_image" in call for call in household.asked()[before:]), seconds=240)
    household.crash_postgres()
    # What comes back while it is away is kept.
    (household.script / "hold-generate_image").unlink()
    household.instance.hold()
    seconds = household.seconds_until_done()
    check(household)
    measure("PostgreSQL crashed: until every run had its post", seconds, goal=RECOVERED_WITHIN_SECONDS, unit="s")
    # The ordinary suite also runs where everything is slow.
    assert seconds <= RECOVERED_WITHIN_SECONDS or not is_full
