import struct
import zlib
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from alerts.messages.chart import BAND, HEIGHT, ONSET, SEEN, WIDTH, Course, draw
from alerts.models import Channel, Notification
from alerts.selectors.charts import chart_address, chart_png, proof_of
from alerts.services import send_due_notifications
from alerts.tests.makers import at, make_channel, make_source, open_incident
from alerts.tests.smtp import mail_server
from alerts.tests.standin import Answer, Asked, StandIn
from detection.models import Band
from ingest.models import MinuteCount


def pixels(png: bytes) -> "np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]":
    """Read a PNG back, as strictly as a browser would."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, content = 8, b""
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        check = struct.unpack(">I", png[place + 8 + length : place + 12 + length])[0]
        assert check == zlib.crc32(kind + body)
        content += body if kind == b"IDAT" else b""
        place += 12 + length
    rows = np.frombuffer(zlib.decompress(content), np.uint8).reshape(HEIGHT, 1 + 3 * WIDTH)
    return rows[:, 1:].reshape(HEIGHT, WIDTH, 3)


def has(png: bytes, colour: tuple[int, int, int]) -> bool:
    return bool((pixels(png) == colour).all(axis=2).any())


def course(**lines: object) -> Course:
    flat = np.full(60, 10.0)
    facts = {"seen": flat, "expected": flat, "lower": flat - 4, "upper": flat + 4, **lines}
    return Course(**facts)  # type: ignore[arg-type]


def test_it_shows_the_band_what_was_seen_and_the_onset() -> None:
    png = draw(course(onset=30))
    assert all(has(png, colour) for colour in (BAND, SEEN, ONSET))


def test_more_is_higher() -> None:
    low, high = (pixels(draw(course(seen=np.full(60, value)))) for value in (2.0, 13.0))
    rows = [np.flatnonzero((found == SEEN).all(axis=2).any(axis=1)).mean() for found in (low, high)]
    assert rows[1] < rows[0]


@pytest.mark.parametrize("length", [1, 2, 60, 1441])
def test_any_length_can_be_drawn(length: int) -> None:
    line = np.arange(length, dtype=float)
    assert pixels(draw(Course(line, line, line, line, onset=0))).shape == (HEIGHT, WIDTH, 3)


def test_what_is_unknown_is_not_drawn() -> None:
    nothing = np.full(60, np.nan)
    png = draw(Course(nothing, nothing, nothing, nothing))
    assert not has(png, SEEN)
    assert not has(png, BAND)


@pytest.mark.django_db
class TestOfAnIncident:
    def incident(self) -> object:
        for minute in range(-20, 1):
            source = make_source()
            Band.objects.create(
                source=source,
                minute=at(minute),
                expected=100,
                lower=80,
                upper=120,
                by_status={"denied": [6, 2, 12]},
            )
            MinuteCount.objects.create(
                source=source,
                minute=at(minute),
                status="denied",
                auth_code="51",
                count=42 if minute == 0 else 6,
            )
        return open_incident()

    def test_it_is_drawn_from_counts_and_bands(self) -> None:
        png = chart_png(self.incident())  # type: ignore[arg-type]
        assert all(has(png, colour) for colour in (BAND, SEEN, ONSET))

    def test_its_address_needs_its_proof(self) -> None:
        incident = open_incident()
        good = f"/pictures/{incident.pk}/{proof_of(incident.pk)}.png"
        answer = Client().get(good)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        for bad in (f"/pictures/{incident.pk}/x.png", f"/pictures/99/{proof_of(99)}.png"):
            assert Client().get(bad).status_code == 404

    def test_slack_is_given_an_address_it_can_reach(
        self, vendor: StandIn, settings: Settings
    ) -> None:
        settings.SLACK_WEBHOOK_URL = vendor.url
        incident = open_incident()
        assert chart_address(incident) == ""
        settings.GUARDIAN_URL = "https://guardian.example"
        send_due_notifications(now=at(1))
        blocks = vendor.asked[0].json["attachments"][0]["blocks"]
        image = next(block for block in blocks if block["type"] == "image")
        assert image["image_url"] == chart_address(incident)
        assert image["image_url"].startswith("https://guardian.example/pictures/")

    @pytest.mark.parametrize(
        ("kind", "configuration", "refusal", "taken"),
        [
            (
                "slack_bot",
                {"token": "xoxb-1", "channel": "C1"},
                Answer(body={"ok": False, "error": "invalid_blocks"}),
                Answer(body={"ok": True, "ts": "17.1"}),
            ),
            ("slack_webhook", {}, Answer(400, "invalid_blocks"), Answer()),
        ],
    )
    def test_where_slack_cannot_fetch_it_the_message_goes_without(
        self,
        vendor: StandIn,
        settings: Settings,
        kind: str,
        configuration: dict[str, Any],
        refusal: Answer,
        taken: Answer,
    ) -> None:
        def without_a_picture(asked: Asked) -> Answer:
            (attachment,) = asked.json["attachments"]
            shown = "image" in [block["type"] for block in attachment["blocks"]]
            return refusal if shown else taken

        settings.GUARDIAN_URL = "https://guardian.intra.example"
        vendor.usual = without_a_picture
        reached = {"api": vendor.url, "url": vendor.url}
        room = make_channel("room", kind, configuration={**configuration, **reached})
        open_incident()
        send_due_notifications(now=at(1))
        room.refresh_from_db()
        assert Notification.objects.get(channel=room).state == "sent"
        assert (room.disabled, len(vendor.asked)) == (None, 2)

    def test_a_message_that_slack_does_not_take_at_all_disables_nothing(
        self, vendor: StandIn, settings: Settings
    ) -> None:
        settings.SLACK_WEBHOOK_URL = vendor.url
        vendor.usual = Answer(400, "invalid_attachments")
        open_incident()
        send_due_notifications(now=at(1))
        room = Channel.objects.get(name="slack-webhook")
        assert (room.notifications.get().state, room.disabled) == ("pending", None)

    def test_a_mail_carries_it(self) -> None:
        with mail_server() as box:
            configuration = {
                "host": "127.0.0.1",
                "port": box.port,
                "from": "g@example.com",
                "to": "a@example.com",
            }
            Channel.objects.create(name="mail", kind="email", configuration=configuration)
            open_incident()
            send_due_notifications(now=at(1))
        assert "Content-ID: <chart>" in box.mails[0]
        assert "cid:chart" in box.mails[0].replace("=\r\n", "").replace("=3D", "=")
