"""Files that commands write: refused before the work for them begins, told in words after it."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from errno import EACCES, EISDIR
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError


def refuse_unwritable(*paths: Path | None) -> None:
    """Every one of the paths that is not None can be written; nothing was made or changed.

    Raises
    ------
    CommandError
        If one of them cannot; it says which and why.
    """
    for path in paths:
        if path is not None:
            with told_in_words(path):
                _try(path)


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """A failure to write `path` in this block is a CommandError that names it.

    Raises
    ------
    CommandError
    """
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}.") from error


@contextmanager
def ending_quietly(rows: Generator[Any, None, None]) -> Iterator[None]:
    """Whoever reads the rows on standard output may stop early, as `head` does: no fault."""
    try:
        with closing(rows):
            yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would be refused once more at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _try(path: Path) -> None:
    place, permission = path, os.W_OK
    if path.is_dir():
        raise OSError(EISDIR, os.strerror(EISDIR))
    try:
        path.stat()
    except FileNotFoundError:
        place, permission = path.resolve().parent, os.W_OK | os.X_OK
        place.stat()
    if not os.access(place, permission):
        raise OSError(EACCES, os.strerror(EACCES))
