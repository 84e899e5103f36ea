from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from pytest_django import Settings

from alerts.collector import AlertsCollector
from alerts.services import absorb_anomalies, send_due_notifications
from alerts.tests.makers import at, make_anomaly, make_source, open_incident

pytestmark = pytest.mark.django_db


def scraped() -> str:
    registry = CollectorRegistry()
    registry.register(AlertsCollector())
    return generate_latest(registry).decode()


def test_open_incidents_by_level_and_family() -> None:
    open_incident()
    text = scraped()
    assert 'guardian_alerts_incidents_open{family="decline",level="CRITICAL"} 1.0' in text
    assert 'guardian_alerts_incidents_open{family="reversal",level="WARNING"} 0.0' in text


def test_messages_by_channel_and_outcome() -> None:
    open_incident()
    assert 'guardian_alerts_waiting{channel="console"} 1.0' in scraped()
    send_due_notifications(now=at(1))
    sent = 'guardian_alerts_notifications_total{channel="console",outcome="sent"} 1.0'
    assert sent in scraped()


def test_the_oldest_message_that_waits() -> None:
    assert "guardian_alerts_oldest_pending_seconds 0.0" in scraped()
    open_incident()
    line = next(
        line for line in scraped().splitlines() if line.startswith("guardian_alerts_oldest")
    )
    assert float(line.split()[1]) > 0


def test_mean_times_are_worked_out_once_in_a_while() -> None:
    collector = AlertsCollector()
    list(collector.collect())
    open_incident()
    with CaptureQueriesContext(connection) as again:
        told = {metric.name: metric for metric in collector.collect()}
    assert not any("onset" in query["sql"] for query in again.captured_queries)
    assert told["guardian_alerts_mean_seconds"].samples == []
    assert sum(one.value for one in told["guardian_alerts_incidents_open"].samples) == 1


def test_mean_times_by_family_and_by_source(settings: Settings) -> None:
    settings.GUARDIAN_METRICS_SOURCES = 1
    now = timezone.now()
    busy, calm = make_source("busy"), make_source("calm")
    for source, hours in ((busy, 9), (busy, 6), (calm, 3)):
        begin = now - timedelta(hours=hours)
        make_anomaly(source=source, minute_at=begin, detected=begin + timedelta(seconds=90))
        absorb_anomalies(now=begin + timedelta(minutes=2))
    text = scraped()
    assert 'guardian_alerts_mean_seconds{family="decline",mean="mttd"} 90.0' in text
    assert 'guardian_alerts_source_mean_seconds{mean="mttd",source="busy"} 90.0' in text
    assert 'source="calm"' not in text
    assert 'mean="mtta"' not in text
