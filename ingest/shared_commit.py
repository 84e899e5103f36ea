"""Requests that wait at the same moment share one commit.

A commit costs a round trip and a flush to disk, whether it carries one report or a hundred. So
the first thread that comes becomes the leader: it takes everything that is waiting, records it in
one go and wakes the others with their results. Whoever came meanwhile is waiting by then, and
the first of them leads the next round. Nobody waits for company: a thread alone leads at once.

    thread 1  ---lead: [1]------------|
    thread 2      .....wait...........|---lead: [2, 3, 4]------------|
    thread 3         ..wait...........|......................result..|
    thread 4             wait.........|......................result..|
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from django.db import IntegrityError, connection

from ingest import metrics
from ingest.reports import NewReport, RecordedReport

Write = Callable[[Sequence[NewReport]], list[RecordedReport]]
MOST_TOGETHER = 128


class _Waiter:
    """One thread's reports, and what became of them."""

    __slots__ = ("error", "leads", "reports", "results", "woken")

    def __init__(self, reports: Sequence[NewReport]) -> None:
        self.reports = reports
        self.results: list[RecordedReport] | None = None
        self.error: Exception | None = None
        self.leads = False
        # A held lock that its holder's helper releases: the cheapest way to sleep in a thread.
        self.woken = threading.Lock()
        self.woken.acquire()


def _give_back_connection() -> None:
    """Let the pool have this thread's connection: were all held by those who wait, the leader
    would find none and all would stand still."""
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()


class SharedCommit:
    """Hands the reports of all threads that wait to one call of `write`."""

    def __init__(self, write: Write, most: int = MOST_TOGETHER) -> None:
        self._write = write
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter] = deque()
        self._led = False

    @property
    def waiting(self) -> int:
        """Return how many wait for the next commit."""
        return len(self._waiting)

    def record(self, reports: Sequence[NewReport]) -> list[RecordedReport]:
        """Return once `reports` are committed; raise what their own write raised."""
        me = _Waiter(reports)
        with self._lock:
            self._waiting.append(me)
            me.leads = not self._led
            self._led = True
        if not me.leads:
            _give_back_connection()
            me.woken.acquire()
        if me.leads:
            self._lead(me)
        if me.error is not None:
            raise me.error
        # Without a result the group failed for a reason that may be a neighbour's: try alone.
        return self._write(reports) if me.results is None else me.results

    def _lead(self, me: _Waiter) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._record_together(group)
        finally:
            self._hand_over()
            for waiter in group:
                if waiter is not me:
                    waiter.woken.release()

    def _hand_over(self) -> None:
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            self._led = successor is not None
        if successor is not None:
            successor.leads = True
            successor.woken.release()

    def _record_together(self, group: list[_Waiter]) -> None:
        metrics.shared_commit_reports.observe(len(group))
        try:
            results = iter(self._write([report for one in group for report in one.reports]))
        except Exception as error:
            # What one report can cause is tried again alone; a database that is away is not.
            if len(group) > 1 and isinstance(error, (IntegrityError, ValueError)):
                return
            for waiter in group:
                waiter.error = error
            return
        for waiter in group:
            waiter.results = [next(results) for _ in waiter.reports]
