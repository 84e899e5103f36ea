"""Whoever never finishes sending a body does not keep a thread of the web server.

A thread that reads a body sleeps until all of it is there, and the web server knows no end of that:
a few dozen senders that stop in the middle would be all it takes to stop Guardian. So every process
looks at its readers four times a second and shuts the connections of those who take too long; the
reader wakes with what it got, and the refusal that follows still gets out.

The web server does not tell by which connection a request came, only from which address. It must be
a connection from there over which nothing was sent since, and requests are taken roughly in the
order in which they come. So as many connections are shut as there are late readers, those first
over which nothing was sent for the longest. Some of them may be idle, or wait for a thread; then
the slow ones follow at the next look.
"""

import contextlib
import logging
import math
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

from guardian_site.environment import short_address

logger = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

LOOK_EVERY_SECONDS = 0.25


class Pace(NamedTuple):
    """How long a body may take: so many seconds, and one more for so many bytes."""

    seconds: float
    bytes_a_second: int

    def allows(self, length: int) -> float:
        """Return how long a body of this length may take [s]."""
        return self.seconds + length / self.bytes_a_second


CALM = Pace(15.0, 32 * 1024)
# How long the hasty pace holds after half of the threads were waiting for bodies [s].
HURRIED = Pace(0.5, 1024 * 1024)
HURRY_LASTS = 10.0
# The kernel rounds times to steps of its clock, of at most this length [s].
KERNEL_TICK = 0.02
# Only Linux tells a process what is needed here.
_FDS = Path("/proc/self/fd")
_TCP_INFO: int = getattr(socket, "TCP_INFO", 11)
# `struct tcp_info` of linux/tcp.h up to tcpi_last_data_sent: how long ago we last sent data [ms].
_LAST_SENT = Struct("=44xI")


class Body:
    """What is sent with a request, read as `wsgi.input` is; since when, others can see."""

    __slots__ = ("_began", "_environ", "_readers", "_sent")

    def __init__(self, readers: set["Body"], environ: dict[str, Any]) -> None:
        self._sent = environ["wsgi.input"]
        self._readers = readers
        self._environ = environ
        self._began: float | None = None

    @property
    def origin(self) -> tuple[str, int]:
        """Return the address of the sender, and the port that it found us on."""
        return self._environ["REMOTE_ADDR"], int(self._environ["SERVER_PORT"])

    def waited(self, now: float) -> float:
        """Return how long its reader has been waiting for it [s]."""
        return 0.0 if self._began is None else now - self._began

    @property
    def length(self) -> int:
        """Return how long it says it is [bytes]."""
        return int(self._environ.get("CONTENT_LENGTH") or 0)

    def unread(self) -> list[tuple[str, str]]:
        """Return the header that closes the connection behind a body that was not read.

        The web server would close it without saying so, and the next request on it would be lost:
        one of the same client, or of any other client of the proxy that holds the connection.
        """
        unknown = "HTTP_TRANSFER_ENCODING" in self._environ
        comes = self._began is None and (self.length or unknown)
        return [("Connection", "close")] if comes else []

    def _watched(self, read: Callable[..., Any], *arguments: int) -> Any:
        if self._began is None:
            self._began = time.monotonic()
        self._readers.add(self)
        try:
            return read(*arguments)
        finally:
            self._readers.discard(self)

    def read(self, *size: int) -> bytes:
        data: bytes = self._watched(self._sent.read, *size)
        return data

    def readline(self, *size: int) -> bytes:
        line: bytes = self._watched(self._sent.readline, *size)
        return line

    def readlines(self, *hint: int) -> list[bytes]:
        lines: list[bytes] = self._watched(self._sent.readlines, *hint)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class Lookout:
    """Looks after the readers of one process.

    Parameters
    ----------
    threads : int
        How many the process has.
    """

    def __init__(self, threads: int) -> None:
        self.readers: set[Body] = set()
        self._crowd = max(1, threads // 2)
        self._last_crowd = -math.inf

    def late(self, now: float) -> list[Body]:
        """Return the bodies that have taken too long."""
        readers = list(self.readers)
        if sum(body.waited(now) > HURRIED.seconds for body in readers) >= self._crowd:
            self._last_crowd = now
        pace = HURRIED if now - self._last_crowd < HURRY_LASTS else CALM
        return [body for body in readers if body.waited(now) > pace.allows(body.length)]

    def look(self) -> None:
        """End what takes too long, once."""
        now = time.monotonic()
        waits = defaultdict[tuple[str, int], list[float]](list)
        for body in self.late(now):
            waits[body.origin].append(body.waited(now))
        for (address, port), waited in waits.items():
            number = shut(short_address(address), port, min(waited) - KERNEL_TICK, len(waited))
            told = "%d connections of %s were shut: what they send does not come."
            logger.warning(told, number, address)

    def keep_looking(self) -> None:
        """Look again and again, without end."""
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            try:
                self.look()
            except Exception:
                logger.exception("Bodies that do not come could not be looked after.")


def shut(address: str, port: int, silent: float, most: int) -> int:
    """Shut what comes from an address to our port and was sent nothing for so long [s].

    At most so many, those first that were sent nothing for the longest. Returns how many.
    """
    silences = {}
    for number in os.listdir(_FDS):
        with contextlib.suppress(OSError), _copy(number) as one:
            if _leads(one, address, port) and _is_waited_for(one):
                silences[number] = _silence(one)
    done = 0
    for number in sorted(silences, key=silences.__getitem__, reverse=True)[:most]:
        # Looked at again: the number may be another connection's by now.
        with contextlib.suppress(OSError), _copy(number) as one:
            if _leads(one, address, port) and _silence(one) > silent:
                one.shutdown(socket.SHUT_RD)
                done += 1
    return done


@contextlib.contextmanager
def _copy(number: str) -> Iterator[socket.socket]:
    """Lend a copy of an open socket; OSError if the number belongs to a file, or is free."""
    copy = os.dup(int(number))
    try:
        one = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with one:
        yield one


def _leads(one: socket.socket, address: str, port: int) -> bool:
    """Tell whether a socket leads from an address to a port of ours."""
    if one.type != socket.SOCK_STREAM or one.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return one.getsockname()[1] == port and short_address(one.getpeername()[0]) == address


def _is_waited_for(one: socket.socket) -> bool:
    """Tell whether all that came was read, and more may come.

    A connection that was shut at an earlier look may still be open, and must not be counted again.
    """
    try:
        one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    return False


def _silence(one: socket.socket) -> float:
    """Return how long ago anything was sent over a connection, or it was opened [s]."""
    told = one.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAST_SENT.size)
    return float(_LAST_SENT.unpack(told)[0]) / 1e3


def with_prompt_bodies(site: Application, threads: int) -> Application:
    """Return an application whose readers of bodies are looked after."""
    if not _FDS.exists():
        return site
    lookout = Lookout(threads)
    threading.Thread(target=lookout.keep_looking, name="slow-bodies", daemon=True).start()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"] = Body(lookout.readers, environ)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, *body.unread()], *more)

        return site(environ, start)

    return application
