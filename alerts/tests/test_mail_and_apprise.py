import email
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from typing import Any

import pytest

from alerts.channels import ChannelError, Receipt, adapter_of
from alerts.models import Channel
from alerts.services.channels import queue_test
from alerts.services.sending import send_due_notifications
from alerts.tests.outgoing import OVER, outgoing
from alerts.tests.smtp import MailBox, mail_server
from alerts.tests.standin import Answer, StandIn

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as found:
        yield found


def settings_of(box: MailBox, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": box.port,
        "from": "guardian@example.com",
        "to": "ana@example.com, bo@example.com",
        **more,
    }


def mail(box: MailBox, message: Any, **more: Any) -> Receipt:
    channel = Channel(name="mail", kind="email", configuration=settings_of(box, **more))
    return adapter_of(channel).send(channel, message)


def parsed(box: MailBox) -> Message:
    return email.message_from_bytes(box.mails[-1].encode())


def texts(message: Message) -> dict[str, str]:
    return {
        part.get_content_type(): part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in message.walk()
        if part.get_content_maintype() == "text"
    }


def test_a_mail_has_text_and_escaped_html(box: MailBox) -> None:
    receipt = mail(box, outgoing())
    found = parsed(box)
    assert found["To"] == "ana@example.com, bo@example.com"
    assert found["Message-ID"] == receipt.reference == "<guardian-1@localhost>"
    said = texts(found)
    assert "Call the issuer." in said["text/plain"]
    assert "12 &lt; 50 &amp; &lt;b&gt;" in said["text/html"]


def test_the_end_belongs_to_the_same_thread(box: MailBox) -> None:
    mail(box, outgoing("resolved", reference="<guardian-0@localhost>", brief=OVER))
    assert parsed(box)["In-Reply-To"] == "<guardian-0@localhost>"


def test_a_name_cannot_add_a_header(box: MailBox) -> None:
    mail(box, outgoing(brief={"headline": "x\r\nBcc: eve@example.com"}))
    assert parsed(box)["Bcc"] is None


@pytest.mark.parametrize(
    ("refusals", "more", "permanent"),
    [
        ({"AUTH": "535 wrong"}, {"user": "u", "password": "p"}, True),
        ({"AUTH": "454 temporary authentication failure"}, {"user": "u", "password": "p"}, False),
        ({"RCPT": "550 no such user"}, {}, True),
        ({"RCPT": "450 try later"}, {}, False),
        ({"MAIL": "451 busy"}, {}, False),
        ({"DATA": "554 looks like spam"}, {}, False),
    ],
)
def test_how_mail_servers_refuse(
    box: MailBox, refusals: dict[str, str], more: dict[str, str], permanent: bool
) -> None:
    box.refusals = refusals
    with pytest.raises(ChannelError) as caught:
        mail(box, outgoing(), **more)
    assert caught.value.permanent is permanent
    assert box.mails == []


def test_whom_the_server_refuses_among_others_is_logged(
    box: MailBox, caplog: pytest.LogCaptureFixture
) -> None:
    box.refusals = {"rcpt TO:<bo@example.com>": "550 no such user"}
    assert mail(box, outgoing()).left_out == "some recipients refused: [550]"
    assert len(box.mails) == 1
    assert "bo@example.com: 550" in caplog.text


@pytest.mark.django_db
def test_who_was_left_out_stands_beside_the_message(box: MailBox) -> None:
    box.refusals = {"rcpt TO:<bo@example.com>": "550 no such user"}
    channel = Channel.objects.create(name="mail", kind="email", configuration=settings_of(box))
    row = queue_test(channel=channel, actor="ana", now=NOW)
    assert send_due_notifications(now=NOW, channel=channel.pk) == [row.pk]
    row.refresh_from_db()
    assert (row.state, row.last_error) == ("sent", "some recipients refused: [550]")


@pytest.mark.parametrize(
    "people", ["ana@example.com; bo@example.com", "ana bo@example.com", "ana@example..com"]
)
def test_what_is_no_address_is_refused_at_once_and_for_good(
    box: MailBox, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_TO", people)
    with pytest.raises(ChannelError, match="is no e-mail address") as caught:
        mail(box, outgoing(), to="env:MAIL_TO")
    assert caught.value.permanent


def test_a_name_that_no_name_server_can_be_asked_for_is_no_fault_of_ours(box: MailBox) -> None:
    with pytest.raises(ChannelError, match="no answer"):
        mail(box, outgoing(), host=f"{'a' * 70}.example")


def test_a_mail_server_that_is_away_is_waited_for(box: MailBox) -> None:
    with pytest.raises(ChannelError) as caught:
        mail(box, outgoing(), port=9)
    assert not caught.value.permanent


# Its plugins import what Python is about to drop.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestApprise:
    def bridge(self, url: str) -> Channel:
        configuration = {"url": url, "allow_private": True}
        return Channel(name="more", kind="apprise", configuration=configuration)

    def test_it_speaks_to_whatever_apprise_knows(self, vendor: StandIn) -> None:
        pytest.importorskip("apprise", reason="MISSING PART apprise: pip install apprise")
        channel = self.bridge(vendor.url.replace("http://", "json://"))
        adapter_of(channel).send(channel, outgoing())
        assert vendor.asked[0].json["title"].startswith("CRITICAL: Denials")
        assert "Call the issuer." in vendor.asked[0].json["message"]

    def test_a_refusal_is_tried_again(self, vendor: StandIn) -> None:
        pytest.importorskip("apprise", reason="MISSING PART apprise: pip install apprise")
        vendor.usual = Answer(500)
        channel = self.bridge(vendor.url.replace("http://", "json://"))
        with pytest.raises(ChannelError) as caught:
            adapter_of(channel).send(channel, outgoing())
        assert not caught.value.permanent

    def test_an_address_it_does_not_know_is_permanent(self) -> None:
        channel = self.bridge("nonsense")
        with pytest.raises(ChannelError) as caught:
            adapter_of(channel).send(channel, outgoing())
        assert caught.value.permanent
