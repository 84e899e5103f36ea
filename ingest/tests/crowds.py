"""Threads that come while one of them is being served."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
SECONDS = 5.0


class Gate:
    """Holds whoever passes first until it is opened."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

    def open(self) -> None:
        self._opened.set()

    def __call__(self) -> None:
        if not self.reached.is_set():
            self.reached.set()
            self._opened.wait(SECONDS)


def come_together(
    ask: Callable[[Item], Answer], items: Sequence[Item], gate: Gate, waiting: Callable[[], int]
) -> list[Future[Answer]]:
    """Let one thread ask alone, and the others come while it is held at the gate.

    Returns what became of each, in order; all of them have come to their end.
    """
    with ThreadPoolExecutor(len(items)) as threads:
        asked = [threads.submit(ask, items[0])]
        assert gate.reached.wait(SECONDS)
        asked += [threads.submit(ask, item) for item in items[1:]]
        while waiting() < len(items) - 1:
            threading.Event().wait(0.001)
        gate.open()
    return asked
