"""A real Prometheus scrapes the real site for a moment; every PromQL of every panel is asked."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from conftest import missing
from deploy.bench.stack import free_ports
from deploy.grafana.checking.answers import Answer, Sources
from deploy.grafana.checking.interpolation import Range
from deploy.grafana.checking.questions import Question, of_panels, of_rules
from deploy.grafana.checking.scenes import SERIES, names_known
from deploy.grafana.checking.stack import prometheus, prometheus_config
from detection.models import Band, Level
from guardian_site.tasks import beat
from ingest.models import MinuteCount, Source

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ASKED = [one for one in [*of_panels(), *of_rules()] if one.source == "prometheus"]
# They come with the first error, canary or training, and with Alertmanager.
LATER = {"guardian_alerts_stage_age_seconds", "guardian_detection_forest_version"}


class PrometheusAlone(Sources):
    """Prometheus without the database."""

    def __init__(self, address: str) -> None:
        self.prometheus = address


@pytest.fixture
def address(live_server: Any, tmp_path: Path) -> Iterator[str]:
    if shutil.which("prometheus") is None:
        missing("prometheus", "apt-get install prometheus")
    (port,) = free_ports(1)
    config = prometheus_config(
        live_server.url.removeprefix("http://"), own=f"127.0.0.1:{port}", seconds=1
    )
    with prometheus(config, port, tmp_path) as answering:
        yield answering


def _ask(address: str, panel: str, board: str = "Real-time") -> Answer:
    asked = next(one for one in ASKED if (one.board, one.panel) == (board, panel))
    return PrometheusAlone(address).ask(asked, _last_minutes())


def _last_minutes() -> Range:
    until = datetime.now(UTC)
    return Range(until - timedelta(minutes=5), until, timedelta(seconds=15))


def _make_a_judged_minute() -> None:
    source = Source.objects.create(name="shop")
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    for status, count in (("approved", 90), ("denied", 10)):
        MinuteCount.objects.create(
            source=source, minute=minute, status=status, auth_code="00", count=count
        )
    Band.objects.create(
        source=source,
        minute=minute,
        level=Level.NORMAL,
        total=100,
        expected=80.0,
        lower=60.0,
        upper=110.0,
        by_status={"approved": [75.0, 60.0, 90.0], "denied": [5.0, 0.0, 12.0]},
    )


def test_every_panel_is_answered_and_key_ones_tell_the_truth(address: str, client: Any) -> None:
    _make_a_judged_minute()
    for _time in range(3):
        beat.delay()
        # Another source: what the panels show of the shop stays as it is.
        body = {"status": "approved", "count": 40, "source": "market"}
        assert client.post("/transaction", body, content_type="application/json").status_code == 200
        # A rate needs two scrapes with something between them.
        time.sleep(3)
    broken = [answer for answer in map(_answer(address), ASKED) if answer.error]
    assert broken == []
    wanted = {name for one in ASKED for name in SERIES.findall(one.text)}
    assert wanted - names_known(address) <= LATER
    assert _ask(address, "Transactions a minute").value == 100.0
    assert _ask(address, "Expected a minute").value == 80.0
    assert _ask(address, "Against expectation").value == pytest.approx(0.25)
    assert _ask(address, "Open incidents").value == 0.0
    assert _ask(address, "Payments right now", "Executive summary").value == 2.0
    assert _ask(address, "Web processes", "Pipeline & model health").value == 1.0


def _answer(address: str) -> Any:
    sources, over = PrometheusAlone(address), _last_minutes()

    def ask(asked: Question) -> Answer:
        return sources.ask(asked, over)

    return ask
