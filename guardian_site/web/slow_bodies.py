"""Clients that never finish sending a body do not keep the threads of the web server.

A thread that reads a body sleeps until all of it has arrived, and the web server sets no limit: a
few dozen clients that stop in the middle could stop Guardian. So every process looks at its readers
four times a second and shuts the connections of those that take too long. The reader wakes with
what it got, and the refusal that follows is still sent.

A request does not know its connection, only the address of its client. Its connection is one from
there to which we have sent nothing since, and requests are taken about in the order in which they
come. So as many connections are shut as readers are late, beginning with those to which nothing was
sent for longest. Idle ones, or ones that wait for a thread, may be among them; the slow ones then
follow at the next look.
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
    """How long a body may take: `seconds`, and one more for each `bytes_a_second` of its length."""

    seconds: float
    bytes_a_second: int

    def allows(self, length: int) -> float:
        """Return how long a body of this length may take [s]."""
        return self.seconds + length / self.bytes_a_second


CALM = Pace(15.0, 32 * 1024)
# The pace while half of the threads wait for bodies, and for HURRY_LASTS after that [s].
HURRIED = Pace(0.5, 1024 * 1024)
HURRY_LASTS = 10.0
# The kernel counts time in ticks of its clock, which are up to this long [s].
KERNEL_TICK = 0.02
# Only Linux has what is needed here.
_FDS = Path("/proc/self/fd")
_TCP_INFO: int = getattr(socket, "TCP_INFO", 11)
# `struct tcp_info` of linux/tcp.h up to tcpi_last_data_sent: how long ago we last sent data [ms].
_LAST_SENT = Struct("=44xI")


class Body:
    """The body of a request in place of `wsgi.input`; shows for how long it is being read."""

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
        """Return `Connection: close` if a body was sent and not read.

        The web server closes such a connection without notice. The next request on it would be
        lost: one of the same client, or of any other client of a proxy that holds the connection.
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
        """Shut, once, the connections whose bodies take too long."""
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
    """Shut connections from an address to our port on which we sent nothing for `silent` seconds.

    At most `most` of them, the longest silent first. Return how many.
    """
    silences = {}
    for number in os.listdir(_FDS):
        with contextlib.suppress(OSError), _copy(number) as one:
            if _leads(one, address, port) and _is_waited_for(one):
                silences[number] = _silence(one)
    done = 0
    for number in sorted(silences, key=silences.__getitem__, reverse=True)[:most]:
        # Looked at again: by now the descriptor may be that of another connection.
        with contextlib.suppress(OSError), _copy(number) as one:
            if _leads(one, address, port) and _silence(one) > silent:
                one.shutdown(socket.SHUT_RD)
                done += 1
    return done


@contextlib.contextmanager
def _copy(number: str) -> Iterator[socket.socket]:
    """Lend a copy of an open socket; OSError if the descriptor is a file's or was closed."""
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

    A connection that was shut at an earlier look may still be open: it is not counted again.
    """
    try:
        one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    return False


def _silence(one: socket.socket) -> float:
    """Return the time since we last sent anything on a connection, or since it was opened [s]."""
    told = one.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAST_SENT.size)
    return float(_LAST_SENT.unpack(told)[0]) / 1e3


def with_prompt_bodies(site: Application, threads: int) -> Application:
    """Return an application that shuts connections with slow bodies; `site` if not on Linux."""
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
