import json
from collections.abc import Iterator

import pytest
from django.test import Client

from alerts.tests.makers import make_anomaly, open_incident
from alerts.tests.pages import streamed
from alerts.views import stream as page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(page, "LONGEST_SECONDS", 0.3)


def read(client: Client, place: str = "") -> Iterator[dict[str, str]]:
    answer = client.get("/stream", headers={"Last-Event-ID": place} if place else None)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    for block in streamed(answer):
        lines = [line.partition(": ") for line in block.decode().strip().splitlines()]
        yield {name: value for name, _colon, value in lines}


def test_the_line_opens_with_connected_and_a_place(client: Client) -> None:
    first = next(read(client))
    assert first["event"] == "connected"
    assert first["id"] == "0.0"


def test_a_new_anomaly_is_told(client: Client) -> None:
    line = read(client)
    next(line)
    anomaly = make_anomaly()
    told = next(line)
    assert told["event"] == "anomaly"
    body = json.loads(told["data"])
    assert (body["id"], body["alert_level"]) == (anomaly.pk, "CRITICAL")


def test_what_happened_before_is_not_told_to_a_new_reader(client: Client) -> None:
    make_anomaly()
    assert [event["event"] for event in read(client)] == ["connected"]


def test_a_reader_who_comes_back_misses_nothing_and_hears_nothing_twice(client: Client) -> None:
    first = make_anomaly(0)
    open_incident(minute=1)
    told = list(read(client, f"{first.pk}.0"))[1:]
    kinds = [event["event"] for event in told]
    assert kinds[0] == "anomaly"
    assert "incident" in kinds
    assert list(read(client, told[-1]["id"]))[1:] == []


@pytest.mark.parametrize("place", ["9000.9000", "9" * 30 + ".0"])
def test_a_reader_of_a_database_that_was_restored_hears_what_is_new(
    client: Client, place: str
) -> None:
    make_anomaly(0)
    line = read(client, place)
    next(line)
    anomaly = make_anomaly(1)
    told = next(line)
    assert (told["event"], json.loads(told["data"])["id"]) == ("anomaly", anomaly.pk)


def test_a_quiet_line_has_a_heartbeat(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "HEARTBEAT_SECONDS", 0.05)
    assert b": still here\n\n" in list(streamed(client.get("/stream")))


def test_a_line_ends_by_itself_and_gives_its_place_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "lines", page.Lines(1, 1))
    list(read(client))
    assert next(read(client))["event"] == "connected"


def test_one_line_too_many_is_sent_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "lines", page.Lines(1, 1))
    held = client.get("/stream")
    refused = client.get("/stream")
    assert refused.status_code == 503
    assert refused["Retry-After"] == "30"
    held.close()
    assert client.get("/stream").status_code == 200


def test_one_reader_leaves_lines_for_others(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "lines", page.Lines(3, 2))
    held = [client.get("/stream") for _ in range(3)]
    assert [line.status_code for line in held] == [200, 200, 503]
    assert client.get("/stream", REMOTE_ADDR="10.0.0.7").status_code == 200
    held[0].close()
    assert client.get("/stream").status_code == 200


@pytest.mark.parametrize("place", ["yesterday", "12", "1.2.3", "²."])
def test_a_place_that_is_none_is_refused(client: Client, place: str) -> None:
    assert client.get("/stream", {"last_event_id": place}).status_code == 400


def test_a_hole_that_may_still_be_filled_is_waited_for(client: Client) -> None:
    from django.utils import timezone

    from alerts.selectors.stream import SETTLED, Place, happenings_after

    now = timezone.now()
    first = make_anomaly(0, detected=now)
    skipped = make_anomaly(1, detected=now)
    make_anomaly(2, detected=now)
    place = Place(first.pk, 0)
    skipped.delete()
    assert happenings_after(place, now=now, seen=None) == []
    assert len(happenings_after(place, now=now + SETTLED, seen=None)) == 1
