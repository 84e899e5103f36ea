from datetime import datetime, timedelta
from pathlib import Path
from shutil import disk_usage

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from detection.models import Band, ForestVersion, Level
from guardian_site.celery import app
from guardian_site.schedule import TASK_NAMES
from guardian_site.telemetry.collectors import FormerNames
from guardian_site.telemetry.exposition import exposition
from guardian_site.telemetry.measured_tasks import OURS
from guardian_site.telemetry.metrics import REPORT_OUTCOMES
from guardian_site.tests.people import token_client
from ingest import metrics as ingest_metrics
from ingest.models import MinuteCount, Source, Status

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def _samples() -> Samples:
    text = exposition().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def _minute(ago: int) -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=ago)


def make_source(name: str = "acquirer") -> Source:
    return Source.objects.create(name=name)


def make_counts(source: Source, minute: datetime, **by_status: int) -> None:
    for status, count in by_status.items():
        MinuteCount.objects.create(
            source=source, minute=minute, status=status, auth_code="00", count=count
        )


def make_band(source: Source, minute: datetime) -> Band:
    return Band.objects.create(
        source=source,
        minute=minute,
        level=Level.NORMAL,
        total=100,
        expected=110.0,
        lower=80.0,
        upper=140.0,
        by_status={"denied": [7.5, 1.0, 15.0]},
    )


def test_it_answers_in_the_text_format(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "guardian_site_part_state" in answer.content.decode()


def test_the_incidents_of_a_month_are_not_read_at_every_scrape() -> None:
    exposition()
    with CaptureQueriesContext(connection) as again:
        exposition()
    assert [query["sql"] for query in again.captured_queries if "onset" in query["sql"]] == []


def test_it_tells_the_state_of_each_part_once() -> None:
    samples = _samples()
    states = [
        value
        for (name, labels), value in samples.items()
        if name == "guardian_site_part_state" and ("part", "worker") in labels
    ]
    assert sum(states) == 1.0
    assert _value(samples, "guardian_site_part_state", part="worker", state="down") == 1.0


def test_a_part_that_was_never_seen_has_no_age() -> None:
    assert _value(_samples(), "guardian_site_part_age_seconds", part="worker") is None


def test_an_empty_system_says_nothing_of_rates_it_cannot_know() -> None:
    samples = _samples()
    assert _value(samples, "transaction_guardian_approval_rate") is None
    assert _value(samples, "transaction_guardian_current_count") == 0.0


def test_the_approval_rate_is_that_of_transactions_not_of_calls() -> None:
    make_counts(make_source(), _minute(2), approved=930, denied=60, failed=10)
    assert _value(_samples(), "transaction_guardian_approval_rate") == 0.93


def test_the_current_count_is_the_last_full_minute_of_all_sources() -> None:
    for name in ("one", "two"):
        source = make_source(name)
        make_counts(source, _minute(1), approved=100)
        make_counts(source, _minute(5), approved=900)
    samples = _samples()
    assert _value(samples, "transaction_guardian_current_count") == 200.0
    assert _value(samples, "transaction_guardian_avg_count") == pytest.approx(2000 / 60)


def test_the_figures_are_there_as_json_too(client: Client) -> None:
    empty = client.get("/metrics/json").json()
    assert (empty["total_transactions"], empty["approval_rate"]) == (0, None)
    make_counts(make_source(), _minute(1), approved=90, denied=10)
    cache.clear()
    assert client.get("/metrics/json").json() == {
        "total_transactions": 100,
        "total_anomalies": 0,
        "status_counts": {**dict.fromkeys(Status.values, 0), "approved": 90, "denied": 10},
        "current_count": 100.0,
        "avg_count": pytest.approx(100 / 60),
        "approval_rate": 0.9,
    }


def test_the_json_is_for_those_who_may_scrape(client: Client, settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_METRICS = settings.GUARDIAN_PUBLIC_READ = False
    assert client.get("/metrics/json").status_code == 401


@pytest.mark.parametrize("path", ["/metrics", "/metrics/json"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_past_a_proxy_the_metrics_are_for_those_who_may_read(
    path: str, header: str, client: Client, settings: Settings
) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    assert client.get(path).status_code == 200
    handed_on = {header: "203.0.113.9"}
    assert client.get(path, headers=handed_on).status_code == 401
    assert token_client("viewer").get(path, headers=handed_on).status_code == 200
    settings.GUARDIAN_PUBLIC_READ = True
    assert client.get(path, headers=handed_on).status_code == 200


def test_past_a_proxy_the_metrics_have_a_limit(client: Client, settings: Settings) -> None:
    settings.GUARDIAN_RATE_LIMIT = "2/m"
    handed_on = {"X-Forwarded-For": "203.0.113.9"}
    asked = [client.get("/metrics/json", headers=handed_on).status_code for _ in range(3)]
    assert asked == [200, 200, 429]
    assert client.get("/metrics/json").status_code == 200


def test_the_canary_is_nobodys_transaction() -> None:
    make_counts(make_source(Source.CANARY), _minute(1), approved=7)
    samples = _samples()
    assert _value(samples, "transaction_guardian_current_count") == 0.0
    assert _value(samples, "guardian_ingest_sources") == 0.0


def test_the_total_counts_transactions() -> None:
    before = _value(_samples(), "transaction_guardian_total") or 0.0
    ingest_metrics.transactions.labels("approved").inc(118)
    assert _value(_samples(), "transaction_guardian_total") == before + 118


def test_all_eight_former_names_are_there() -> None:
    make_counts(make_source(), _minute(1), approved=1)
    names = {name for name, _labels in _samples() if name.startswith("transaction_guardian_")}
    assert names == {
        f"transaction_guardian_{name}"
        for name in (
            *("total", "anomalies", "cache_hits", "cache_misses"),
            *("current_count", "approval_rate", "avg_count", "by_status"),
        )
    }


def test_series_with_known_labels_begin_at_zero() -> None:
    samples = _samples()
    for outcome in REPORT_OUTCOMES:
        assert _value(samples, "guardian_ingest_reports_total", outcome=outcome) is not None
    assert (
        _value(samples, "guardian_detection_anomalies_total", family="code_mix", level="CRITICAL")
        is not None
    )


@pytest.mark.parametrize("path", ["/health/live", "/stats", "/nothing-here"])
def test_methods_that_were_made_up_are_one_series(path: str, client: Client) -> None:
    client.generic("MADE-UP-0", path)
    before = set(_samples())
    for number in range(1, 20):
        client.generic(f"MADE-UP-{number}", path)
    assert set(_samples()) == before


def test_it_tells_what_was_expected_and_what_was_seen() -> None:
    source = make_source()
    make_band(source, _minute(1))
    make_counts(source, _minute(1), approved=95, denied=5)
    samples = _samples()
    for kind, status, value in (
        *(("expected", "all", 110.0), ("seen", "all", 100.0), ("upper", "all", 140.0)),
        *(("expected", "denied", 7.5), ("seen", "denied", 5.0), ("lower", "denied", 1.0)),
    ):
        name = f"guardian_detection_{kind}_transactions"
        assert _value(samples, name, source="acquirer", status=status) == value


def test_a_minute_judged_long_ago_is_no_longer_shown_as_now() -> None:
    source = make_source()
    make_band(source, _minute(30))
    make_counts(source, _minute(30), approved=95)
    samples = _samples()
    seen = "guardian_detection_seen_transactions"
    assert _value(samples, seen, source="acquirer", status="all") is None
    silent = _value(samples, "guardian_ingest_source_silent_seconds", source="acquirer")
    assert silent is not None
    assert 29 * 60 <= silent <= 30 * 60


def test_of_a_source_that_is_still_learned_nothing_is_expected() -> None:
    source = make_source()
    band = make_band(source, _minute(2))
    Band.objects.filter(pk=band.pk).update(learning=True)
    make_counts(source, _minute(2), approved=100)
    samples = _samples()
    of_all = {"source": "acquirer", "status": "all"}
    for kind, value in (("seen", 100.0), ("expected", None), ("lower", None), ("upper", None)):
        assert _value(samples, f"guardian_detection_{kind}_transactions", **of_all) == value


def test_of_a_source_that_is_closed_it_tells_that_nothing_is_expected() -> None:
    source = make_source()
    make_counts(source, _minute(300), approved=90)
    Band.objects.create(source=source, minute=_minute(2), total=None, expected=0.0)
    samples = _samples()
    of_all = {"source": "acquirer", "status": "all"}
    assert _value(samples, "guardian_detection_expected_transactions", **of_all) == 0.0
    assert _value(samples, "guardian_detection_seen_transactions", **of_all) is None


def test_it_tells_the_disk_of_the_database_where_it_is_known(
    settings: Settings, tmp_path: Path
) -> None:
    settings.GUARDIAN_DISK_PATH = tmp_path
    assert _value(_samples(), "guardian_site_disk_size_bytes") == disk_usage(tmp_path).total
    settings.GUARDIAN_DISK_PATH = None
    assert not [name for name, _labels in _samples() if name.startswith("guardian_site_disk")]


def test_it_tells_which_forest_is_in_use() -> None:
    assert _value(_samples(), "guardian_detection_forest_version") is None
    forest = ForestVersion.objects.create(state=ForestVersion.State.LIVE, model=b"x")
    assert _value(_samples(), "guardian_detection_forest_version") == float(forest.pk)


def test_sources_beyond_the_limit_are_counted_but_not_named(settings: Settings) -> None:
    settings.GUARDIAN_METRICS_SOURCES = 2
    for number in range(5):
        make_counts(make_source(f"shop-{number}"), _minute(1), approved=1)
    samples = _samples()
    named = [labels for name, labels in samples if name.endswith("source_silent_seconds")]
    assert len(named) == 2
    assert _value(samples, "guardian_ingest_sources_without_metrics") == 3.0


def test_a_scrape_costs_the_same_queries_for_one_source_and_for_many(
    django_assert_max_num_queries: object,
) -> None:
    for number in range(20):
        source = make_source(f"shop-{number}")
        make_band(source, _minute(1))
        make_counts(source, _minute(1), approved=1, denied=1)
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        exposition()


def test_the_former_names_add_up_what_several_processes_counted() -> None:
    from prometheus_client import CollectorRegistry, Counter

    registry = CollectorRegistry()
    counter = Counter("guardian_ingest_transactions", "x", ["status"], registry=registry)
    counter.labels("approved").inc(5)
    counter.labels("denied").inc(2)
    found = {family.name: family for family in FormerNames(list(registry.collect())).collect()}
    assert found["transaction_guardian_total"].samples[0].value == 7.0


def test_the_first_failure_of_any_task_and_door_is_an_increase() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if name.startswith(OURS) and ".tests." not in name}
    assert ours == set(TASK_NAMES)
    samples = _samples()
    for task in ours:
        labels = {"task": task, "outcome": "failed"}
        assert _value(samples, "guardian_site_tasks_total", **labels) is not None
    name = "django_http_responses_total_by_status_view_method_total"
    for view in ("transaction", "batch"):
        labels = {"method": "POST", "status": "500", "view": view}
        assert _value(samples, name, **labels) is not None
