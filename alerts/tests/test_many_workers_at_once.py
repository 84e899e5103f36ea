"""Several workers at once: nothing is lost, nothing is done twice. On both databases."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from pytest_django import Settings

from alerts import conf
from alerts.lifecycle import IllegalTransition
from alerts.models import Channel, Incident, IncidentEvent, Notification
from alerts.services import (
    ExternalAlert,
    absorb_anomalies,
    acknowledge,
    assign,
    close,
    merge,
    reopen,
    resolve,
    send_due_notifications,
    split,
    take_external_alerts,
    telling,
)
from alerts.services.sending import lease_next
from alerts.tests.makers import at, make_anomaly, make_channel, make_source
from alerts.tests.standin import StandIn
from detection.models import Anomaly
from guardian_site.tests.processes import until
from ingest.metrics import write_retries

WORKERS = 6


def together(work: Callable[[int], object], workers: int = WORKERS) -> list[object]:
    """Run the work in threads that begin at the same moment."""
    gate = threading.Barrier(workers)

    def run(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def test_absorbers_open_one_incident_for_each_failure(database: str) -> None:
    assert connection.vendor == database
    sources = [make_source(f"shop-{number}") for number in range(3)]
    for minute in range(15):
        for source in sources:
            make_anomaly(minute, source=source)

    def absorb(_number: int) -> None:
        for _ in range(5):
            absorb_anomalies(now=at(15))

    together(absorb)
    absorb_anomalies(now=at(15))
    assert not Anomaly.objects.filter(absorbed=None).exists()
    assert Incident.objects.count() == 3
    assert set(Incident.objects.values_list("anomaly_count", flat=True)) == {15}
    assert Notification.objects.filter(kind="opened").count() == 3


def test_an_alert_that_two_send_at_once_opens_one_incident(database: str) -> None:
    make_source("alertmanager")
    alert = ExternalAlert("DiskFull", "", {"alertname": "DiskFull"}, firing=True, started=at(0))
    together(lambda _number: take_external_alerts(alerts=[alert] * 3, now=at(1)))
    assert Incident.objects.get().anomaly_count == 1
    assert Notification.objects.filter(kind="opened").count() == 1


def test_senders_send_each_message_once(database: str, vendor: StandIn, settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = vendor.url
    channel = make_channel(
        "hook", "slack_webhook", configuration={"url": vendor.url}, per_minute=1000
    )
    for number in range(40):
        Notification.objects.create(
            channel=channel,
            kind="test",
            content={"title": str(number), "text": "x"},
            created=at(0),
            due=at(0),
        )
    together(lambda _number: send_due_notifications(now=at(1)))
    send_due_notifications(now=at(1))
    times = Counter(vendor.texts)
    assert len(times) == 40
    assert set(times.values()) == {1}
    assert set(Notification.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_lease_that_ran_out_is_taken_over_by_one(database: str, vendor: StandIn) -> None:
    channel = make_channel("hook", "slack_webhook", configuration={"url": vendor.url})
    Notification.objects.create(
        channel=channel,
        kind="test",
        content={"title": "t", "text": "x"},
        state="sending",
        attempts=1,
        leased_until=at(0),
        created=at(-5),
        due=at(-5),
    )
    together(lambda _number: send_due_notifications(now=at(0) + conf.LEASE))
    assert len(vendor.asked) == 1
    assert Notification.objects.get().attempts == 2


ON_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def waiting_warning() -> Notification:
    """A warning was opened, and its message waits to be sent."""
    make_anomaly(level="WARNING")
    absorb_anomalies(now=at(0))
    return Notification.objects.get(channel__name="console")


@ON_POSTGRESQL
def test_a_message_that_is_dropped_is_leased_by_nobody(database: str) -> None:
    message = waiting_warning()

    def act(sender: int) -> bool:
        if sender:
            dropped.wait()
            return lease_next(channel=message.channel_id, now=at(9)) is not None
        with transaction.atomic():
            resolve(incident_id=Incident.objects.get().pk, actor="ana", via="web", now=at(8))
            dropped.set()
            until(somebody_waits)
        return False

    dropped = threading.Event()
    assert together(act, workers=2) == [False, False]
    message.refresh_from_db()
    assert message.state == "suppressed"


@ON_POSTGRESQL
def test_a_message_that_is_hastened_is_sent_as_it_is_by_then(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, real = waiting_warning(), telling._hasten

    def hasten(*facts: Any) -> None:
        known.set()
        until(lambda: leased.is_set() or somebody_waits())
        real(*facts)

    def act(sender: int) -> str:
        if not sender:
            absorb_anomalies(now=at(8))
            return ""
        known.wait()
        assert lease_next(channel=message.channel_id, now=at(9)) is not None
        leased.set()
        return Incident.objects.get().level

    monkeypatch.setattr(telling, "_hasten", hasten)
    make_anomaly(1, level="CRITICAL")
    known, leased = threading.Event(), threading.Event()
    assert together(act, workers=2) == ["", "CRITICAL"]


def test_two_people_acknowledge_and_one_is_first(database: str) -> None:
    make_anomaly()
    absorb_anomalies(now=at(1))
    number = Incident.objects.get().pk

    def press(person: int) -> bool:
        try:
            acknowledge(incident_id=number, actor=f"p{person}", via="web", now=at(2))
        except IllegalTransition:
            return False
        return True

    assert sorted(together(press)) == [False] * (WORKERS - 1) + [True]  # type: ignore[type-var]
    event = IncidentEvent.objects.get(kind="acknowledged")
    assert Incident.objects.get().acknowledged_by == event.who


def accepted(work: Callable[[int], object]) -> Callable[[int], bool]:
    """Say whether the state of things allowed the work."""

    def tried(number: int) -> bool:
        try:
            work(number)
        except IllegalTransition:
            return False
        return True

    return tried


def test_of_many_who_take_an_incident_one_has_it(database: str) -> None:
    make_anomaly()
    absorb_anomalies(now=at(1))
    number = Incident.objects.get().pk
    for person in range(WORKERS):
        User.objects.create_superuser(f"p{person}")

    def take(person: int) -> None:
        name = f"p{person}"
        assign(incident_id=number, to=name, was="", actor=name, via="web", now=at(2))

    assert together(accepted(take)).count(True) == 1
    event = IncidentEvent.objects.get(kind="assigned")
    assert Incident.objects.get().assigned_to == event.who


def test_who_merges_and_who_splits_off_at_once_both_end_in_order(database: str) -> None:
    for name in ("one", "two"):
        make_anomaly(source=make_source(name))
    absorb_anomalies(now=at(1))
    one, two = Incident.objects.order_by("id").values_list("id", flat=True)

    def press(person: int) -> None:
        by = {"actor": f"p{person}", "via": "web", "now": at(2)}
        if person % 3 == 0:
            merge(incident_id=one, into_id=two, **by)  # type: ignore[arg-type]
        elif person % 3 == 1:
            merge(incident_id=two, into_id=one, **by)  # type: ignore[arg-type]
        else:
            split(incident_id=two, **by)  # type: ignore[arg-type]

    for _ in range(5):
        together(accepted(press))
    kinds = Counter(IncidentEvent.objects.exclude(state_to="").values_list("kind", flat=True))
    still = Incident.objects.filter(state="merged").count()
    assert still <= 1
    assert Incident.objects.exclude(parent=None).count() == still
    assert kinds["merged"] == kinds["split"] + still


def test_the_settings_channels_are_made_once(database: str, settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.example/1"
    together(lambda _number: absorb_anomalies(now=at(0)))
    names = Channel.objects.order_by("name").values_list("name", flat=True)
    assert list(names) == ["console", "slack-webhook"]


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


@ON_POSTGRESQL
def test_who_merges_while_the_whole_is_being_closed_is_refused(database: str) -> None:
    for name in ("whole", "part", "new"):
        make_anomaly(source=make_source(name))
    absorb_anomalies(now=at(1))
    whole, part, new = Incident.objects.order_by("id").values_list("id", flat=True)
    # A part that is over is not closed with it: who merges into it waits for the whole alone.
    Incident.objects.filter(pk=part).update(parent=whole, state="resolved")

    def act(person: int) -> None:
        if person:
            whole_is_closed.wait()
            merge(incident_id=new, into_id=part, actor="p1", via="web", now=at(2))
            return
        with transaction.atomic():
            close(incident_id=whole, label="real", actor="p0", via="web", now=at(2))
            whole_is_closed.set()
            until(somebody_waits)

    whole_is_closed = threading.Event()
    assert together(accepted(act), workers=2) == [True, False]
    assert Incident.objects.get(pk=new).state == "open"


@ON_POSTGRESQL
@pytest.mark.parametrize("back", [reopen, split])
def test_who_brings_back_what_opens_anew_at_that_moment_is_refused(
    database: str, back: Callable[..., Incident]
) -> None:
    for name in ("whole", "old"):
        make_anomaly(source=make_source(name))
    absorb_anomalies(now=at(1))
    whole, old = Incident.objects.order_by("id")
    if back is split:
        merge(incident_id=old.pk, into_id=whole.pk, actor="p1", via="web", now=at(1))
    else:
        close(incident_id=old.pk, label="real", actor="p1", via="web", now=at(1))

    def act(person: int) -> None:
        if person:
            opened.wait()
            back(incident_id=old.pk, actor="p1", via="web", now=at(2))
            return
        with transaction.atomic():
            Incident.objects.create(
                source=old.source,
                family=old.family,
                direction=old.direction,
                level=old.level,
                onset=at(2),
                detected=at(2),
                first_anomaly=at(2),
                last_anomaly=at(2),
            )
            opened.set()
            until(somebody_waits)

    opened = threading.Event()
    assert together(accepted(act), workers=2) == [True, False]
    assert Incident.objects.filter(state="open", source=old.source).count() == 1


@ON_POSTGRESQL
def test_an_act_that_the_database_undoes_is_done_again(database: str) -> None:
    for name in ("one", "two"):
        make_anomaly(source=make_source(name))
    absorb_anomalies(now=at(1))
    part, whole = Incident.objects.order_by("id").values_list("id", flat=True)
    Incident.objects.filter(pk=part).update(parent=whole)

    def act(person: int) -> None:
        """One acknowledges the whole and then its part; the other holds the part and then both."""
        if person:
            part_is_held.wait()
            acknowledge(incident_id=whole, actor="p1", via="web", now=at(2))
            return
        with transaction.atomic():
            Incident.objects.select_for_update().get(pk=part)
            part_is_held.set()
            until(somebody_waits)
            Incident.objects.select_for_update().get(pk=whole)

    part_is_held = threading.Event()
    before = write_retries._value.get()
    together(act, workers=2)
    assert write_retries._value.get() == before + 1
    assert set(Incident.objects.values_list("state", flat=True)) == {"acknowledged"}
    assert IncidentEvent.objects.filter(kind="acknowledged").count() == 2
