"""Senders that stop in the middle of a body keep nobody out."""

import contextlib
import io
import json
import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guardian_site.embedded.supervisor import Part, web_command
from guardian_site.tests.processes import Product, until
from guardian_site.web import slow_bodies
from guardian_site.web.slow_bodies import CALM, HURRIED, HURRY_LASTS, Body, Lookout, shut

SENDER = {"REMOTE_ADDR": "127.0.0.1", "SERVER_PORT": "8001"}
Pair = tuple[socket.socket, socket.socket]


def read_since(began: float, length: int = 100) -> Body:
    """Return a body that a thread began to read then."""
    environ = {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": str(length), **SENDER}
    body = Body(set(), environ)
    body._began = began
    return body


def test_a_body_has_time_and_a_long_one_has_more() -> None:
    short, long = read_since(0.0), read_since(0.0, 60 * CALM.bytes_a_second)
    lookout = Lookout(threads=32)
    lookout.readers |= {short, long}
    assert lookout.late(CALM.seconds - 1) == []
    assert lookout.late(CALM.seconds + 1) == [short]
    assert set(lookout.late(CALM.seconds + 61)) == {short, long}


def test_where_half_of_the_threads_wait_none_has_much_time_for_a_while() -> None:
    lookout = Lookout(threads=8)
    crowd = [read_since(0.0) for _ in range(4)]
    lookout.readers.update(crowd[:3])
    assert lookout.late(1.0) == []
    lookout.readers.update(crowd)
    assert set(lookout.late(1.0)) == set(crowd)
    lookout.readers.clear()
    last = read_since(2.0)
    lookout.readers.add(last)
    assert lookout.late(3.0) == [last]
    assert lookout.late(1.0 + HURRY_LASTS) == []


def test_in_a_hurry_too_a_long_body_has_more_time() -> None:
    lookout = Lookout(threads=2)
    short, long = read_since(0.0), read_since(0.0, 5 * HURRIED.bytes_a_second)
    lookout.readers |= {short, long}
    assert lookout.late(1.0) == [short]
    assert set(lookout.late(6.0)) == {short, long}


def test_a_body_is_read_as_before() -> None:
    seen: list[set[Body]] = []

    class Sent(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(set(readers))
            return super().read(size)

    readers: set[Body] = set()
    environ: dict[str, Any] = {"wsgi.input": Sent(b"one\ntwo\nthree\nfour"), **SENDER}
    body = Body(readers, environ)
    assert (body.read(4), body.readline()) == (b"one\n", b"two\n")
    assert [*body] == [b"three\n", b"four"]
    assert body.readlines() == []
    assert (seen, readers) == ([{body}], set())


@pytest.fixture
def connected() -> Iterator[tuple[int, list[Pair]]]:
    """Yield the port of a listener and connections to it, the oldest first, from both ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as opened:
        pairs = []
        for _ in range(3):
            sender = opened.enter_context(socket.create_connection(listener.getsockname()))
            pairs.append((sender, opened.enter_context(listener.accept()[0])))
            time.sleep(0.05)
        for sender, taken in pairs:
            sender.settimeout(5)
            taken.settimeout(0.2)
        yield listener.getsockname()[1], pairs


def goes_on(pair: Pair) -> bool:
    """Send something and tell whether it arrives."""
    sender, taken = pair
    sender.sendall(b"more")
    return taken.recv(10) == b"more"


def test_those_who_were_sent_nothing_for_the_longest_are_shut(
    connected: tuple[int, list[Pair]],
) -> None:
    port, [oldest, next_one, youngest] = connected
    assert shut("127.0.0.1", port, 0.01, most=1) == 1
    assert oldest[1].recv(10) == b""
    assert goes_on(next_one)
    assert goes_on(youngest)


def test_what_was_shut_before_does_not_count_again(connected: tuple[int, list[Pair]]) -> None:
    port, [oldest, next_one, youngest] = connected
    assert [shut("127.0.0.1", port, 0.01, most=1) for _ in range(2)] == [1, 1]
    assert (oldest[1].recv(10), next_one[1].recv(10)) == (b"", b"")
    assert goes_on(youngest)


def test_what_has_more_to_read_is_not_what_a_reader_waits_for(
    connected: tuple[int, list[Pair]],
) -> None:
    port, [oldest, next_one, _youngest] = connected
    oldest[0].sendall(b"more")
    assert shut("127.0.0.1", port, 0.01, most=1) == 1
    assert next_one[1].recv(10) == b""
    assert oldest[1].recv(10) == b"more"
    assert goes_on(oldest)


def test_who_was_answered_a_moment_ago_is_not_shut(connected: tuple[int, list[Pair]]) -> None:
    port, [served, stuck, another] = connected
    time.sleep(0.6)
    served[1].sendall(b"an answer")
    assert shut("127.0.0.1", port, 0.5, most=9) == 2
    assert (stuck[1].recv(10), another[1].recv(10)) == (b"", b"")
    assert goes_on(served)


def test_the_answer_still_gets_out(connected: tuple[int, list[Pair]]) -> None:
    port, [(sender, taken), *_others] = connected
    sender.sendall(b"half")
    assert taken.recv(10) == b"half"
    assert shut("127.0.0.1", port, 0.01, most=9) == 3
    assert taken.recv(10) == b""
    taken.sendall(b"too late")
    assert sender.recv(10) == b"too late"


def test_other_addresses_and_our_own_calls_are_left_alone(
    connected: tuple[int, list[Pair]],
) -> None:
    port, pairs = connected
    assert shut("192.0.2.1", port, 0.01, most=9) == 0
    # A database on the same host has the address of a local sender; its port is not ours.
    assert shut("127.0.0.1", port + 1, 0.01, most=9) == 0
    assert all(map(goes_on, pairs))


def test_looking_leaves_no_file_open(connected: tuple[int, list[Pair]]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    shut("127.0.0.1", connected[0], 0.01, most=9)
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_that_cannot_be_looked_after_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = 0

    def fails(_lookout: Lookout) -> None:
        nonlocal looked
        looked += 1
        raise ValueError("odd address")

    class Endless:
        def read(self, *_size: int) -> bytes:
            until(lambda: looked >= 2)
            return b""

    monkeypatch.setattr(Lookout, "look", fails)
    monkeypatch.setattr(slow_bodies, "LOOK_EVERY_SECONDS", 0.01)

    def site(environ: dict[str, Any], _start: Any) -> list[bytes]:
        return [environ["wsgi.input"].read()]

    application = slow_bodies.with_prompt_bodies(site, threads=2)
    assert application({"wsgi.input": Endless(), **SENDER}, print) == [b""]


@pytest.mark.parametrize(
    ("sent", "reads", "closed"),
    [
        ({"CONTENT_LENGTH": "4"}, False, True),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, False, True),
        ({"CONTENT_LENGTH": "4"}, True, False),
        ({"CONTENT_LENGTH": "0"}, False, False),
        ({}, False, False),
    ],
)
def test_nobody_sends_another_request_behind_a_body_that_nobody_read(
    sent: dict[str, str], reads: bool, closed: bool
) -> None:
    told: list[tuple[str, str]] = []

    def site(environ: dict[str, Any], start: Any) -> list[bytes]:
        if reads:
            environ["wsgi.input"].read(4)
        start("401 Unauthorized", [("Content-Length", "0")])
        return [b""]

    def start_response(_status: str, headers: list[tuple[str, str]]) -> None:
        told.extend(headers)

    application = slow_bodies.with_prompt_bodies(site, threads=2)
    application({"wsgi.input": io.BytesIO(b"body"), **SENDER, **sent}, start_response)
    assert (("Connection", "close") in told) is closed
    assert ("Content-Length", "0") in told


HALF = (
    b"POST /transaction HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100\r\n\r\n{"
)


@pytest.mark.processes
@pytest.mark.timeout(180)
def test_a_hundred_senders_that_never_finish_keep_nobody_out(tmp_path: Path) -> None:
    product = Product(tmp_path, {"GUARDIAN_RATE_LIMIT": "off", "GUARDIAN_WEB_THREADS": "16"})
    product.manage("migrate", "--verbosity", "0")
    port = product.port
    web = Part("web", web_command("127.0.0.1", port, 1, 16), product.environment)
    web.start()
    try:
        until(lambda: answers(port))
        with contextlib.ExitStack() as opened:
            slow = [
                opened.enter_context(socket.create_connection(("127.0.0.1", port), 30))
                for _ in range(100)
            ]
            for one in slow:
                one.sendall(HALF)
            assert post(port, {"status": "approved", "count": 5}) == 200
            refused = b"".join(iter(lambda: slow[0].recv(4096), b""))
        assert refused.startswith(b"HTTP/1.1 408")
        assert b"ended after 1 of 100 bytes, or took too long" in refused
    finally:
        web.stop()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def post(port: int, body: object) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/transaction",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)
