"""When a message that failed is tried again: pure."""

from datetime import datetime, timedelta

FIRST_SECONDS = 4.0
LONGEST_SECONDS = 300.0
# Who names a time is there and will soon listen again: its own word counts, not our patience.
LONGEST_WITH_WORD_SECONDS = 30.0
# A channel that asks us to wait is waited for, and then this much more, so as not to be first.
MARGIN_SECONDS = 0.5


def backoff(attempts: int, *, chance: float) -> timedelta:
    """Return how long to wait after so many failed tries, between half and the whole of 4·2ⁿ s.

    Parameters
    ----------
    attempts : int
        Tries so far, >= 1.
    chance : float
        A random number, 0..1, so that many messages do not come back at once.

    Examples
    --------
    >>> [backoff(n, chance=1.0).total_seconds() for n in (1, 2, 3, 20)]
    [4.0, 8.0, 16.0, 300.0]
    """
    whole = min(FIRST_SECONDS * 2 ** min(attempts - 1, 16), LONGEST_SECONDS)
    return timedelta(seconds=whole * (0.5 + 0.5 * chance))


def next_try(attempts: int, *, now: datetime, retry_after: float | None, chance: float) -> datetime:
    """Return when to try again: when the vendor said, else after the back-off.

    Examples
    --------
    >>> now = datetime(2026, 3, 2)
    >>> [(next_try(9, now=now, retry_after=s, chance=1.0) - now).seconds for s in (60, 1, None)]
    [60, 30, 300]
    """
    wait = backoff(attempts, chance=chance)
    if retry_after is None:
        return now + wait
    asked = timedelta(seconds=retry_after + MARGIN_SECONDS)
    return now + max(asked, min(wait, timedelta(seconds=LONGEST_WITH_WORD_SECONDS)))
