"""What a process remembers for a while."""

import pytest

from ingest.expiring import Expiring


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the clock that entries go by, in seconds; its last element is now."""
    told = [0.0]
    monkeypatch.setattr("ingest.expiring.time.monotonic", lambda: told[-1])
    return told


def test_what_is_fresh_is_returned_together_and_what_is_not_is_missing(clock: list[float]) -> None:
    kept: Expiring[str, int] = Expiring(60, limit=10)
    kept.put("old", 1)
    clock.append(61)
    kept.put_all([("one", 1), ("two", 2)])
    assert kept.get_all(["old", "one", "two", "never"]) == {"one": 1, "two": 2}
    assert [kept.get(name) for name in ("old", "one", "never")] == [None, 1, None]


def test_beyond_its_limit_it_starts_afresh(clock: list[float]) -> None:
    kept: Expiring[int, int] = Expiring(60, limit=2)
    for number in range(3):
        kept.put(number, number)
    assert kept.get_all(range(3)) == {2: 2}


def test_what_is_forgotten_is_gone() -> None:
    kept: Expiring[str, int] = Expiring(60, limit=2)
    kept.put("one", 1)
    kept.forget()
    assert kept.get("one") is None
