"""Whoever is told decides neither how long that takes, nor its memory, nor what of ours it gets."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from alerts.channels import ChannelError, base
from alerts.channels.base import READ_AT_MOST, post
from alerts.models import Channel
from alerts.tests.outgoing import refusal
from alerts.tests.standin import HANG_SECONDS, Answer, StandIn

Manners = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\n"
MORE = b"x" * 65536


@contextmanager
def receiver(answer: Manners) -> Iterator[str]:
    """Run somebody who answers one request in a way of their own, until the test is over."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def take_one() -> None:
            line, _address = door.accept()
            with line, suppress(OSError):
                line.recv(65536)
                answer(line, over)

        thread = threading.Thread(target=take_one, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/"
        over.set()
        thread.join(timeout=5)


def one_header_after_the_other(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD)
    while not over.wait(0.05):
        line.sendall(b"X-More: to come\r\n")


def one_byte_after_the_other(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not over.wait(0.05):
        line.sendall(b".")


def no_end(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"Content-Length: 1000000000000\r\n\r\n")
    while not over.is_set():
        line.sendall(MORE)


@pytest.mark.parametrize("manners", [one_header_after_the_other, one_byte_after_the_other])
@pytest.mark.timeout(HANG_SECONDS)
def test_the_line_is_cut_to_who_answers_a_little_at_a_time(
    manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "ANSWER_SECONDS", 0.3)
    with receiver(manners) as url, pytest.raises(ChannelError, match="no answer") as refusal:
        post(url, body={})
    assert not refusal.value.permanent


def test_an_answer_without_an_end_is_read_no_further() -> None:
    with receiver(no_end) as url:
        answer = post(url, body={})
    assert answer.is_success
    assert len(answer.content) == READ_AT_MOST


def test_what_is_packed_is_not_unpacked(vendor: StandIn) -> None:
    packed = gzip.compress(b" " * 1000).decode("latin-1")
    vendor.answers = [Answer(body=packed, headers={"Content-Encoding": "gzip"})]
    assert len(post(vendor.url, body={}).content) < 200
    assert vendor.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("charset", ["bz2", "rot13", "idna", "undefined"])
def test_a_refusal_is_one_whatever_encoding_it_names(vendor: StandIn, charset: str) -> None:
    answer = Answer(404, "gone", headers={"Content-Type": f"text/plain; charset={charset}"})
    target = {"url": vendor.url, "secret": "s3cret", "allow_private": True}
    refused = refusal("webhook", vendor, answer, **target)
    assert (refused.permanent, str(refused)) == (True, "HTTP 404: gone")


@pytest.mark.parametrize("name", ["GUARDIAN_SECRET_KEY", "DATABASE_URL", "SLACK_SIGNING_SECRET"])
def test_none_is_sent_what_opens_more_than_a_channel(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "secret")
    channel = Channel(kind="telegram", configuration={"token": f"env:{name}"})
    assert base.setting(channel, "token") == ""
