"""A lock on the data folder: no second Guardian, and no restore, while one runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "running.lock"


class InUse(Exception):
    """Another process works in the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Within this block the folder is ours; the lock ends with the process.

    Raises
    ------
    InUse
        If another process has it.
    """
    with (folder / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Guardian is running in {folder}. Stop it first.") from None
        yield
