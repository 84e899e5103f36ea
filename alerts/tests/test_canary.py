from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from alerts import conf
from alerts.models import Canary, Channel, Incident, Notification, StageAlarm
from alerts.selectors.watch import stage_states
from alerts.services import absorb_anomalies, send_canary, send_due_notifications, watch_stages
from alerts.tests.makers import at, judge, make_anomaly, make_channel
from alerts.tests.standin import Answer, StandIn
from guardian_site.environment import own_address
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db


def fly(minute: int) -> None:
    """Live through one minute with everything working."""
    send_canary(now=at(minute))
    judge(minute, Source.objects.get(name=Source.CANARY))
    absorb_anomalies(now=at(minute + 1.5))
    send_due_notifications(now=at(minute + 1.6))


def stopped(now: float) -> list[str]:
    return [state.stage for state in stage_states(now=at(now)) if state.stopped]


def test_it_comes_through_every_stage() -> None:
    fly(0)
    canary = Canary.objects.get()
    assert (canary.judged, canary.queued, canary.delivered) == (at(1.5), at(1.5), at(1.6))
    assert stopped(2) == []


def test_it_changes_no_total() -> None:
    send_canary(now=at(0))
    assert sum(MinuteCount.objects.values_list("count", flat=True)) == 0
    assert MinuteCount.objects.filter(source__name=Source.CANARY).exists()


def test_nothing_is_said_before_the_first_canary() -> None:
    assert stage_states(now=at(0)) == []
    assert watch_stages(now=at(0)) == []


@pytest.mark.parametrize(
    ("stage", "ago"), [("ingest", 3), ("detection", 5), ("absorb", 5), ("outbox", 5)]
)
def test_a_stage_that_stops_is_named_within_five_minutes(stage: str, ago: int) -> None:
    fly(0)
    for minute in range(1, 6):
        if stage != "ingest":
            send_canary(now=at(minute))
        if stage in ("absorb", "outbox"):
            Canary.objects.filter(minute=at(minute)).update(judged=at(minute + 1))
        if stage == "outbox":
            Canary.objects.filter(minute=at(minute)).update(queued=at(minute + 1))
    assert stopped(1.5 + ago) == [stage]


def test_the_backup_channel_hears_of_it_once_and_of_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_channel("backup", "console", standby=True)
    make_channel("main", "console")
    fly(0)
    for late in (9, 10, 11):
        watch_stages(now=at(late))
    assert capsys.readouterr().out.count("Ingest has stalled") == 1
    assert StageAlarm.objects.get().stage == "ingest"
    fly(12)
    watch_stages(now=at(13.7))
    assert "Ingest is running again" in capsys.readouterr().out
    assert not StageAlarm.objects.exists()


def test_each_channel_hears_of_it_in_its_own_language(capsys: pytest.CaptureFixture[str]) -> None:
    make_channel("backup", "console", standby=True, language="pt-br")
    fly(0)
    watch_stages(now=at(9))
    said = capsys.readouterr().out
    assert "O próprio Guardian: o recebimento parou" in said
    assert "Nada passou desde 2026-03-02 12:00 UTC." in said
    fly(12)
    watch_stages(now=at(13.7))
    assert "o recebimento voltou a funcionar" in capsys.readouterr().out


@pytest.mark.parametrize(("minutes", "told"), [(1, False), (2.4, False), (2.6, True)])
def test_after_a_night_switched_off_the_stages_are_given_their_time(
    minutes: float, told: bool, vendor: StandIn, settings: Settings
) -> None:
    settings.GUARDIAN_HEARTBEAT_URL = f"{vendor.url}/ping"
    make_channel("main", "console")
    fly(0)
    watch_stages(now=at(600 + minutes), begun=at(600))
    assert StageAlarm.objects.exists() is told
    assert vendor.asked == [], "what is not proven to be well is not said to be"


def test_what_is_odd_about_the_canary_makes_no_incident() -> None:
    send_canary(now=at(0))
    make_anomaly(0, source=Source.objects.get(name=Source.CANARY))
    absorb_anomalies(now=at(1))
    assert not Incident.objects.exists()


def test_old_canaries_are_forgotten() -> None:
    fly(0)
    send_canary(now=at(0) + timedelta(days=2))
    assert Canary.objects.count() == 1
    assert not Notification.objects.filter(kind="canary").exists()


def test_the_sink_hears_of_no_incident() -> None:
    fly(0)
    make_anomaly(1)
    absorb_anomalies(now=at(2))
    sink = Channel.objects.get(kind="sink")
    assert not Notification.objects.filter(channel=sink, kind="opened").exists()


def test_a_heartbeat_leaves_only_while_all_is_well(vendor: StandIn, settings: Settings) -> None:
    settings.GUARDIAN_HEARTBEAT_URL = f"{vendor.url}/ping"
    fly(0)
    watch_stages(now=at(2))
    watch_stages(now=at(30))
    assert [asked.path for asked in vendor.asked] == ["/ping"]


@pytest.mark.parametrize("answer", [Answer(404), Answer(301, "", {"Location": "https://x/ping"})])
def test_a_heartbeat_that_nobody_took_is_told(
    vendor: StandIn, settings: Settings, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    settings.GUARDIAN_HEARTBEAT_URL = f"{vendor.url}/ping"
    vendor.usual = answer
    fly(0)
    watch_stages(now=at(2))
    assert f"heartbeat not delivered: HTTP {answer.status}" in caplog.messages


class TestTheDoor:
    """The canary does not come in by the web server; the watcher asks it apart."""

    def look(self, minute: float, door: str) -> None:
        send_canary(now=at(minute))
        judge(int(minute), Source.objects.get(name=Source.CANARY))
        absorb_anomalies(now=at(minute))
        send_due_notifications(now=at(minute))
        watch_stages(now=at(minute), door=door)

    def test_a_web_server_that_is_gone_is_named_and_no_silence_is_told(
        self, vendor: StandIn, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.GUARDIAN_HEARTBEAT_URL = f"{vendor.url}/ping"
        self.look(0, f"{vendor.url}/health/live")
        assert [asked.path for asked in vendor.asked] == ["/health/live", "/ping"]
        vendor.usual = Answer(503)
        self.look(1, vendor.url)
        assert "has stalled" not in capsys.readouterr().out
        make_anomaly(1, family="silence")
        for minute in (2, 3, 4):
            self.look(minute, vendor.url)
        out = capsys.readouterr().out
        assert out.count("Ingest has stalled") == 1
        assert "Nothing reported" not in out
        assert "/ping" not in [asked.path for asked in vendor.asked[2:]]
        vendor.usual = Answer()
        self.look(5, vendor.url)
        assert "Ingest is running again" in capsys.readouterr().out
        self.look(6, vendor.url)
        assert "Nothing reported at default" in capsys.readouterr().out

    def test_a_restart_is_not_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_channel("main", "console")
        self.look(0, "")
        self.look(1, "http://127.0.0.1:9/")
        self.look(2, "")
        assert "has stalled" not in capsys.readouterr().out
        assert not StageAlarm.objects.exists()

    @pytest.mark.parametrize(
        ("host", "door"),
        [
            ("127.0.0.1", "http://127.0.0.1:8001/health/live"),
            ("localhost", "http://localhost:8001/health/live"),
            ("0.0.0.0", "http://127.0.0.1:8001/health/live"),
            ("::1", "http://[::1]:8001/health/live"),
        ],
    )
    def test_where_it_is_in_embedded_mode(self, host: str, door: str, settings: Settings) -> None:
        settings.EMBEDDED, settings.GUARDIAN_OWN_ADDRESS = True, own_address(host, 8001)
        assert conf.door_url() == door
        settings.EMBEDDED = False
        assert conf.door_url() == ""


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan")])
def test_a_watch_that_never_rests_is_refused(every: float) -> None:
    with pytest.raises(CommandError, match="--every"):
        call_command("watch", every=every, once=True, skip_checks=True)
