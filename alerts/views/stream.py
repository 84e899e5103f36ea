"""GET /stream: what happens, as it happens, to whoever keeps the line open."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from alerts.selectors.stream import (
    Happening,
    Place,
    happenings_after,
    kept_place,
    newest_place,
    place_of,
)
from alerts.selectors.visibility import Seen
from alerts.views.access import reader_of, seen_sources, still_let_in
from ingest import steady_clock

HEARTBEAT_SECONDS = 15.0
LOOK_EVERY_SECONDS = 1.0
# A line holds a thread: each ends by itself, and the reader comes back with Last-Event-ID.
LONGEST_SECONDS = 600.0
RETRY_MS = 2000


class Lines:
    """How many lines this process may keep open, all readers and each; one more is refused."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._held: dict[object, str] = {}
        self._lock = threading.Lock()

    def take(self, reader: str) -> Callable[[], object] | None:
        """Return what gives the reader's new line back; None if they can have none now."""
        with self._lock:
            readers = list(self._held.values())
            if len(readers) >= self._most or readers.count(reader) >= self._most_each:
                return None
            line = object()
            self._held[line] = reader
        # Without the lock: a line that nobody read may be given back by the garbage collector,
        # in the middle of this.
        return partial(self._held.pop, line, None)


# Half of the threads at most: reports and pages must still be answered. Half of those for one
# reader: whoever leaves the page open everywhere shuts nobody out.
MOST_LINES = max(1, min(16, settings.GUARDIAN_WEB_THREADS // 2))
lines = Lines(MOST_LINES, max(1, MOST_LINES // 2))


# Nothing changes here: another method is answered 405, not 403 for want of a token.
@csrf_exempt
@require_GET
def stream(request: HttpRequest) -> HttpResponseBase:
    asked = request.headers.get("Last-Event-ID") or request.GET.get("last_event_id", "")
    place = place_of(asked) if asked else newest_place()
    if place is None:
        return JsonResponse({"detail": f"“{asked[:40]}” is not an event id."}, status=400)
    place = kept_place(place) if asked else place
    give_back = lines.take(reader_of(request))
    if give_back is None:
        refusal = JsonResponse({"detail": "Too many open streams."}, status=503)
        refusal["Retry-After"] = "30"
        return refusal
    still = partial(still_let_in, request)
    line = Line(written(place, seen_sources(request), still), give_back)
    answer = StreamingHttpResponse(line, content_type="text/event-stream")
    answer["Cache-Control"] = "no-cache, no-transform"
    answer["X-Accel-Buffering"] = "no"
    return answer


class Line:
    """One open line: an iterator that gives its slot back however it ends."""

    def __init__(self, text: Iterator[bytes], give_back: Callable[[], object]) -> None:
        self._text = text
        self._give_back = give_back

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._text)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._give_back()  # which may be done twice

    def __del__(self) -> None:
        # The reader went away before the first byte: no server calls close() then.
        self.close()


def written(place: Place, seen: Seen, still: Callable[[], bool]) -> Iterator[bytes]:
    """Write what happens after `place`, with a heartbeat when nothing does.

    `still` is asked as often whether the reader may go on; who may not has to come back and ask.
    """
    ends = time.monotonic() + LONGEST_SECONDS
    spoke = asked = time.monotonic()
    yield f"retry: {RETRY_MS}\nid: {place}\nevent: connected\ndata: {{}}\n\n".encode()
    while time.monotonic() < ends:
        if time.monotonic() - asked >= HEARTBEAT_SECONDS:
            asked = time.monotonic()
            if not still():
                break
        happened = happenings_after(place, now=steady_clock.now(), seen=seen)
        _let_go_of_the_database()
        for one in happened:
            place = one.place
            if one.body is not None:
                yield event_text(one)
        if any(one.body for one in happened):
            spoke = time.monotonic()
            continue
        if time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            yield b": still here\n\n"
        time.sleep(LOOK_EVERY_SECONDS)
    _let_go_of_the_database()


def event_text(one: Happening) -> bytes:
    """Return one event as the wire wants it."""
    body = msgspec.json.encode(one.body)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        str(one.place).encode(),
        one.kind.encode(),
        body,
    )


def _let_go_of_the_database() -> None:
    # The pool is small, and this line sleeps most of the time. Inside a transaction (a test) the
    # connection is not this line's to close.
    if not connection.in_atomic_block:
        connection.close()
