"""One Guardian in a folder: neither a second one nor a restore while it runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "running.lock"


class InUse(Exception):
    """Somebody else works in the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Within, the folder is ours; whoever dies lets go of it.

    Raises
    ------
    InUse
        If it is another's.
    """
    with (folder / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Guardian is running in {folder}. Stop it first.") from None
        yield
