import threading
from collections.abc import Sequence

from ingest.together import Together


class Stopped(BaseException):
    """What ends a thread and is no error of the cache."""


class Cache:
    """Answers each number with its square; the first round waits until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.error: BaseException | None = None

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.rounds.append(list(numbers))
        if len(self.rounds) == 1:
            self.entered.set()
            self.gate.wait(5)
        elif self.error is not None:
            raise self.error
        return [number * number for number in numbers]


def ask_together(cache: Cache, numbers: Sequence[int]) -> dict[int, object]:
    """Let one thread lead alone and the others come while it asks."""
    together: Together[int, int] = Together(cache)
    outcomes: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            outcomes[number] = together.ask(number)
        except (OSError, Stopped) as error:
            outcomes[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    cache.entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    while together.waiting < len(numbers) - 1:
        threading.Event().wait(0.001)
    cache.gate.set()
    for thread in threads:
        thread.join(5)
    return outcomes


def test_whoever_waits_is_asked_for_in_one_round_and_gets_the_own_answer() -> None:
    cache = Cache()
    assert ask_together(cache, range(10)) == {number: number**2 for number in range(10)}
    assert [len(one) for one in cache.rounds] == [1, 9]


def test_an_error_reaches_all_who_were_asked_for_and_nobody_else() -> None:
    cache = Cache()
    cache.error = OSError("away")
    outcomes = ask_together(cache, range(5))
    assert outcomes == {0: 0, **dict.fromkeys(range(1, 5), "away")}


def test_a_leader_that_is_stopped_leaves_the_others_without_an_answer() -> None:
    cache = Cache()
    cache.error = Stopped("stopped")
    outcomes = ask_together(cache, range(5))
    assert [outcomes.pop(0), *sorted(map(str, outcomes.values()))] == [0, *["None"] * 3, "stopped"]
