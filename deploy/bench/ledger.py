"""Clients that write down every report that was answered, to be compared with the database."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# Longer than any part is away in a run of the faults.
PATIENCE_SECONDS = 120.0
# A client that was refused waits this long at most, whatever it was told, so that the run is short.
LONGEST_WAIT = 1.0
GOOD = 200


@dataclass
class Ledger:
    """What all clients were answered."""

    # (source, timestamp) -> count of every report that was answered with 200
    answered: dict[tuple[str, str], int] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    # seconds from the first sending of a report to its answer
    longest: float = 0.0
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: str) -> None:
        with self.lock:
            self.statuses[status] += 1

    def enter(self, key: tuple[str, str], count: int, seconds: float) -> None:
        with self.lock:
            self.answered[key] = count
            self.longest = max(self.longest, seconds)

    def complain(self, what: str) -> None:
        with self.lock:
            self.broken.append(what)


class Client(threading.Thread):
    """Sends reports of its own source, each again until it is answered, as a good client does."""

    def __init__(self, number: int, port: int, ledger: Ledger, stop: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._source = f"client-{number}"
        self._port = port
        self._ledger = ledger
        self._stop_asked = stop
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=30)
        for number in itertools.count():
            if self._stop_asked.is_set():
                break
            moment = (begin + timedelta(milliseconds=25 * number)).isoformat()
            self._report(moment, 1 + number % 9)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _report(self, moment: str, count: int) -> None:
        body = json.dumps(
            {"timestamp": moment, "status": "approved", "count": count, "source": self._source}
        )
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            if self._sent(body):
                self._ledger.enter((self._source, moment), count, time.monotonic() - began)
                return
        self._ledger.complain(f"{self._source} gave up after {PATIENCE_SECONDS:.0f} s")

    def _sent(self, body: str) -> bool:
        """Send once; tell whether it was answered."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            headers = {"Content-Type": "application/json"}
            self._connection.request("POST", "/transaction", body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._ledger.note(f"no answer ({type(error).__name__})")
            self._hang_up()
            time.sleep(0.1)
            return False
        self._ledger.note(str(answer.status))
        if answer.status == GOOD:
            return True
        self._look_at_refusal(answer, text)
        return False

    def _look_at_refusal(self, answer: http.client.HTTPResponse, text: bytes) -> None:
        wait = answer.getheader("Retry-After")
        if answer.status not in (429, 503) or wait is None:
            self._ledger.complain(f"{answer.status} Retry-After={wait}: {text[:200]!r}")
        time.sleep(min(LONGEST_WAIT, float(wait or 1)))
