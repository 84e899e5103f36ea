"""Threads that wait at the same moment ask together: one round trip carries what all of them want.

Asking the database or the cache costs a round trip, whether it is asked for one thing or a hundred.
So the first thread that comes becomes the leader: it takes everything that is waiting, asks for all
of it in one go and wakes the others with their answers. Whoever came meanwhile is waiting by then,
and the first of them leads the next round. A thread alone leads at once. Where there was company a
moment ago there will be again: those who were just answered are on their way back with their next
report, so the leader waits for as many as lately, for two milliseconds at most. Without that
groups alternate between one (whoever comes first) and all the others, and cost twice as much.

    thread 1  ---lead: [1]---------|
    thread 2      .....wait........|---lead: [2, 3, 4]---------|
    thread 3         ..wait........|...................answer..|
    thread 4             wait......|...................answer..|
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST_TOGETHER = 128
# How long a leader waits for those who are on their way back [seconds].
PATIENCE = 0.002


class _Waiter(Generic[Asked, Answer]):
    """What one thread asks, and what came of it."""

    __slots__ = ("answer", "asked", "error", "leads", "woken")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self.leads = False
        # A held lock that its holder's helper releases: the cheapest way to sleep in a thread.
        self.woken = threading.Lock()
        self.woken.acquire()


class Together(Generic[Asked, Answer]):
    """Hands what all waiting threads ask to one call of `ask_all`.

    It returns one answer for each item, in order; what it raises is raised in every thread.
    """

    def __init__(
        self, ask_all: Callable[[Sequence[Asked]], Sequence[Answer]], most: int = MOST_TOGETHER
    ) -> None:
        self._ask_all = ask_all
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter[Asked, Answer]] = deque()
        self._led = False
        # How many came together lately: so many are waited for. It falls soon when one has left.
        self._company = 1
        self._gathered = threading.Event()

    @property
    def waiting(self) -> int:
        """Return how many wait for the next round."""
        return len(self._waiting)

    def ask(self, asked: Asked) -> Answer | None:
        """Return the answer to `asked`; None if its leader was stopped before there was any."""
        me: _Waiter[Asked, Answer] = _Waiter(asked)
        with self._lock:
            self._waiting.append(me)
            me.leads = not self._led
            self._led = True
            if len(self._waiting) >= self._company:
                self._gathered.set()
        if not me.leads:
            me.woken.acquire()
        if me.leads:
            self._lead(me)
        if me.error is not None:
            raise me.error
        return me.answer

    def _lead(self, me: _Waiter[Asked, Answer]) -> None:
        group = self._gather()
        try:
            answers = self._ask_all([waiter.asked for waiter in group])
            for waiter, answer in zip(group, answers, strict=True):
                waiter.answer = answer
        except Exception as error:
            for waiter in group:
                waiter.error = error
        finally:
            self._hand_over()
            for waiter in group:
                if waiter is not me:
                    waiter.woken.release()

    def _gather(self) -> list[_Waiter[Asked, Answer]]:
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
