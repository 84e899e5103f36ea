"""What the command line says when the database or a setting ends it, or somebody by hand."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, OperationalError, connection

from guardian_site.environment import SettingError

# PostgreSQL's codes of a table, a column and a schema that are not there.
_ABSENT = frozenset({"42P01", "42703", "3F000"})
# And of what it forbids, with what to do.
_FORBIDDEN = {
    "42501": "Is the user of DATABASE_URL the owner of the database, and of what is in it?",
    "25006": "It takes no writes: a demoted primary, or the address of a standby?",
}
# As a shell tells of what SIGINT has ended.
_ENDED_BY_HAND = 130


@contextmanager
def ending_in_words() -> Iterator[None]:
    """A wrong setting, a database that is away, or Ctrl-C ends the program with one line."""
    try:
        yield
    except KeyboardInterrupt:
        print("Stopped before the end.", file=sys.stderr)
        sys.exit(_ENDED_BY_HAND)
    except BrokenPipeError:
        # The reader of our output has gone; what is still buffered would be written at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SettingError as error:
        sys.exit(f"Setting refused: {error}")
    except DatabaseError as error:
        told = in_words(error)
        if told is None or "--traceback" in sys.argv:
            raise
        sys.exit(told)


def in_words(error: DatabaseError) -> str | None:
    """Return one line for a fault that whoever runs the command can mend; None for one of ours."""
    # The loader of migrations wraps what the database said once more.
    cause = error.__cause__ or getattr(error.__context__, "__cause__", None)
    state = getattr(cause, "sqlstate", None)
    lines = str(cause if state in _FORBIDDEN else error).splitlines()
    told = lines[0].strip().removesuffix(".") if lines else type(error).__name__
    if state in _FORBIDDEN:
        return f"The database does not allow it: {told}. {_FORBIDDEN[state]}"
    if state in _ABSENT or told.startswith(("no such table", "no such column")):
        return (
            f"The tables of this database are not those of this version ({told}). If it is the "
            "one you mean (GUARDIAN_DATA_DIR, DATABASE_URL), `manage.py migrate` makes them so."
        )
    if isinstance(error, OperationalError):
        return f"The database cannot be used: {told}. {_what_to_look_at(told)}".rstrip()
    return None


def _what_to_look_at(told: str) -> str:
    if connection.vendor == "postgresql":
        return "Does it run, and is DATABASE_URL right?"
    # SQLite says the one or the other of a full disk.
    return "Is the disk of GUARDIAN_DATA_DIR full?" if " disk " in f" {told}" else ""
