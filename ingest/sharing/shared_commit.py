"""Requests that wait at the same moment share one commit: a round trip and a flush to disk."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections

from ingest import metrics
from ingest.sharing.together import MOST_TOGETHER, Together

Asked = TypeVar("Asked")
Recorded = TypeVar("Recorded")
Answer = TypeVar("Answer")


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
        self._together: Together[Asked, Answer | None] = Together(self._answer_all, most)

    @property
    def waiting(self) -> int:
        """Return how many wait for the next commit."""
        return self._together.waiting

    def answer(self, asked: Asked) -> Answer:
        """Return the answer once `asked` is committed; raise what its own write raised."""
        _give_back_connection()
        answer = self._together.ask(asked)
        if answer is None:
            # The group failed for a reason that may be a neighbour's: try alone.
            return self._finish([asked], self._write([asked]))[0]
        return answer

    def _answer_all(self, group: Sequence[Asked]) -> Sequence[Answer | None]:
        metrics.shared_commit_reports.observe(len(group))
        try:
            recorded = self._write(group)
        except (IntegrityError, ValueError):
            # A single report may have caused this: each is tried again alone.
            if len(group) == 1:
                raise
            return [None] * len(group)
        return self._finish(group, recorded)
