"""A forest is trained when due, serves when it is not worse, and can be taken back."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from detection.models import Anomaly, Band, ForestVersion
from detection.services import training
from detection.services.assess import assess
from detection.services.forests import live_forest, promote_forest, read_forest, roll_back_forest
from detection.services.sweep import sweep_closed_minutes
from detection.services.training import compare, due_reason, retrain_forest
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_forest, make_source, report, set_count
from ingest.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_rows_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_ROWS", 300)


def history(minutes: int = 400, surge: range = range(0)) -> list[Source]:
    sources = [make_source(name) for name in ("a", "b", "c")]
    for number, source in enumerate(sources):
        make_counts(source, range(minutes), seed=number, rate=50 * (number + 1))
    for minute in surge:
        set_count(sources[0], minute, "denied", "51", 45)
    sweep_closed_minutes(now=at(minutes + 0.5), seconds=60)
    return sources


def test_the_first_forest_is_trained_and_serves() -> None:
    history()
    version = retrain_forest(now=at(401))
    assert version is not None
    assert version.state == "live", version.note
    assert version.metrics["loud_rate"] <= 0.01
    assert live_forest() is not None


def test_too_little_history_trains_nothing() -> None:
    make_counts(make_source(), range(200))
    sweep_closed_minutes(now=at(200.5))
    assert retrain_forest(now=at(201)) is None
    assert not ForestVersion.objects.exists()


def test_a_fresh_forest_is_not_trained_again() -> None:
    history()
    retrain_forest(now=at(401))
    assert retrain_forest(now=at(460)) is None
    assert due_reason(now=at(401) + timedelta(days=8)) == "the live one is old"


def test_a_refused_forest_is_not_trained_again_at_once() -> None:
    promote_forest(number=make_forest(trained=at(0) - timedelta(days=8)).pk, now=at(0))
    assert due_reason(now=at(1)) == "the live one is old"
    make_forest(trained=at(2), note="refused")
    assert due_reason(now=at(12)) is None
    assert due_reason(now=at(2) + timedelta(hours=23)) is None
    assert due_reason(now=at(2) + timedelta(days=1)) == "the live one is old"


def test_where_none_serves_the_next_is_tried_an_hour_after_a_refusal() -> None:
    make_forest(trained=at(0), note="refused")
    assert due_reason(now=at(59)) is None
    assert due_reason(now=at(60)) == "there is none"


def test_scores_that_drift_make_a_new_one_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_ROWS", 100)
    [source, *_] = history()
    retrain_forest(now=at(200))
    assert due_reason(now=at(402)) is None
    Band.objects.filter(source=source).update(score=0.4)
    assert str(due_reason(now=at(402))).startswith("drift")


def test_verdicts_carry_both_opinions(clock: Clock) -> None:
    [source, *_] = history()
    retrain_forest(now=at(401))
    clock.stand(400.9)
    [usual] = assess([report(source, 400.5, "approved", 46)], complete=False)
    [odd] = assess([report(source, 400.5, "failed", 30)], complete=False)
    opinions = [one.metrics.ml_score for one in (usual, odd) if one.metrics]
    ordinary, strange = [one for one in opinions if one is not None]
    assert strange > ordinary
    assert odd.anomaly_score > 0.3 > usual.anomaly_score


def test_a_packed_forest_scores_as_before() -> None:
    history()
    version = retrain_forest(now=at(401))
    assert version is not None
    again = ForestVersion.objects.get(pk=version.pk)
    assert read_forest(again).pack() == read_forest(version).pack()


def make_version(**metrics: object) -> ForestVersion:
    return make_forest(metrics=metrics)


@pytest.mark.parametrize(
    ("metrics", "serves", "why"),
    [
        ({"loud_rate": 0.02, "found": 1.0}, False, "quiet minutes"),
        ({"loud_rate": 0.001, "found": None}, True, "first"),
        (
            {"loud_rate": 0.005, "found": 0.9, "live": {"loud_rate": 0.001, "found": 0.9}},
            False,
            "more quiet minutes",
        ),
        (
            {"loud_rate": 0.001, "found": 0.5, "live": {"loud_rate": 0.001, "found": 0.9}},
            False,
            "sees less",
        ),
        (
            {"loud_rate": 0.001, "found": 0.9, "live": {"loud_rate": 0.001, "found": 0.9}},
            True,
            "not worse",
        ),
    ],
)
def test_a_worse_forest_is_refused_with_the_reason(
    metrics: dict[str, object], serves: bool, why: str
) -> None:
    better, reason = compare(make_version(**metrics))
    assert better is serves
    assert why in reason


def test_a_rollback_brings_back_the_one_before() -> None:
    first, second = make_version(), make_version()
    promote_forest(number=first.pk, now=at(1))
    promote_forest(number=second.pk, now=at(2))
    back = roll_back_forest(now=at(3))
    assert back == first
    states = dict(ForestVersion.objects.values_list("pk", "state"))
    assert states == {first.pk: "live", second.pk: "retired"}
    assert roll_back_forest(now=at(4)) is None


def test_after_a_rollback_no_new_one_is_due_for_the_usual_time() -> None:
    long_ago = at(0) - timedelta(days=8)
    first, second = make_forest(trained=long_ago), make_forest(trained=at(0))
    promote_forest(number=first.pk, now=long_ago)
    promote_forest(number=second.pk, now=at(0))
    roll_back_forest(now=at(60))
    assert due_reason(now=at(70)) is None
    assert due_reason(now=at(61) + timedelta(days=7)) == "the live one is old"
    roll_back_forest(now=at(80))
    assert due_reason(now=at(90)) is None
    assert due_reason(now=at(81) + timedelta(days=7)) == "there is none"


def test_who_promotes_an_older_one_goes_back_as_well() -> None:
    long_ago = at(0) - timedelta(days=8)
    first, second = make_forest(trained=long_ago), make_forest(trained=at(0))
    promote_forest(number=first.pk, now=long_ago)
    promote_forest(number=second.pk, now=at(0))
    promote_forest(number=first.pk, now=at(60))
    assert due_reason(now=at(70)) is None
    assert due_reason(now=at(61) + timedelta(days=7)) == "the live one is old"
    assert roll_back_forest(now=at(80)) == second


def test_the_command_trains_lists_and_rolls_back() -> None:
    history()
    told = StringIO()
    call_command("forest", "train", stdout=told)
    call_command("forest", "list", stdout=told)
    call_command("forest", "rollback", stdout=told)
    assert told.getvalue().count("live") >= 2
    assert "No forest is live" in told.getvalue()


def test_the_command_refuses_an_unknown_version() -> None:
    with pytest.raises(CommandError, match="no forest 77"):
        call_command("forest", "promote", "77")


def test_training_learns_nothing_from_incidents() -> None:
    history(surge=range(280, 320))
    assert Anomaly.objects.filter(level="CRITICAL").exists()
    version = retrain_forest(now=at(401))
    assert version is not None
    assert version.metrics["abnormal"] > 10
    assert version.metrics["found"] > 0.05
