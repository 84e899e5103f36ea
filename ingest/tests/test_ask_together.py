import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from ingest.sharing import together
from ingest.sharing.together import Together
from ingest.tests.crowds import Gate, come_together


class Stopped(BaseException):
    """What ends a thread and is no error of the cache."""


class Cache:
    """Answers each number with its square; the first round waits until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.gate = Gate()
        self.error: BaseException | None = None

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.rounds.append(list(numbers))
        self.gate()
        if self.error is not None and len(self.rounds) > 1:
            raise self.error
        return [number * number for number in numbers]


def asked_by(cache: Cache, most: int = 128) -> Together[int, int]:
    return Together(cache, most)


def ask_together(
    cache: Cache, asked: Together[int, int], numbers: Sequence[int]
) -> list[Future[int | None]]:
    return come_together(asked.ask, numbers, cache.gate, lambda: asked.waiting)


def test_a_thread_alone_asks_at_once() -> None:
    cache = Cache()
    cache.gate.open()
    assert asked_by(cache).ask(3) == 9


def test_whoever_waits_is_asked_for_in_one_round_and_gets_the_own_answer() -> None:
    cache = Cache()
    outcomes = ask_together(cache, asked_by(cache), range(20))
    assert [one.result() for one in outcomes] == [number**2 for number in range(20)]
    assert [len(one) for one in cache.rounds] == [1, 19]


def test_a_round_is_bounded() -> None:
    cache = Cache()
    ask_together(cache, asked_by(cache, most=8), range(20))
    assert [len(one) for one in cache.rounds] == [1, 8, 8, 3]


def test_an_error_reaches_all_who_were_asked_for_and_nobody_else() -> None:
    cache = Cache()
    cache.error = OSError("away")
    first, *others = ask_together(cache, asked_by(cache), range(5))
    assert first.result() == 0
    assert [one.exception() for one in others] == [cache.error] * 4


def test_it_goes_on_after_an_error() -> None:
    cache = Cache()
    cache.error, asked = OSError("away"), asked_by(cache)
    ask_together(cache, asked, range(5))
    cache.error = None
    assert asked.ask(3) == 9


def test_a_leader_that_is_stopped_leaves_the_others_without_an_answer() -> None:
    cache = Cache()
    cache.error = Stopped()
    first, *others = ask_together(cache, asked_by(cache), range(5))
    assert first.result() == 0
    stopped = [one for one in others if one.exception() is cache.error]
    assert len(stopped) == 1
    assert [one.result() for one in others if one not in stopped] == [None] * 3


def test_many_threads_and_many_rounds_lose_nothing() -> None:
    cache = Cache()
    cache.gate.open()
    asked = asked_by(cache, most=16)
    answers: list[bool] = []

    def ask(start: int) -> None:
        for number in range(start, start + 200):
            answers.append(asked.ask(number) == number * number)

    threads = [threading.Thread(target=ask, args=(1000 * place,)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [True] * 3200
    assert sum(len(one) for one in cache.rounds) == 3200


def asking(asked: Together[int, int], *numbers: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=asked.ask, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    return threads


def test_a_leader_waits_for_as_many_as_came_together_last_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "PATIENCE", 5.0)
    cache = Cache()
    asked = asked_by(cache)
    ask_together(cache, asked, range(4))
    first = asking(asked, 10)
    while asked.waiting < 1:
        threading.Event().wait(0.001)
    assert len(cache.rounds) == 2
    for thread in first + asking(asked, 11, 12):
        thread.join(5)
    assert sorted(cache.rounds[2]) == [10, 11, 12]


def test_a_leader_does_not_wait_long_for_company_that_stays_away() -> None:
    cache = Cache()
    asked = asked_by(cache)
    ask_together(cache, asked, range(4))
    assert [asked.ask(number) for number in (10, 11)] == [100, 121]
    assert cache.rounds[2:] == [[10], [11]]
