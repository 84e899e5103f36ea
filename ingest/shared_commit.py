"""Requests that wait at the same moment share one commit.

A commit costs a round trip and a flush to disk, whether it carries one report or a hundred. So
the first thread that comes becomes the leader: it takes everything that is waiting, records it in
one go and wakes the others with their results. Whoever came meanwhile is waiting by then, and
the first of them leads the next round. A thread alone leads at once. Where there was company a
moment ago there will be again: those who were just answered are on their way back with their next
report, so the leader waits for as many as lately, for two milliseconds at most. Without that
groups alternate between one (whoever comes first) and all the others, and cost twice as much.

    thread 1  ---lead: [1]---------|
    thread 2      .....wait........|---lead: [2, 3, 4]---------|
    thread 3         ..wait........|...................result..|
    thread 4             wait......|...................result..|
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections

from ingest import metrics

Asked = TypeVar("Asked")
Recorded = TypeVar("Recorded")
Answer = TypeVar("Answer")
MOST_TOGETHER = 128
# How long a leader waits for those who are on their way back [seconds].
PATIENCE = 0.002


class _Waiter(Generic[Asked, Recorded, Answer]):
    """One thread's wish, and what became of it."""

    __slots__ = ("answer", "asked", "error", "leads", "recorded", "woken")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.recorded: Recorded | None = None
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self.leads = False
        # A held lock that its holder's helper releases: the cheapest way to sleep in a thread.
        self.woken = threading.Lock()
        self.woken.acquire()


def _give_back_connection() -> None:
    """Let the pool have this thread's connection: were all held by those who wait, the leader
    would find none and all would stand still."""
    mine = connections[DEFAULT_DB_ALIAS]
    if mine.connection is None or mine.in_atomic_block:
        return
    if getattr(mine, "pool", None):
        mine.close()


class SharedCommit(Generic[Asked, Recorded, Answer]):
    """Hands what all waiting threads ask to one call of `write` and one of `finish`.

    `write` commits and must be all or nothing; `finish` answers what is committed. Both return
    one result for each item, in order.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Asked]], Sequence[Recorded]],
        finish: Callable[[Sequence[Asked], Sequence[Recorded]], Sequence[Answer]],
        most: int = MOST_TOGETHER,
    ) -> None:
        self._write = write
        self._finish = finish
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter[Asked, Recorded, Answer]] = deque()
        self._led = False
        # As many were together lately; as many are waited for. One that left is soon missed.
        self._company = 1
        self._gathered = threading.Event()

    @property
    def waiting(self) -> int:
        """Return how many wait for the next commit."""
        return len(self._waiting)

    def answer(self, asked: Asked) -> Answer:
        """Return the answer once `asked` is committed; raise what its own write raised."""
        me: _Waiter[Asked, Recorded, Answer] = _Waiter(asked)
        with self._lock:
            self._waiting.append(me)
            me.leads = not self._led
            self._led = True
            if len(self._waiting) >= self._company:
                self._gathered.set()
        if not me.leads:
            _give_back_connection()
            me.woken.acquire()
        if me.leads:
            self._lead(me)
        if me.error is not None:
            raise me.error
        if me.answer is None:
            # The group failed for a reason that may be a neighbour's: try alone.
            return self._finish([asked], self._write([asked]))[0]
        return me.answer

    def _lead(self, me: _Waiter[Asked, Recorded, Answer]) -> None:
        group = self._gather()
        try:
            self._commit(group)
            self._answer([waiter for waiter in group if waiter.recorded is not None])
        finally:
            self._hand_over()
            for waiter in group:
                if waiter is not me:
                    waiter.woken.release()

    def _gather(self) -> list[_Waiter[Asked, Recorded, Answer]]:
        if len(self._waiting) < self._company:
            self._gathered.wait(PATIENCE)
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._company = max(len(group), self._company - 1)
            self._gathered.clear()
        return group

    def _hand_over(self) -> None:
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            self._led = successor is not None
        if successor is not None:
            successor.leads = True
            successor.woken.release()

    def _commit(self, group: list[_Waiter[Asked, Recorded, Answer]]) -> None:
        metrics.shared_commit_reports.observe(len(group))
        try:
            recorded = self._write([waiter.asked for waiter in group])
        except Exception as error:
            # What one report can cause is tried again alone; a database that is away is not.
            if len(group) > 1 and isinstance(error, (IntegrityError, ValueError)):
                return
            for waiter in group:
                waiter.error = error
            return
        for waiter, one in zip(group, recorded, strict=True):
            waiter.recorded = one

    def _answer(self, group: list[_Waiter[Asked, Recorded, Answer]]) -> None:
        recorded = [waiter.recorded for waiter in group if waiter.recorded is not None]
        if not recorded:
            return
        try:
            answers = self._finish([waiter.asked for waiter in group], recorded)
        except Exception as error:
            for waiter in group:
                waiter.error = error
            return
        for waiter, answer in zip(group, answers, strict=True):
            waiter.answer = answer
