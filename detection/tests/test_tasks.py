"""The tasks on the schedule do their work, and do it again without harm."""

import pytest

from detection import tasks
from detection.models import Backtest, Band, ForestVersion, Proposal
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source
from guardian_site.schedule import BEAT_SCHEDULE

pytestmark = pytest.mark.django_db


def test_every_scheduled_task_of_detection_exists() -> None:
    names = {
        entry["task"]
        for entry in BEAT_SCHEDULE.values()
        if str(entry["task"]).startswith("detection.")
    }
    assert names
    assert all(hasattr(tasks, name.removeprefix("detection.tasks.")) for name in names)


def test_the_sweep_runs_twice_as_once(clock: Clock) -> None:
    make_counts(make_source(), range(30))
    clock.stand(30.5)
    tasks.sweep_closed_minutes.delay()
    tasks.sweep_closed_minutes.delay()
    assert Band.objects.count() == 30


def test_retraining_without_history_does_nothing() -> None:
    tasks.retrain_forest.delay()
    assert not ForestVersion.objects.exists()


def test_a_backtest_is_run_once_however_often_it_is_delivered() -> None:
    make_counts(make_source(), range(30))
    backtest = Backtest.objects.create(since=at(0), until=at(30))
    tasks.run_backtest.delay(backtest.pk)
    finished = Backtest.objects.get().finished
    tasks.run_backtest.delay(backtest.pk)
    assert Backtest.objects.get().finished == finished


def test_there_may_be_no_proposal_to_try() -> None:
    tasks.try_proposals.delay()
    assert not Proposal.objects.exists()
